"""What the dashboard counts, for Prometheus.

The number of series is bounded (see `series`); names of Pods come and go with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilotfish.client.exposition import Labels, head, histogram, sample
from pilotfish.dashboard.series import BOUNDS_US

if TYPE_CHECKING:
    from pilotfish.dashboard.ends import End
    from pilotfish.dashboard.messages import NodeView, Status
    from pilotfish.dashboard.series import Series
    from pilotfish.dashboard.statistics import Statistics

_BOUNDS_S = tuple(bound / 1e6 for bound in BOUNDS_US)


def text(statistics: Statistics, status: Status | None = None) -> str:
    """All metrics, as Prometheus reads them. status: how the taps and the history stand."""
    lines = [*_services(statistics.series.all()), *_edges(statistics.series.all())]
    lines += _own(statistics)
    if status is not None:
        lines += _taps(status["nodes"])
        lines += head("pilotfish_history_bytes", "gauge", "Size of the history on disk.")
        lines.append(sample("pilotfish_history_bytes", (), status["history_bytes"]))
    return "\n".join([*lines, ""])


@dataclass
class _Sum:
    requests: int
    errors: int
    buckets: list[int]
    total_us: int


def _services(all_series: Iterable[Series]) -> Iterator[str]:
    """By Service and endpoint; durations by Service only."""
    by_endpoint: dict[Labels, _Sum] = {}
    by_service: dict[Labels, _Sum] = {}
    for series in all_series:
        target, endpoint = series.route.target, series.route.endpoint
        if target.kind != "service":
            continue
        labels: Labels = (
            ("namespace", target.namespace),
            ("service", target.name),
            ("protocol", series.route.protocol),
        )
        _add(by_service, labels, series)
        _add(by_endpoint, (*labels, ("endpoint", endpoint.name if endpoint else "")), series)
    yield from _counters(
        "pilotfish_requests_total", "Requests to Services, by chosen endpoint.", by_endpoint
    )
    yield from _counters(
        "pilotfish_errors_total", "Those of them that failed.", by_endpoint, errors=True
    )
    yield from _durations(
        "pilotfish_request_duration_seconds", "Time from request to whole answer.", by_service
    )


def _edges(all_series: Iterable[Series]) -> Iterator[str]:
    """By who asked whom."""
    edges: dict[Labels, _Sum] = {}
    for series in all_series:
        route = series.route
        labels = (*_end("source", route.client), *_end("target", route.target))
        _add(edges, (*labels, ("protocol", route.protocol)), series)
    yield from _counters("pilotfish_edge_requests_total", "Requests, by who asked whom.", edges)
    yield from _counters(
        "pilotfish_edge_errors_total", "Those of them that failed.", edges, errors=True
    )
    yield from _durations(
        "pilotfish_edge_duration_seconds", "Time from request to whole answer.", edges
    )


def _end(side: str, end: End) -> Labels:
    kind = end.owner_kind if end.kind == "workload" else end.kind
    return (
        (f"{side}_kind", kind.lower()),
        (f"{side}_namespace", end.namespace),
        (side, end.name),
    )


def _add(sums: dict[Labels, _Sum], labels: Labels, series: Series) -> None:
    found = sums.get(labels)
    if found is None:
        sums[labels] = _Sum(series.requests, series.errors, list(series.buckets), series.total_us)
        return
    found.requests += series.requests
    found.errors += series.errors
    found.buckets = [a + b for a, b in zip(found.buckets, series.buckets, strict=True)]
    found.total_us += series.total_us


def _counters(
    name: str, about: str, sums: dict[Labels, _Sum], errors: bool = False
) -> Iterator[str]:
    yield from head(name, "counter", about)
    for labels, found in sums.items():
        yield sample(name, labels, found.errors if errors else found.requests)


def _durations(name: str, about: str, sums: dict[Labels, _Sum]) -> Iterator[str]:
    yield from head(name, "histogram", about)
    for labels, found in sums.items():
        yield from histogram(name, labels, _BOUNDS_S, found.buckets, found.total_us / 1e6)


def _own(statistics: Statistics) -> Iterator[str]:
    values = (
        ("entries", statistics.entries, "Entries that were counted."),
        ("forgotten_routes", statistics.forgotten_cells, "Routes that made place for others."),
        ("forgotten_buckets", statistics.forgotten_buckets, "Times that did before an hour."),
        ("unnamed_series", statistics.series.others, "Routes that metrics count as others."),
    )
    for name, value, about in values:
        full = f"pilotfish_statistics_{name}_total"
        yield from head(full, "counter", about)
        yield sample(full, (), value)


def _taps(nodes: list[NodeView]) -> Iterator[str]:
    yield from head("pilotfish_tap_connected", "gauge", "Whether a node's entries come.")
    for node in nodes:
        yield sample("pilotfish_tap_connected", (("node", node["name"]),), int(node["connected"]))
    counters = (
        ("packets", [node["packets"] for node in nodes], "Packets that were captured."),
        ("dropped", [node["dropped"] for node in nodes], "Packets that the kernel dropped."),
        ("entries", [node["entries"] for node in nodes], "Entries that were made of them."),
        ("lost", [node["lost"] for node in nodes], "Entries that we were too slow for."),
        ("skipped", [node["skipped"] for node in nodes], "Exchanges that were not told."),
    )
    for counter, values, about in counters:
        name = f"pilotfish_tap_{counter}_total"
        yield from head(name, "counter", about)
        for node, value in zip(nodes, values, strict=True):
            yield sample(name, (("node", node["name"]),), value)
