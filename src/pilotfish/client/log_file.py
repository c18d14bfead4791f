"""A log file of bounded size, which several processes may write.

Standard error is the file, so what is written there by anybody (a dump of stacks, a program that
dies) is in it too. When the file is full it becomes `NAME.1`, the one before `NAME.2`, and a new
one takes its place; what is older goes. No line is lost or torn by that: a line is one write to a
file opened for appending (write(2)), and a process that still has the old file writes to `NAME.1`.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
from itertools import pairwise
from pathlib import Path
from typing import Final

MAX_BYTES: Final = 8_000_000
KEPT: Final = 2
_STDOUT, _STDERR = 1, 2


def rotated(path: Path) -> list[Path]:
    """The names of the files that were full, the oldest first, whether they are there or not."""
    return [path.with_name(f"{path.name}.{number}") for number in range(KEPT, 0, -1)]


class LogFile(logging.Handler):
    """Writes lines to standard error, which it leads to the log file at `path`."""

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES) -> None:
        super().__init__()
        self._path = path
        self._max_bytes = max_bytes
        self._follow_path()

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line, and rotate when the file is full."""
        try:
            line = (self.format(record) + "\n").encode("utf-8", "backslashreplace")
            self._follow_path()
            while line:
                line = line[os.write(_STDERR, line) :]
            if os.fstat(_STDERR).st_size >= self._max_bytes:
                self._rotate()
        except Exception:  # As every handler of `logging`: a log must not end its process.
            self.handleError(record)

    def _follow_path(self) -> None:
        """Go on in the file of that name: another process may have rotated, or somebody deleted."""
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(self._path.stat(), os.fstat(_STDERR)):
                return
        self._lead(self._open())

    def _rotate(self) -> None:
        current = self._open()
        # Of two processes that see a full file, the second finds a new one of that name.
        fcntl.flock(current, fcntl.LOCK_EX)
        found = os.fstat(current)
        if os.path.samestat(self._path.stat(), found) and found.st_size >= self._max_bytes:
            names = [*rotated(self._path), self._path]
            for older, newer in pairwise(names):
                with contextlib.suppress(FileNotFoundError):
                    newer.replace(older)
        os.close(current)
        self._lead(self._open())

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        return os.open(self._path, flags, 0o600)

    def _lead(self, descriptor: int) -> None:
        """Make standard output and error the open file."""
        for standard in (_STDOUT, _STDERR):
            os.dup2(descriptor, standard)
        os.close(descriptor)
