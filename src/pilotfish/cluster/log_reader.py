"""Reads a component's log from its beginning on, and goes on across rotations."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, BinaryIO

from pilotfish.client.log_file import rotated

if TYPE_CHECKING:
    from pathlib import Path

_CHUNK_BYTES = 1 << 20


class LogReader:
    """One log. It holds the file that it reads, so that a rotation takes nothing away from it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._rest = b""
        self._was_newest = False

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def new_lines(self) -> list[bytes]:
        """The whole lines that were written since the last call, all that there are at first."""
        if self._file is None:
            self._file = self._after(None)
        lines: list[bytes] = []
        while self._file is not None:
            lines += self._read(self._file)
            following = self._after(self._file)
            if following is None:
                self._was_newest = True
                break
            if self._was_newest:
                # Rotated just now: a process that was writing may write to it once more, so it is
                # read again at the next call, before it is left.
                following.close()
                self._was_newest = False
                break
            self._file.close()
            self._file = following
        return lines

    def _read(self, file: BinaryIO) -> list[bytes]:
        lines = []
        while chunk := file.read(_CHUNK_BYTES):
            *whole, self._rest = (self._rest + chunk).split(b"\n")
            lines += whole
        return lines

    def _after(self, file: BinaryIO | None) -> BinaryIO | None:
        """The file that follows another, None behind the newest; the oldest one at first."""
        opened: list[BinaryIO] = []
        for path in [*rotated(self._path), self._path]:
            with contextlib.suppress(FileNotFoundError):
                opened.append(path.open("rb", buffering=0))
        place = -1
        for number, candidate in enumerate(opened):
            if file is not None and _is_same(candidate, file):
                place = number
        chosen = opened[place + 1] if place + 1 < len(opened) else None
        for candidate in opened:
            if candidate is not chosen:
                candidate.close()
        return chosen


def _is_same(one: BinaryIO, other: BinaryIO) -> bool:
    return os.path.samestat(os.fstat(one.fileno()), os.fstat(other.fileno()))
