"""Totals since the dashboard began, for Prometheus: they only ever grow.

Bounded: once there are `MAX_SERIES`, what is new is counted as "others".
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from pilotfish.dashboard.ends import End, Route

MAX_SERIES = 1_000
_OTHERS = End("external", "", "", "others")
# Bounds of the buckets of durations, in microseconds.
BOUNDS_US = (
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 5_000_000, 10_000_000,
)  # fmt: skip


class Series:
    """Totals of one route.

    Attributes:
        route: which one.
        requests, errors: how many.
        buckets: durations by bound; the last count is of those beyond.
        total_us: sum of the durations.
    """

    __slots__ = ("buckets", "errors", "requests", "route", "total_us")

    def __init__(self, route: Route) -> None:
        self.route = route
        self.requests = 0
        self.errors = 0
        self.buckets = [0] * (len(BOUNDS_US) + 1)
        self.total_us = 0

    def add(self, error: bool, elapsed_us: int | None) -> None:
        """Count a request. elapsed_us: None for one that was not answered."""
        self.requests += 1
        if error:
            self.errors += 1
        if elapsed_us is not None:
            self.buckets[bisect_left(BOUNDS_US, elapsed_us)] += 1
            self.total_us += elapsed_us


class SeriesTable:
    """All series. others: how many routes are counted as "others"."""

    def __init__(self) -> None:
        self._all: dict[Route, Series] = {}
        self.others = 0

    def of(self, route: Route) -> Series:
        """The series in which a route is counted."""
        found = self._all.get(route)
        if found is not None:
            return found
        if len(self._all) >= MAX_SERIES:
            self.others += 1
            route = Route(_OTHERS, _OTHERS, None, None, "")
        return self._all.setdefault(route, Series(route))

    def all(self) -> Iterable[Series]:
        """Every series."""
        return self._all.values()
