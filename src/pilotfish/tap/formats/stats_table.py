"""Statistics as a table for people: a line a Service, a line each of its endpoints."""

from __future__ import annotations

from collections.abc import Iterable

from pilotfish.tap.formats.terminal import escape
from pilotfish.tap.formats.text import duration
from pilotfish.tap.shares import verdict
from pilotfish.tap.stats import EndpointStats, ServiceStats

HEADER = ("SERVICE", "REQUESTS", "ERRORS", "P50", "P95", "P99", "SHARE", "EQUAL")
_BAR_CELLS = 20


def rows(services: Iterable[ServiceStats]) -> list[tuple[str, ...]]:
    """The table's rows, the busiest Service first; escaped."""
    found: list[tuple[str, ...]] = []
    for service in sorted(services, key=lambda each: -each.requests):
        name = f"{service.namespace}/{service.name}" if service.namespace else service.name
        times = [duration(service.latencies.percentile(share)) for share in (0.5, 0.95, 0.99)]
        found.append((escape(name), str(service.requests), str(service.errors), *times, "", ""))
        chosen = sum(part.requests for part in service.endpoints.values())
        equal = 1 / len(service.endpoints) if service.endpoints else 0.0
        parts = sorted(service.endpoints.values(), key=lambda part: part.name)
        found += [_endpoint(part, chosen, equal) for part in parts]
        if len(parts) > 1:
            found.append((f"  {escape(verdict(service.observed()))}", *[""] * (len(HEADER) - 1)))
    return found


def text(services: Iterable[ServiceStats]) -> str:
    """The table as aligned text; a judgement has a line of its own."""
    lines = [HEADER, *rows(services)]
    # A judgement fills no columns, so it does not widen the first.
    columns = [line for line in lines if any(line[1:])]
    widths = [max(len(line[at]) for line in columns) for at in range(len(HEADER))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _endpoint(part: EndpointStats, chosen: int, equal: float) -> tuple[str, ...]:
    share = part.requests / chosen if chosen else 0.0
    bar = "█" * round(share * _BAR_CELLS)
    return (
        f"  {escape(part.name)}",
        str(part.requests),
        str(part.errors),
        "",
        "",
        "",
        f"{share:6.1%} {bar}".rstrip(),
        f"{equal:.1%}",
    )
