"""What is counted of requests: how many, how they ended, how long they took."""

from __future__ import annotations

from pilotfish.dashboard.histogram import Histogram

# Who was ready when a connection was made: (address, name) of each endpoint.
Ready = frozenset[tuple[str, str]]

_MAX_STATUSES = 16


class Tally:
    """Counts of some requests.

    Attributes:
        requests, errors, connections: how many.
        latencies: of those that were answered.
        statuses: errors by what they were: "refused", "503", ….
        ready: how many connections were made while exactly these endpoints were ready.
    """

    __slots__ = ("connections", "errors", "latencies", "ready", "requests", "statuses")

    def __init__(self) -> None:
        self.requests = 0
        self.errors = 0
        self.connections = 0
        self.latencies = Histogram()
        self.statuses: dict[str, int] = {}
        self.ready: dict[Ready, int] = {}

    def failed(self, status: str) -> None:
        """Count an error; its request is counted apart."""
        self.errors += 1
        if status not in self.statuses and len(self.statuses) >= _MAX_STATUSES:
            status = "others"
        self.statuses[status] = self.statuses.get(status, 0) + 1

    def merge(self, other: Tally) -> None:
        """Count what another one has counted."""
        self.requests += other.requests
        self.connections += other.connections
        self.latencies.merge(other.latencies)
        if other.errors:
            self.errors += other.errors
            for status, count in other.statuses.items():
                self.statuses[status] = self.statuses.get(status, 0) + count
        for ready, count in other.ready.items():
            self.ready[ready] = self.ready.get(ready, 0) + count

    def expected(self) -> dict[str, float]:
        """Connections by address, had all that were ready had equal chances each time."""
        found: dict[str, float] = {}
        for ready, count in self.ready.items():
            for address, _ in ready:
                found[address] = found.get(address, 0.0) + count / len(ready)
        return found
