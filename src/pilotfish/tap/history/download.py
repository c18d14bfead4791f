"""Entries as a file to take away: JSON, HAR, or their packets as pcapng.

Each is a generator of pieces, so that a file of any size can be sent while it is made.
"""

from __future__ import annotations

import io
from collections.abc import Generator, Iterable

import orjson

from pilotfish.tap.entry import Entry
from pilotfish.tap.files.recorder import Recorder
from pilotfish.tap.formats.har import HarWriter
from pilotfish.tap.history.packets import PacketView
from pilotfish.tap.history.replay import Replay

_PIECE_BYTES = 1 << 16


def json(entries: Iterable[Entry]) -> Generator[bytes, None, None]:
    """An array of entries, one a line."""
    return _pieces(_json(entries))


def har(entries: Iterable[Entry]) -> Generator[bytes, None, None]:
    """The HTTP entries as a HAR file."""
    return _pieces(_har(entries))


def pcapng(entries: Iterable[Entry], packets: PacketView) -> Generator[bytes, None, None]:
    """The packets of the entries' connections, each entry's line as a comment where it began.

    Args:
        entries: in order of their timestamps.
        packets: where the packets are; see `Replay` for which of them.
    """
    return _pieces(_pcapng(entries, packets))


def _json(entries: Iterable[Entry]) -> Generator[bytes, None, None]:
    yield b"["
    separator = b"\n"
    for entry in entries:
        yield separator + orjson.dumps(entry)
        separator = b",\n"
    yield b"\n]\n"


def _har(entries: Iterable[Entry]) -> Generator[bytes, None, None]:
    written: list[bytes] = []
    writer = HarWriter(written.append)
    for entry in entries:
        writer.entry(entry)
        yield b"".join(written)
        written.clear()
    writer.close()
    yield b"".join(written)


def _pcapng(entries: Iterable[Entry], packets: PacketView) -> Generator[bytes, None, None]:
    replay = Replay(packets)
    for entry in entries:
        replay.add(entry)
    file = io.BytesIO()
    recorder = Recorder(file)
    for _ in replay.write(recorder):
        yield _taken(file)
    recorder.close()
    yield _taken(file)


def _taken(file: io.BytesIO) -> bytes:
    """What was written; the file is empty then."""
    taken = file.getvalue()
    file.seek(0)
    file.truncate()
    return taken


def _pieces(parts: Generator[bytes, None, None]) -> Generator[bytes, None, None]:
    """The same bytes in larger pieces."""
    waiting: list[bytes] = []
    size = 0
    for part in parts:
        waiting.append(part)
        size += len(part)
        if size >= _PIECE_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
    yield b"".join(waiting)
