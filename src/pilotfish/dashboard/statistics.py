"""Counts entries: by client, Service, chosen endpoint and protocol, in buckets of ten seconds.

Every entry is counted once, in the *cell* of what it has in common with others; Services, the map
and metrics add cells up when somebody looks. So what it costs to look does not slow the entries.

Pure, and bounded: of too many cells those used longest ago are forgotten, of too many buckets the
oldest. What is forgotten is counted.
"""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilotfish.dashboard import ends
from pilotfish.dashboard.ends import End, Endpoint, Route
from pilotfish.dashboard.misses import Miss, Misses, WrongPort
from pilotfish.dashboard.series import Series, SeriesTable
from pilotfish.dashboard.tally import Ready, Tally
from pilotfish.dashboard.windows import BUCKET_S, KEPT_S, Clock, Span, span
from pilotfish.tap.history.history import micros

if TYPE_CHECKING:
    from pilotfish.tap.entry import Entry

MAX_CELLS = 5_000
MAX_BUCKETS = 100_000
MAX_CONNECTIONS = 30_000
_KEPT = KEPT_S // BUCKET_S
NO_SUCH_PORT = "no such port"


class Cell:
    """Entries of one route.

    Attributes:
        route: what they have in common.
        buckets: counts by number of the bucket.
        series: what metrics count them as.
        host_name: the name by which the target was last looked up; "" for none.
    """

    __slots__ = ("_past", "buckets", "host_name", "route", "series")

    def __init__(self, route: Route, series: Series) -> None:
        self.route = route
        self.series = series
        self.buckets: dict[int, Tally] = {}
        self.host_name = ""
        # By window: (present bucket, sum of the buckets before, their requests by step).
        self._past: dict[int, tuple[int, Tally, list[int]]] = {}

    def changed(self, bucket: int) -> None:
        """A bucket that may be in a sum was changed."""
        for present, _, _ in self._past.values():
            if bucket < present:
                self._past.clear()
                return

    def drop(self, bucket: int) -> None:
        """Forget a bucket."""
        self.buckets.pop(bucket, None)
        self._past.clear()

    def total(self, of: Span) -> tuple[Tally, list[int]]:
        """The sum of a span, and its requests by step. Not to be changed."""
        past = self._past.get(of.window_s)
        if past is None or past[0] != of.last:
            past = self._sum(of)
            self._past[of.window_s] = past
        _, before, steps = past
        now = self.buckets.get(of.last)
        if now is None:
            return before, steps
        total = Tally()
        total.merge(before)
        total.merge(now)
        steps = [*steps[:-1], steps[-1] + now.requests]
        return total, steps

    def _sum(self, of: Span) -> tuple[int, Tally, list[int]]:
        total = Tally()
        steps = [0] * of.steps
        for number, tally in self.buckets.items():
            if of.first <= number < of.last:
                total.merge(tally)
                steps[(number - of.first) // of.step] += tally.requests
        return of.last, total, steps


class _Connection:
    """One connection: its cell, and requests by number of the bucket."""

    __slots__ = ("cell", "requests")

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self.requests: dict[int, int] = {}


@dataclass(frozen=True)
class Part:
    """A cell in a window. Requests by step are in `steps`."""

    route: Route
    tally: Tally
    steps: list[int]
    host_name: str


@dataclass(frozen=True)
class Window:
    """What was counted in a span of time.

    Attributes:
        span: which one.
        parts: the cells that had any requests.
        connections: by target, how many requests each of its connections had.
        names, ports: what clients asked for and that is nowhere.
    """

    span: Span
    parts: list[Part]
    connections: dict[End, list[int]]
    names: list[Miss]
    ports: list[WrongPort]


class Statistics:
    """Counts entries as they come, in any order of time.

    Attributes:
        entries: how many were counted; probes are not.
        forgotten_cells: routes that made place for others.
        forgotten_buckets: buckets that did before their hour was over.
        misses: names and ports that clients asked for and that are nowhere.
        series: totals since the beginning, for metrics.
    """

    def __init__(self) -> None:
        self.entries = 0
        self.forgotten_cells = 0
        self.forgotten_buckets = 0
        self.misses = Misses()
        self.series = SeriesTable()
        self._clock = Clock()
        self._begun_s = math.inf
        self._cells: OrderedDict[Route, Cell] = OrderedDict()
        self._connections: OrderedDict[str, _Connection] = OrderedDict()
        self._buckets: deque[tuple[int, Cell]] = deque()

    def add(self, entry: Entry, ready: Ready | None = None) -> None:
        """Count an entry.

        Args:
            entry: what was seen, whole.
            ready: the endpoints that were ready then; None where nobody knows.
        """
        if entry["probe"]:
            return
        if not self.entries:
            self._begun_s = micros(entry["timestamp"]) / 1e6
        self.entries += 1
        number = self._clock.bucket(entry["timestamp"])
        protocol = entry["protocol"]
        name = entry["conn"]["id"]
        connection = self._connections.get(name)
        is_new = connection is None
        if connection is None:
            connection = self._connect(name, self._cell(entry))
        elif connection.cell.route.protocol != protocol:
            # What began as TLS or HTTP goes on as something else.
            connection.cell = self._cell(entry)
        cell = connection.cell
        tally = cell.buckets.get(number)
        if tally is None:
            tally = self._bucket(cell, number)
        cell.changed(number)
        requests = connection.requests
        requests[number] = requests.get(number, 0) + 1
        tally.requests += 1
        elapsed = entry["elapsed_time"]
        if elapsed is not None:
            tally.latencies.add(elapsed)
        error = entry["error"]
        if error:
            tally.failed(_status(entry))
        cell.series.add(error, elapsed)
        if is_new:
            tally.connections += 1
            if cell.route.target.kind == "service":
                self.misses.add_port(entry, number)
            if ready is not None:
                _note_ready(tally, ready, cell.route.endpoint)
        if protocol == "dns":
            self.misses.add_name(entry, number)

    def window(self, window_s: int, now_s: float) -> Window:
        """What was counted in the last so many seconds; see `windows.span`."""
        of = span(window_s, now_s, min(self._begun_s, now_s))
        self._expire(of.last)
        parts = []
        for cell in self._cells.values():
            tally, steps = cell.total(of)
            if tally.requests:
                parts.append(Part(cell.route, tally, steps, cell.host_name))
        return Window(
            of,
            parts,
            self._requests_of_connections(of),
            self.misses.names(of.first),
            self.misses.ports(of.first),
        )

    # --- keeping ---------------------------------------------------------------------------

    def _connect(self, name: str, cell: Cell) -> _Connection:
        connection = self._connections[name] = _Connection(cell)
        if len(self._connections) > MAX_CONNECTIONS:
            self._connections.popitem(last=False)
        return connection

    def _cell(self, entry: Entry) -> Cell:
        route = ends.route(entry)
        cell = self._cells.get(route)
        if cell is None:
            cell = self._cells[route] = Cell(route, self.series.of(route))
            if len(self._cells) > MAX_CELLS:
                self._cells.popitem(last=False)
                self.forgotten_cells += 1
        else:
            self._cells.move_to_end(route)
        look_up = entry.get("dns")
        if look_up is not None:
            cell.host_name = look_up["name"].removesuffix(".")
        return cell

    def _bucket(self, cell: Cell, number: int) -> Tally:
        """A new bucket of a cell, in place of the oldest where there are too many."""
        tally = cell.buckets[number] = Tally()
        self._buckets.append((number, cell))
        if len(self._buckets) > MAX_BUCKETS:
            old, its = self._buckets.popleft()
            its.drop(old)
            self.forgotten_buckets += 1
        return tally

    def _expire(self, last: int) -> None:
        """Forget what is older than an hour."""
        while self._buckets and self._buckets[0][0] <= last - _KEPT:
            number, cell = self._buckets.popleft()
            cell.drop(number)

    def _requests_of_connections(self, of: Span) -> dict[End, list[int]]:
        found: dict[End, list[int]] = {}
        for connection in self._connections.values():
            count = sum(n for number, n in connection.requests.items() if number >= of.first)
            if count:
                found.setdefault(connection.cell.route.target, []).append(count)
        return found


def _status(entry: Entry) -> str:
    """What an error was. At a port that the Service does not have, its endpoints do not matter."""
    service = entry["dst"].get("service")
    if service is not None and service["port"] == "" and entry["failure"] == "no endpoints":
        return NO_SUCH_PORT
    status: str = entry["status"]
    return status


def _note_ready(tally: Tally, ready: Ready, chosen: Endpoint | None) -> None:
    if chosen is None:
        return
    if not any(address == chosen.ip for address, _ in ready):
        # It was when it was chosen, and is not any more, or we hear of it late.
        ready |= {(chosen.ip, chosen.name)}
    tally.ready[ready] = tally.ready.get(ready, 0) + 1
