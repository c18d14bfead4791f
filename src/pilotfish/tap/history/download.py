"""Entries as a file to take away: JSON, HAR, or their packets as pcapng.

Each is a generator of pieces, so that a file of any size can be sent while it is made.
"""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Generator, Iterable
from typing import Any

import orjson

from pilotfish.tap.entry import Entry
from pilotfish.tap.files.recorder import Recorder, flows_of
from pilotfish.tap.formats.har import HarWriter
from pilotfish.tap.history.history import micros
from pilotfish.tap.history.packets import PacketView

_PIECE_BYTES = 1 << 16
# Of a connection everything is taken from its beginning on, since what follows cannot be read
# without; and so long behind the last entry, for its acknowledgements and the end.
_AFTERWARDS_US = 2_000_000


def json(entries: Iterable[Entry]) -> Generator[bytes, None, None]:
    """An array of entries, one a line."""
    return _pieces(_json(entries))


def har(entries: Iterable[Entry]) -> Generator[bytes, None, None]:
    """The HTTP entries as a HAR file."""
    return _pieces(_har(entries))


def pcapng(entries: Iterable[Entry], packets: PacketView) -> Generator[bytes, None, None]:
    """The packets of the entries' connections, each entry's line as a comment where it began.

    There are those from the client to the address it asked for, and those to the endpoint that
    was chosen, in both directions; as far as the history still has them.

    Args:
        entries: in order of their timestamps.
        packets: where the packets are.
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
    span = packets.span()
    flows: dict[bytes, tuple[int, int]] = {}
    lines: deque[tuple[int, Entry]] = deque()
    for entry in entries:
        first_us, last_us = _span(entry)
        if span is None or last_us < span.first_us:
            continue  # its packets are gone
        lines.append((micros(entry["timestamp"]), _line(entry)))
        for flow in _flows(entry):
            known = flows.get(flow, (first_us, last_us))
            flows[flow] = min(known[0], first_us), max(known[1], last_us)
    file = io.BytesIO()
    recorder = Recorder(file)
    if flows:
        since_us = min(first for first, _ in flows.values())
        until_us = max(last for _, last in flows.values())
        for frame in packets.frames(since_us, until_us, flows):
            # The line of an entry goes to a packet that the recorder knows already.
            while lines and lines[0][0] + 1 < frame.time_s * 1e6:
                recorder.entry(lines.popleft()[1])
            recorder.packet(frame)
            yield _taken(file)
    for _, line in lines:
        recorder.entry(line)
    recorder.close()
    yield _taken(file)


def _span(entry: Entry) -> tuple[int, int]:
    """When the packets of an entry's connection may have been seen, up to its end."""
    begun_us = micros(entry["timestamp"])
    opened_s = float(entry["conn"]["id"].rpartition("@")[2])
    last_us = begun_us + (entry["elapsed_time"] or 0) + _AFTERWARDS_US
    return min(begun_us, int(opened_s * 1e6)) - 1, last_us


def _flows(entry: Entry) -> list[bytes]:
    """Both directions, before and after the address was translated."""
    flows = [*flows_of(entry["src"], entry["dst"])]
    if "endpoint" in entry:
        flows += flows_of(entry["src"], entry["endpoint"])
    return flows


def _line(entry: Entry) -> Entry:
    """As much of an entry as the recorder needs: they wait in memory for their packets."""
    line: Entry = {key: entry[key] for key in ("timestamp", "summary")}
    for key in ("src", "dst", "endpoint"):
        if key in entry:
            line[key] = _party(entry[key])
    return line


def _party(party: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {key: party[key] for key in ("ip", "port", "name") if key in party}
    for key in ("pod", "service"):
        if key in party:
            kept[key] = {name: party[key][name] for name in ("name", "namespace")}
    return kept


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
