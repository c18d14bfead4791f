"""Reading container logs the way `kubectl logs` asks for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class LogOptions:
    """The query of /containerLogs. `since` is sinceTime, or now minus sinceSeconds."""

    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    since: datetime | None = None
    tail_lines: int | None = None
    limit_bytes: int | None = None
    stream: str = ""  # "", "Stdout" or "Stderr"
