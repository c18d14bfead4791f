"""Reads the records of a history in order of time, in any process, while it is written or not.

What a segment holds is known from the headers of its chunks; they are read once, and later only
those that were added. Chunks may overlap in time, since what took long is told late: they are
merged, with as few of them in memory as that takes.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import logging
import os
import threading
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from pilotfish.tap.history import chunks
from pilotfish.tap.history.chunks import HEADER_BYTES, DamagedError, Record
from pilotfish.tap.history.segments import Segment, segments, set_aside

log = logging.getLogger(__name__)

# Where little happens chunks are small: many headers are read at once.
_BLOCK_BYTES = 1 << 14
# Times are signed, of 64 bits.
_MIN, _MAX = -(1 << 63), (1 << 63) - 1


class Span(NamedTuple):
    """What a history holds: times in microseconds since 1970, records, bytes on disk."""

    first_us: int
    last_us: int
    records: int
    bytes: int


class _Index:
    """Where the chunks of a segment begin, and which time they span."""

    def __init__(self, segment: Segment) -> None:
        self.path = segment.path
        self.inode = segment.inode
        self.size = 0
        self.offsets = array("q")
        self.firsts = array("q")
        self.lasts = array("q")
        self.records = 0
        self.first_us, self.last_us = _MAX, _MIN
        self._end = 0

    def extend(self, size: int) -> None:
        """Read the headers that were added; the file has that many bytes now.

        Raises:
            DamagedError: what should be a header is none.
            OSError: the file cannot be read, or is gone.
        """
        self.size = size
        if self._end + HEADER_BYTES > size:
            return
        with _opened(self.path) as file:
            block, begin = b"", 0
            while self._end + HEADER_BYTES <= size:
                if self._end + HEADER_BYTES > begin + len(block):
                    block, begin = os.pread(file, _BLOCK_BYTES, self._end), self._end
                header = chunks.decode_header(block, self._end - begin)
                end = self._end + HEADER_BYTES + header.length
                if end > size:
                    return  # being written, or its writer was killed
                self.firsts.append(header.first_us)
                self.lasts.append(header.last_us)
                self.offsets.append(self._end)
                self.records += header.records
                self.first_us = min(self.first_us, header.first_us)
                self.last_us = max(self.last_us, header.last_us)
                self._end = end

    def places(
        self, since_us: int, until_us: int, newest_first: bool, rank: int
    ) -> Iterator[tuple[int, int, int]]:
        """Where chunks of that time begin: (key, rank, offset), in order of the keys.

        The key is where the chunk begins on the way through time; going back it is negative.
        """
        there = range(len(self.offsets))  # another thread may add some meanwhile
        keys = [-self.lasts[at] for at in there] if newest_first else self.firsts
        for at in sorted(there, key=keys.__getitem__):
            if self.firsts[at] <= until_us and self.lasts[at] >= since_us:
                yield keys[at], rank, self.offsets[at]


class Reader:
    """Reads a folder of segments. Its methods block; threads may call them at the same time."""

    def __init__(self, folder: Path, tell: Callable[[str], None] = log.warning) -> None:
        """Make a reader; the folder need not exist.

        Args:
            folder: holds the segments.
            tell: is told in one line of each damaged file, which is set aside.
        """
        self._folder = folder
        self._tell = tell
        self._lock = threading.Lock()
        self._indexes: dict[Path, _Index] = {}

    def span(self) -> Span | None:
        """What there is; None if there is nothing. Raises OSError where it cannot be read."""
        indexes = [index for index in self._refreshed() if index.records]
        if not indexes:
            return None
        return Span(
            min(index.first_us for index in indexes),
            max(index.last_us for index in indexes),
            sum(index.records for index in indexes),
            sum(index.size for index in indexes),
        )

    def records(
        self, since_us: int | None, until_us: int | None, newest_first: bool = False
    ) -> Iterator[Record]:
        """The records of a time, in order of time.

        Args:
            since_us: no earlier ones; microseconds since 1970.
            until_us: no later ones; None for no bound.
            newest_first: go back in time.

        Raises:
            OSError: the folder cannot be read.
        """
        since = _MIN if since_us is None else since_us
        until = _MAX if until_us is None else until_us
        sign = -1 if newest_first else 1
        indexes = self._refreshed()
        waiting: list[tuple[int, int, bytes]] = []
        numbers = itertools.count()
        with contextlib.ExitStack() as stack:
            files = _Files(stack)
            for key, rank, offset in heapq.merge(
                *(
                    index.places(since, until, newest_first, rank)
                    for rank, index in enumerate(indexes)
                    if index.first_us <= until and index.last_us >= since
                )
            ):
                # What comes before all that is still to be read can go.
                while waiting and waiting[0][0] <= key:
                    time, _, data = heapq.heappop(waiting)
                    yield sign * time, data
                for time_us, data in self._chunk(files, indexes[rank].path, offset):
                    if since <= time_us <= until:
                        heapq.heappush(waiting, (sign * time_us, next(numbers), data))
            while waiting:
                time, _, data = heapq.heappop(waiting)
                yield sign * time, data

    def _refreshed(self) -> list[_Index]:
        """The indexes of all segments, as they are now; what is damaged is set aside."""
        with self._lock:
            known, self._indexes = self._indexes, {}
            for segment in segments(self._folder):
                index = known.get(segment.path)
                if index is None or index.inode != segment.inode or segment.size < index.size:
                    index = _Index(segment)
                try:
                    index.extend(segment.size)
                except FileNotFoundError:
                    continue  # deleted by now
                except DamagedError as error:
                    self._set_aside(segment.path, str(error))
                    continue
                self._indexes[segment.path] = index
            return list(self._indexes.values())

    def _chunk(self, files: _Files, path: Path, offset: int) -> Iterator[Record]:
        file = files.get(path)
        if file is None:
            return
        try:
            header = chunks.decode_header(os.pread(file, HEADER_BYTES, offset))
            stream = os.pread(file, header.length, offset + HEADER_BYTES)
            yield from chunks.decode(header, stream)
        except DamagedError as error:
            self._set_aside(path, str(error))

    def _set_aside(self, path: Path, why: str) -> None:
        aside = set_aside(path)
        if aside is not None:
            self._tell(
                f"the history's file {path} is damaged ({why}): "
                f"set aside as {aside.name}; what it held is missing, the rest goes on"
            )


class _Files:
    """The files that a query has open; a segment that is deleted meanwhile can still be read."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._stack = stack
        self._open: dict[Path, int | None] = {}

    def get(self, path: Path) -> int | None:
        """The file, or None if it was deleted before."""
        if path not in self._open:
            try:
                self._open[path] = self._stack.enter_context(_opened(path))
            except FileNotFoundError:
                self._open[path] = None
        return self._open[path]


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield file
    finally:
        os.close(file)
