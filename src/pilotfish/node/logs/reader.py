"""Reading container logs the way `kubectl logs` asks for them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from pilotfish.node.logs.cri import Entry, parse_entry
from pilotfish.node.logs.file import LogFile, files_of

_BLOCK_BYTES = 64 * 1024


@dataclass(frozen=True)
class LogOptions:
    """The query of /containerLogs. `since` is sinceTime, or now minus sinceSeconds."""

    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    since: datetime | None = None
    tail_lines: int | None = None
    limit_bytes: int | None = None
    stream: str = ""  # "", "Stdout" or "Stderr"


def tail_offset(file: IO[bytes], lines: int) -> tuple[int, int]:
    """Where the last `lines` lines begin, and how many the file lacks for that number."""
    end = file.seek(0, 2)
    if lines <= 0:
        return end, 0
    position, missing = end, lines + 1  # the last line's own newline counts once
    while position > 0:
        size = min(_BLOCK_BYTES, position)
        position -= size
        file.seek(position)
        block = file.read(size)
        found = block.count(b"\n")
        if found >= missing:
            index = len(block)
            for _ in range(missing):
                index = block.rindex(b"\n", 0, index)
            return position + index + 1, 0
        missing -= found
    return 0, missing - 1


def render(entry: Entry, options: LogOptions) -> bytes:
    """What a reader gets for an entry; b"" when the query does not want it."""
    if options.stream and entry.stream != options.stream.lower():
        return b""
    if options.since and _moment(entry.timestamp) < options.since:
        return b""
    content = entry.content + b"\n" if entry.full else entry.content
    return entry.timestamp.encode() + b" " + content if options.timestamps else content


def _moment(timestamp: str) -> datetime:
    # Python's datetime holds microseconds; the three digits of nanoseconds beyond are cut.
    return datetime.fromisoformat(timestamp[:26]).replace(tzinfo=UTC)


class _Renderer:
    """Turns raw bytes of log files into a reader's bytes, within the reader's limit."""

    def __init__(self, options: LogOptions) -> None:
        self._options = options
        self._rest = b""
        self._left_bytes = options.limit_bytes

    @property
    def exhausted(self) -> bool:
        return self._left_bytes is not None and self._left_bytes <= 0

    def feed(self, data: bytes) -> bytes:
        *lines, self._rest = (self._rest + data).split(b"\n")
        entries = (parse_entry(line) for line in lines)
        result = b"".join(render(entry, self._options) for entry in entries if entry)
        if self._left_bytes is not None:
            result = result[: self._left_bytes]
            self._left_bytes -= len(result)
        return result


def _existing(path: Path, tail_lines: int | None) -> list[IO[bytes]]:
    """The log's files, opened and set to where reading begins; the newest last."""
    opened: list[IO[bytes]] = [file.open("rb") for file in files_of(path)]
    if tail_lines is None:
        return opened
    missing = tail_lines
    for file in reversed(opened):
        offset, missing = tail_offset(file, missing)
        file.seek(offset)
    return opened


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    while block := file.read(_BLOCK_BYTES):
        yield block


async def read_log(
    path: Path, options: LogOptions, followed: LogFile | None
) -> AsyncIterator[bytes]:
    """The log at `path` as the options ask; `followed` is its writer while the container runs.

    With `follow`, goes on until the writer ends.
    """
    renderer = _Renderer(options)
    files = _existing(path, options.tail_lines)
    try:
        for file in files:
            for block in _blocks(file):
                if rendered := renderer.feed(block):
                    yield rendered
                if renderer.exhausted:
                    return
        if not options.follow or followed is None or not files:
            return
        while not renderer.exhausted:
            ended = followed.ended
            for block in _blocks(files[-1]):
                if rendered := renderer.feed(block):
                    yield rendered
            if _was_rotated(files[-1], path):
                files.append(path.open("rb"))
                continue
            if ended:
                return
            await followed.changed()
    finally:
        for file in files:
            file.close()


def _was_rotated(file: IO[bytes], path: Path) -> bool:
    return path.exists() and os.fstat(file.fileno()).st_ino != path.stat().st_ino
