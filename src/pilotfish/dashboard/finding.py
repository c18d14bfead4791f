"""What findings are written with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pilotfish.dashboard.messages import Finding

# So many things are named, then only counted.
MOST_NAMED = 3


def finding(
    severity: Literal["good", "note", "warning", "error"], what: str, mend: str = ""
) -> Finding:
    """A finding; mend: what to do."""
    return {"severity": severity, "what": what, "mend": mend}


def some(names: Sequence[str]) -> str:
    """The first of some names: "a, b, c and 4 more"."""
    shown = ", ".join(names[:MOST_NAMED])
    more = len(names) - MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown


def count_of(items: Mapping[str, int]) -> str:
    """The most common of some things: "503 (12×), refused (3×)"."""
    most = Counter(items).most_common(MOST_NAMED)
    return ", ".join(f"{name} ({count}×)" for name, count in most)
