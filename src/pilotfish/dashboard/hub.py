"""Who looks now, and what each of them is still to be sent.

What waits for a viewer is bounded: one that is slower than the traffic loses its oldest rows and
is told how many; of messages that replace each other it gets the newest. Nobody slows down
anybody else. Pure, but for the events that wake a viewer's sender.
"""

from __future__ import annotations

import asyncio
from collections import deque

from pilotfish.dashboard import rows
from pilotfish.dashboard.messages import Follow
from pilotfish.dashboard.searching import Past
from pilotfish.tap.entry import Entry
from pilotfish.tap.filter import Filter

MAX_VIEWERS = 64
# Rows that wait for one viewer: some 5 MB, a second of the quickest traffic.
MAX_WAITING = 10_000
_BACKLOG_ROWS = 1_000

# An entry's id and time: ids start over when a node's tap does.
EntryName = tuple[str, float]


class Watching:
    """One viewer's watch of the traffic.

    Rows are held back until its backlog has come.
    """

    def __init__(self, number: int, wanted: Filter, probes: bool, is_live: bool = True) -> None:
        """Make one.

        Args:
            number: as its page counts.
            wanted: what to show.
            probes: whether probes too.
            is_live: whether what comes is shown, rather than the past alone.
        """
        self.is_live = is_live
        self._number = number
        self._wanted = wanted
        self._probes = probes
        self._waiting: deque[tuple[EntryName, bytes]] = deque()
        self._lost = 0
        self._held = True

    @property
    def full(self) -> bool:
        """Whether there is anything to take."""
        return bool(self._waiting) and not self._held

    def wants(self, entry: Entry) -> bool:
        """Whether the entry is to be shown."""
        return (self._probes or not entry["probe"]) and self._wanted.matches(entry)

    def put(self, name: EntryName, row: bytes) -> None:
        """Take a row that is wanted."""
        if len(self._waiting) >= MAX_WAITING:
            self._waiting.popleft()
            self._lost += 1
        self._waiting.append((name, row))

    def begin(self, past: Past) -> list[bytes]:
        """The messages of its backlog, oldest first; what is in it does not come again."""
        entries = past.entries
        shown = {_name(entry) for entry in entries[-MAX_WAITING:]}
        self._waiting = deque(each for each in self._waiting if each[0] not in shown)
        self._held = False
        encoded = [rows.encoded(entry) for entry in entries]
        return [
            rows.rows_message(
                self._number,
                encoded[at : at + _BACKLOG_ROWS],
                backlog=True,
                reached_ms=past.reached_us / 1000 if past.reached_us is not None else None,
            )
            for at in range(0, max(len(encoded), 1), _BACKLOG_ROWS)
        ]

    def take(self) -> bytes:
        """The message with everything that waits."""
        lost, self._lost = self._lost, 0
        message = rows.rows_message(self._number, [row for _, row in self._waiting], lost)
        self._waiting.clear()
        return message


class Viewer:
    """An open page, or a program that listens like one.

    Attributes:
        follow: which views it is sent.
        filled: set while something waits for it.
    """

    def __init__(self) -> None:
        self.follow: Follow = {"type": "follow", "services": False, "map": False, "window_s": 60}
        self.filled = asyncio.Event()
        self.watching: Watching | None = None
        self._news: dict[str, bytes] = {}
        self._backlog: deque[bytes] = deque()

    def post(self, kind: str, message: bytes) -> None:
        """Send a message, in place of one of its kind that still waits."""
        self._news[kind] = message
        self.filled.set()

    def watch(self, watching: Watching | None) -> None:
        """Watch this instead of what was watched before."""
        self.watching = watching
        self._backlog.clear()

    def begin(self, watching: Watching, past: Past) -> None:
        """The backlog of a watch has come."""
        if watching is self.watching:
            self._backlog.extend(watching.begin(past))
            self.filled.set()

    def take(self) -> list[bytes]:
        """What waits for it, in the order in which it is to be sent."""
        messages = [*self._news.values(), *self._backlog]
        self._news.clear()
        self._backlog.clear()
        if self.watching is not None and self.watching.full:
            messages.append(self.watching.take())
        self.filled.clear()
        return messages


class Hub:
    """All viewers."""

    def __init__(self) -> None:
        self.viewers: set[Viewer] = set()

    def hear(self, entry: Entry) -> None:
        """Show an entry to all who want it. It is encoded once."""
        row: bytes | None = None
        for viewer in self.viewers:
            watching = viewer.watching
            if watching is None or not watching.is_live or not watching.wants(entry):
                continue
            if row is None:
                row = rows.encoded(entry)
            watching.put(_name(entry), row)
            viewer.filled.set()

    def post(self, kind: str, message: bytes) -> None:
        """Send a message to all."""
        for viewer in self.viewers:
            viewer.post(kind, message)


def _name(entry: Entry) -> EntryName:
    return entry["id"], rows.time_ms(entry)
