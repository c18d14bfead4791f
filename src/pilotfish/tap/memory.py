"""How much the tap remembers of all connections and flows together: one budget of bytes.

Each dissector keeps little of its connection, but fifty thousand connections times a little are
gigabytes. So what all of them keep is added up, and when it is too much, those that are over go
first, and then those that were silent longest; of a request that waited there it is told that it
was lost.

Nothing is counted for each segment, since that is the hot path: no more can be kept than was fed,
so after so many bytes of frames those who spoke since are asked what they keep.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pilotfish.tap.connection import Connection

MAX_BYTES = 128 * 1024 * 1024
# What a connection costs before anything is kept of what it said: with its streams, its dissector
# and its places in the tables. Measured: plain TCP 1.8 KB, HTTP/1 2.5, PostgreSQL 3.3, HTTP/2 3.7.
CONNECTION_BYTES = 3 * 1024
# What Python takes for each piece that is kept, beside its bytes.
PIECE_BYTES = 160


class Tracker(Protocol):
    """Who knows connections or flows."""

    def everyone(self) -> Iterable[Connection]:
        """All of them."""

    def lose(self, connection: Connection, time_s: float) -> None:
        """Forget one of them, and tell so."""


class Memory:
    """Adds up what is kept, and lets go where it is too much.

    Attributes:
        used: bytes, as last measured; new and forgotten connections are counted at once.
        allowance: how many bytes may be fed until the next measurement; whoever feeds them
            takes them off, and has it measured once it is negative.
        trackers: who keeps.
        max_bytes: what all of them may keep together.
    """

    max_bytes = MAX_BYTES

    def __init__(self) -> None:
        self.used = 0
        self.trackers: list[Tracker] = []
        self.allowance = self._granted = self.max_bytes // 512
        self._used_before = 0
        self._measured_s = 0.0

    def begun(self, connection: Connection) -> None:
        """A connection is remembered from now on."""
        connection.kept = CONNECTION_BYTES
        self.used += CONNECTION_BYTES
        self.allowance -= CONNECTION_BYTES

    def forgotten(self, connection: Connection) -> None:
        """It is not remembered any more."""
        self.used -= connection.kept

    def measure(self, time_s: float) -> None:
        """Ask those who spoke since the last time what they keep, and let go of who must go."""
        # A capture file may go back in time: then nobody knows who spoke since.
        since_s = self._measured_s if time_s >= self._measured_s else 0.0
        for tracker in self.trackers:
            for connection in [each for each in tracker.everyone() if each.last_s >= since_s]:
                kept = CONNECTION_BYTES + connection.measure()
                self.used += kept - connection.kept
                connection.kept = kept
        self._measured_s = time_s
        grown = self.used - self._used_before
        if self.used > self.max_bytes * 7 // 8:
            self._let_go(time_s)
        self._grant(grown)
        self._used_before = self.used

    def _grant(self, grown: int) -> None:
        """Say when to measure next: before what is left can be used up.

        A small command may become many objects, so what was fed tells little of what is kept:
        what it became the last time does, and it is asked more often where that was much.
        """
        fed = self._granted - self.allowance
        left = self.max_bytes - self.used
        enough = left * fed // (2 * max(grown, fed))
        most = min(2 * self._granted, self.max_bytes // 32)
        self.allowance = self._granted = max(min(enough, most), self.max_bytes // 512)

    def _let_go(self, time_s: float) -> None:
        known = [(each, tracker) for tracker in self.trackers for each in tracker.everyone()]
        known.sort(key=lambda one: (not one[0].end, one[0].last_s))
        for connection, tracker in known:
            if self.used <= self.max_bytes * 3 // 4:
                return
            tracker.lose(connection, time_s)
