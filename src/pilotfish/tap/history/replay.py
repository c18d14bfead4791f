"""The packets of some entries, written as they were seen, with each entry's line where it began."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from typing import Any

from pilotfish.tap.entry import Entry
from pilotfish.tap.files.recorder import Recorder, flows_of
from pilotfish.tap.history.history import micros
from pilotfish.tap.history.packets import PacketView

# Of a connection everything is taken from its beginning on, since what follows cannot be read
# without; and so long behind the last entry, for its acknowledgements and the end.
_AFTERWARDS_US = 2_000_000


class Replay:
    """The packets of some entries' connections, in both directions, as far as there are any left.

    A packet is captured once, where it enters the cluster: they carry the address that the client
    asked for. The endpoint that was chosen stands in the comments.
    """

    def __init__(self, packets: PacketView) -> None:
        """packets: where they are. Raises OSError where that cannot be read."""
        self._packets = packets
        self._span = packets.span()
        self._flows: dict[bytes, tuple[int, int]] = {}
        self._lines: deque[tuple[int, Entry]] = deque()

    def add(self, entry: Entry) -> None:
        """Want the packets of an entry. They are to be added in order of their timestamps."""
        first_us, last_us = _window(entry)
        if self._span is None or last_us < self._span.first_us:
            return  # its packets are gone
        self._lines.append((micros(entry["timestamp"]), _line(entry)))
        for flow in flows_of(entry["src"], entry["dst"]):
            known = self._flows.get(flow, (first_us, last_us))
            self._flows[flow] = min(known[0], first_us), max(known[1], last_us)

    def write(self, recorder: Recorder) -> Generator[int, None, None]:
        """Hand everything to a recorder; gives the number of packets so far, after each.

        Raises:
            OSError: the packets cannot be read.
        """
        if not self._flows:
            return
        since_us = min(first for first, _ in self._flows.values())
        until_us = max(last for _, last in self._flows.values())
        frames = self._packets.frames(since_us, until_us, self._flows)
        for number, frame in enumerate(frames, 1):
            # A line goes to a packet that the recorder knows already; its time may be one
            # microsecond off.
            while self._lines and self._lines[0][0] + 1 < frame.time_s * 1e6:
                recorder.entry(self._lines.popleft()[1])
            recorder.packet(frame)
            yield number
        for _, line in self._lines:
            recorder.entry(line)


def _window(entry: Entry) -> tuple[int, int]:
    """When the packets of an entry's connection may have been seen, up to its end."""
    begun_us = micros(entry["timestamp"])
    opened_s = float(entry["conn"]["id"].rpartition("@")[2])
    last_us = begun_us + (entry["elapsed_time"] or 0) + _AFTERWARDS_US
    return min(begun_us, int(opened_s * 1e6)) - 1, last_us


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
