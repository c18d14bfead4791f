"""Statistics as a table for people: a line a Service, a line each of its endpoints."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from pilotfish.client.visible import escape
from pilotfish.tap.formats.fitting import cells, cut
from pilotfish.tap.formats.text import duration
from pilotfish.tap.shares import verdict
from pilotfish.tap.stats import EndpointStats, ServiceStats

HEADER = ("SERVICE", "REQUESTS", "ERRORS", "P50", "P95", "P99", "SHARE", "EQUAL")
NARROW_HEADER = HEADER[:6]
_BAR_CELLS = 20
_GAP = "  "
_LEAST_NAME = 12


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


def text(services: Iterable[ServiceStats], width: int = 0) -> str:
    """The table as aligned text; a judgement has a line of its own.

    width: cells of the terminal, 0 where nobody knows. Where the table is wider, shares stand
    below the times; then names are cut.
    """
    lines = [HEADER, *rows(services)]
    shown = _aligned(lines, 0)
    if not width or max(map(cells, shown)) <= width:
        return "\n".join(shown)
    return "\n".join(_aligned([NARROW_HEADER, *map(_narrow, lines[1:])], width))


def _aligned(lines: list[tuple[str, ...]], width: int) -> list[str]:
    """Lines of cells, each column as wide as it must be, and the first not wider than it may."""
    # A judgement fills no columns, so it does not widen the first; what has no columns behind it
    # widens none.
    columns = [line for line in lines if any(line[1:])]
    full = len(lines[0])
    widths = [max(cells(line[at]) for line in columns if len(line) == full) for at in range(full)]
    widths[0] = max(cells(line[0]) for line in columns)
    if width:
        most = max(width - sum(widths[1:]) - len(_GAP) * (full - 1), _LEAST_NAME)
        widths[0] = min(widths[0], most)
    shown = []
    for line in lines:
        if not any(line[1:]):
            judgement = line[0].strip()
            wrapped = textwrap.wrap(judgement, max(width - 2, 1)) if width else [judgement]
            shown += [f"  {part}" for part in wrapped]
            continue
        parts = [cut(line[0], widths[0]), *line[1:]]
        padded = [
            part + " " * (column - cells(part)) for part, column in zip(parts, widths, strict=False)
        ]
        row = _GAP.join(padded).rstrip()
        shown.append(row[:width] if width else row)
    return shown


def _narrow(row: tuple[str, ...]) -> tuple[str, ...]:
    """A row in which share and equal share stand below the times."""
    *first, share, equal = row
    if not share:
        return tuple(first)
    percent, _, bar = share.strip().partition(" ")
    return (*first[:3], f"{percent:>6} of {equal} {bar[: len(bar) // 2]}".rstrip())


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
