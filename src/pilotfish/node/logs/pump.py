"""From a container's pipes to its log file, and to whoever is attached.

The container holds its ends of the named pipes for reading and writing, so it neither blocks
nor gets SIGPIPE while no kubelet runs: up to 64 KiB wait in each pipe for the next one.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

from pilotfish.node.logs.cri import LineSplitter, format_entry, timestamp
from pilotfish.node.logs.file import LogFile

log = logging.getLogger(__name__)

_READ_BYTES = 64 * 1024
# An attached client that does not read loses output beyond this many chunks.
_QUEUE_CHUNKS = 256


class LogPump:
    """Reads until both streams end, which happens when the last process of the container ends."""

    def __init__(self, log_file: LogFile) -> None:
        self.log_file = log_file
        self._open: dict[int, tuple[str, LineSplitter]] = {}
        self._listeners: set[asyncio.Queue[tuple[str, bytes]]] = set()
        self._drained = asyncio.Event()

    def read_from(self, stream: str, descriptor: int) -> None:
        """Take over a non-blocking descriptor as one of the container's streams."""
        self._open[descriptor] = (stream, LineSplitter())
        asyncio.get_running_loop().add_reader(descriptor, self._readable, descriptor)

    def read_fifo(self, stream: str, path: Path) -> None:
        self.read_from(stream, os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))

    def _readable(self, descriptor: int) -> bool:
        """Take what there is; False when there was nothing (yet, or ever again)."""
        stream, splitter = self._open[descriptor]
        try:
            data = os.read(descriptor, _READ_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            data = b""  # EIO: the last holder of a terminal's other end has closed it
        if not data:
            self._end(descriptor)
            return False
        self._write(stream, splitter.feed(data))
        for listener in self._listeners:
            if listener.full():
                log.warning("an attached client reads too slowly: %d bytes lost", len(data))
            else:
                listener.put_nowait((stream, data))
        return True

    def _write(self, stream: str, lines: list[tuple[bytes, bool]]) -> None:
        if lines:
            moment = timestamp(time.time_ns())
            entries = [format_entry(moment, stream, full, line) for line, full in lines]
            self.log_file.append(b"".join(entries))

    def _end(self, descriptor: int) -> None:
        stream, splitter = self._open.pop(descriptor)
        asyncio.get_running_loop().remove_reader(descriptor)
        os.close(descriptor)
        self._write(stream, splitter.flush())
        if not self._open:
            self._finish()

    def _finish(self) -> None:
        self.log_file.close()
        self._drained.set()
        for listener in self._listeners:
            if not listener.full():
                listener.put_nowait(("", b""))

    async def drain(self, timeout_s: float) -> None:
        """Wait for the streams to end, then close them whether they did or not.

        Reads first: a pipe that had lost its writers before it was opened never tells its end.
        """
        for descriptor in list(self._open):
            while self._readable(descriptor):
                continue
        try:
            async with asyncio.timeout(timeout_s if self._open else 0):
                await self._drained.wait()
        except TimeoutError:
            self.close()

    def close(self) -> None:
        for descriptor in list(self._open):
            self._end(descriptor)
        if not self._drained.is_set():
            self._finish()

    def pause(self) -> None:
        """Leave the pipes to the next kubelet: stop reading, write nothing more."""
        for descriptor in self._open:
            asyncio.get_running_loop().remove_reader(descriptor)
            os.close(descriptor)
        self._open.clear()

    async def listen(self) -> AsyncIterator[tuple[str, bytes]]:
        """(stream, bytes) from now on, until the container ends."""
        queue: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(_QUEUE_CHUNKS)
        self._listeners.add(queue)
        try:
            while not (self._drained.is_set() and queue.empty()):
                stream, data = await queue.get()
                if not stream:
                    return
                yield stream, data
        finally:
            self._listeners.discard(queue)
