"""A non-blocking descriptor (a pipe's end or a terminal's master) awaited in the event loop."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable

_READ_BYTES = 32 * 1024


class Descriptor:
    """Owns `fd`, which must be non-blocking. One task reads, one writes."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._closed = False

    async def read(self) -> bytes:
        """The next bytes; b"" at the end."""
        loop = asyncio.get_running_loop()
        while (data := self._read_now()) is None:
            await self._until(loop.add_reader, loop.remove_reader)
        return data

    async def write(self, data: bytes) -> None:
        """Writes everything. Raises BrokenPipeError (EIO for a terminal) when nobody reads."""
        loop = asyncio.get_running_loop()
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._fd, rest) :]
            except BlockingIOError:
                await self._until(loop.add_writer, loop.remove_writer)

    def close(self) -> None:
        """Harmless when it is closed already; no task may be reading or writing."""
        if not self._closed:
            self._closed = True
            os.close(self._fd)

    def _read_now(self) -> bytes | None:
        try:
            return os.read(self._fd, _READ_BYTES)
        except BlockingIOError:
            return None
        except OSError as error:
            # A terminal whose last process has closed it reads as EIO: that is its end.
            if error.errno == errno.EIO:
                return b""
            raise

    async def _until(
        self, add: Callable[[int, Callable[[], None]], object], remove: Callable[[int], object]
    ) -> None:
        ready = asyncio.Event()
        add(self._fd, ready.set)
        try:
            await ready.wait()
        finally:
            remove(self._fd)
