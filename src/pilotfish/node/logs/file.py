"""A container's log file: appended to, rotated by size, bounded in number, followed by readers."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

# The kubelet's containerLogMaxSize and containerLogMaxFiles.
MAX_BYTES = 10 * 1024 * 1024
MAX_FILES = 5


def rotated(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")


def files_of(path: Path) -> list[Path]:
    """The log's files from the oldest to the newest, those that exist."""
    candidates = [rotated(path, number) for number in range(MAX_FILES - 1, 0, -1)]
    return [file for file in [*candidates, path] if file.exists()]


class LogFile:
    """`ended` is set once nothing will be written any more."""

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES) -> None:
        self.path = path
        self.ended = False
        self._max_bytes = max_bytes
        self._waiters: set[asyncio.Future[None]] = set()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._open()

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._descriptor = os.open(self.path, flags, 0o640)
        self._size_bytes = os.fstat(self._descriptor).st_size

    def append(self, data: bytes) -> None:
        """Write whole entries, and wake those who follow."""
        if self._size_bytes and self._size_bytes + len(data) > self._max_bytes:
            self._rotate()
        os.write(self._descriptor, data)
        self._size_bytes += len(data)
        self._wake()

    def _rotate(self) -> None:
        os.close(self._descriptor)
        for number in range(MAX_FILES - 2, 0, -1):
            if rotated(self.path, number).exists():
                rotated(self.path, number).rename(rotated(self.path, number + 1))
        self.path.rename(rotated(self.path, 1))
        self._open()

    def close(self) -> None:
        if not self.ended:
            self.ended = True
            os.close(self._descriptor)
            self._wake()

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()

    async def changed(self) -> None:
        """Return after the next write or the end."""
        if self.ended:
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)
