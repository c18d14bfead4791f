"""Statistics of entries per Service: requests, errors, latencies, each endpoint's share.

Bounded: latencies are counted in buckets, connections are forgotten oldest first.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter, OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field

from pilotfish.tap.entry import Entry
from pilotfish.tap.shares import Observed

MAX_SERVICES = 10_000
MAX_CONNECTIONS = 20_000
_HEAVIEST = 20
# Buckets grow by this factor: a percentile is right to within 2 %.
_GROWTH = 1.04
_LOG_GROWTH = math.log(_GROWTH)


class Latencies:
    """Durations in microseconds, counted in buckets that grow geometrically."""

    def __init__(self) -> None:
        self._buckets: Counter[int] = Counter()
        self._count = 0

    def add(self, micros: int) -> None:
        """Count a duration."""
        self._buckets[math.ceil(math.log(max(micros, 1)) / _LOG_GROWTH)] += 1
        self._count += 1

    def percentile(self, share: float) -> int | None:
        """The duration below which that share (0..1) lies; None without any."""
        left = share * self._count
        for bucket in sorted(self._buckets):
            left -= self._buckets[bucket]
            if left <= 0:
                return int(math.exp((bucket - 0.5) * _LOG_GROWTH))
        return None


@dataclass
class EndpointStats:
    """What one endpoint got. expected: connections, had all ready ones had equal chances."""

    name: str
    requests: int = 0
    errors: int = 0
    connections: int = 0
    expected: float = 0.0


@dataclass
class ServiceStats:
    """What one Service (or Pod, or outside address) was asked."""

    name: str
    namespace: str
    requests: int = 0
    errors: int = 0
    latencies: Latencies = field(default_factory=Latencies)
    endpoints: dict[str, EndpointStats] = field(default_factory=dict)
    # Requests of each connection, those seen longest ago first.
    connections: OrderedDict[str, int] = field(default_factory=OrderedDict)

    def observed(self, affinity: bool = False, round_robin: bool = False) -> Observed:
        """What `shares.verdict` judges, by the endpoints' names."""
        parts = self.endpoints.values()
        return Observed(
            requests={part.name: part.requests for part in parts},
            connections={part.name: part.connections for part in parts},
            expected={part.name: part.expected for part in parts},
            heaviest=tuple(heapq.nlargest(_HEAVIEST, self.connections.values())),
            affinity=affinity,
            round_robin=round_robin,
        )


class Stats:
    """Collects entries."""

    def __init__(self) -> None:
        self.services: dict[tuple[str, str], ServiceStats] = {}

    def add(self, entry: Entry, ready: Collection[tuple[str, str]] | None = None) -> None:
        """Count an entry.

        Args:
            entry: what was seen; a lazy one works out no more than is counted.
            ready: the (address, name) of every endpoint that was ready then; None where nobody
                knows: then every endpoint that was ever chosen counts as ready.
        """
        service = self._service(entry)
        if service is None:
            return
        service.requests += 1
        service.errors += bool(entry["error"])
        if entry["elapsed_time"] is not None:
            service.latencies.add(entry["elapsed_time"])
        try:
            chosen = entry["endpoint"]
        except KeyError:
            return  # nothing was chosen
        key = chosen["ip"]
        endpoint = service.endpoints.setdefault(key, EndpointStats(_name(chosen)))
        endpoint.requests += 1
        endpoint.errors += bool(entry["error"])
        connection = entry["conn"]["id"]
        if connection not in service.connections:
            self._connected(service, key, ready)
        service.connections[connection] = service.connections.get(connection, 0) + 1
        service.connections.move_to_end(connection)
        if len(service.connections) > MAX_CONNECTIONS:
            service.connections.popitem(last=False)

    def _service(self, entry: Entry) -> ServiceStats | None:
        target = entry["dst"]
        thing = target.get("service") or target.get("pod")
        key = (
            (thing["namespace"], thing["name"])
            if thing
            else ("", str(target.get("name") or target["ip"]))
        )
        if key not in self.services:
            if len(self.services) >= MAX_SERVICES:
                return None
            self.services[key] = ServiceStats(key[1], key[0])
        return self.services[key]

    def _connected(
        self, service: ServiceStats, key: str, ready: Collection[tuple[str, str]] | None
    ) -> None:
        """A new connection: who was chosen, and who could have been."""
        for address, name in ready or ():
            service.endpoints.setdefault(address, EndpointStats(name))
        service.endpoints[key].connections += 1
        if ready is None:
            total = sum(part.connections for part in service.endpoints.values())
            for part in service.endpoints.values():
                part.expected = total / len(service.endpoints)
            return
        could = {address for address, _ in ready} | {key}
        for address in could:
            service.endpoints[address].expected += 1 / len(could)


def _name(party: dict[str, object]) -> str:
    pod = party.get("pod")
    return str(pod["name"]) if isinstance(pod, dict) else str(party.get("name") or party["ip"])
