"""Writes the segments of a history, and deletes those that are too many or too old.

One process writes at a time: the others find the folder locked. Every write goes behind the
last one, and a process begins with a segment of its own: whatever moment it is killed at, what
was written before is whole. Nothing is forced to the disk; a power failure may cost the last
seconds.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Sequence
from pathlib import Path

from pilotfish.tap.history import chunks
from pilotfish.tap.history.chunks import Record
from pilotfish.tap.history.errors import HistoryError
from pilotfish.tap.history.segments import Segment, name, number, segments

# What is deleted at once, as a part of the bounds.
_PARTS_OF_SIZE = 16
_PARTS_OF_AGE = 96


class Writer:
    """The one who may write to a folder. Its methods block; one thread at a time calls them.

    Attributes:
        writing: whether the folder is ours to write to.
    """

    def __init__(self, folder: Path, max_bytes: int, max_age_s: float) -> None:
        """Make a writer, and the folder (0700) if need be.

        Args:
            folder: holds the segments, and nothing else.
            max_bytes: what all of them together never exceed.
            max_age_s: how long they are kept after they were last written to.

        Raises:
            HistoryError: the folder cannot be made or written to.
        """
        self._folder = folder
        self._max_bytes = max_bytes
        self._max_age_s = max_age_s
        self._segment_bytes = max_bytes // _PARTS_OF_SIZE
        self._segment_age_s = max_age_s / _PARTS_OF_AGE
        self._lock = -1
        self._file = -1
        self._path = folder
        self._inode = 0
        self._size = 0
        self._begun_s = 0.0
        self.writing = False
        try:
            _make(folder)
            self.try_to_lock()
        except OSError as error:
            raise HistoryError(
                f"cannot keep a history in {folder}: {error.strerror}; "
                "make it writable, or set XDG_STATE_HOME to a folder that is"
            ) from error

    def try_to_lock(self) -> bool:
        """Become the one who writes, unless somebody else is. Returns whether we are.

        Raises:
            OSError: the folder cannot be written to.
        """
        if self.writing:
            return True
        lock = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return False
        except OSError:
            os.close(lock)
            raise
        self._lock, self.writing = lock, True
        return True

    def append(self, records: Sequence[Record]) -> int:
        """Write records, in any order. Returns how many: one that is larger than all is dropped.

        Raises:
            OSError: the disk is full, or the like. What was written before stays whole.
        """
        written = 0
        for portion in chunks.cut(records):
            chunk = chunks.encode(portion)
            if len(chunk) <= self._max_bytes:
                self._make_room(len(chunk))
                self._write(chunk)
                written += len(portion)
        return written

    def prune(self) -> None:
        """Delete what is too old. Raises OSError where that cannot be done."""
        self._make_room(0)

    def close(self) -> None:
        """Write no more, and let others."""
        self._end_segment()
        if self.writing:
            os.close(self._lock)
            self.writing = False

    def _make_room(self, size: int) -> None:
        """Delete from the oldest on, until that much fits."""
        there = segments(self._folder, damaged=True)
        total = sum(segment.size for segment in there) + size
        oldest_s = time.time() - self._max_age_s
        for segment in there:
            if total > self._max_bytes or segment.written_s < oldest_s:
                if segment.inode == self._inode:
                    self._end_segment()
                segment.path.unlink(missing_ok=True)
                total -= segment.size
        if not self._continues(there, size):
            self._end_segment()

    def _continues(self, there: list[Segment], size: int) -> bool:
        """Whether a chunk goes to the segment that is being written.

        Not if it was set aside as damaged, or was deleted, perhaps with the whole folder.
        """
        return (
            any(segment.path == self._path and segment.inode == self._inode for segment in there)
            and self._size + size <= self._segment_bytes
            and time.time() - self._begun_s < self._segment_age_s
        )

    def _write(self, chunk: bytes) -> None:
        if self._file < 0:
            self._begin_segment()
        try:
            _write_all(self._file, chunk)
        except OSError:
            # The next chunk must not stand behind half a one.
            self._end_segment()
            raise
        self._size += len(chunk)

    def _begin_segment(self) -> None:
        _make(self._folder)
        there = segments(self._folder, damaged=True)
        # Also behind the others when the clock was set back.
        latest = max((number(segment.path) for segment in there), default=0)
        path = self._folder / name(max(int(time.time() * 1e6), latest + 1))
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(path, flags, 0o600)
        self._path, self._inode = path, os.fstat(self._file).st_ino
        self._size, self._begun_s = 0, time.time()

    def _end_segment(self) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._file, self._inode = -1, 0


def _make(folder: Path) -> None:
    """Make a folder with all above it, for its owner only (XDG Base Directory 0.8 wants that)."""
    if not folder.is_dir():
        _make(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]
