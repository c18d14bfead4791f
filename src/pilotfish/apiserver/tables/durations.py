"""Ages as kubectl prints them: `5s`, `2m30s`, `3h`, `12d`.

The steps are those of apimachinery's duration.HumanDuration: the older, the coarser.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pilotfish.apiserver.tables.printer import UNKNOWN
from pilotfish.objects.times import age_s

_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86400, 365 * 86400


def human_duration(duration_s: float) -> str:
    """At most two units. A clock that is up to two seconds behind still gives `0s`."""
    seconds = int(duration_s)
    if seconds < -1:
        return "<invalid>"
    if seconds < 2 * _MINUTE:
        return f"{max(seconds, 0)}s"
    if seconds < 10 * _MINUTE:
        return _two(seconds, _MINUTE, "m", 1, "s")
    if seconds < 3 * _HOUR:
        return f"{seconds // _MINUTE}m"
    if seconds < 8 * _HOUR:
        return _two(seconds, _HOUR, "h", _MINUTE, "m")
    if seconds < 2 * _DAY:
        return f"{seconds // _HOUR}h"
    if seconds < 8 * _DAY:
        return _two(seconds, _DAY, "d", _HOUR, "h")
    if seconds < 2 * _YEAR:
        return f"{seconds // _DAY}d"
    if seconds < 8 * _YEAR:
        return _two(seconds, _YEAR, "y", _DAY, "d")
    return f"{seconds // _YEAR}y"


def since(timestamp: str | None) -> str:
    """The time since a timestamp; `<unknown>` without one."""
    return human_duration(age_s(timestamp)) if timestamp else UNKNOWN


def age(obj: Mapping[str, Any]) -> str:
    """The time since an object was created."""
    return since(obj["metadata"].get("creationTimestamp"))


def _two(seconds: int, large: int, large_name: str, small: int, small_name: str) -> str:
    rest = seconds % large // small
    text = f"{seconds // large}{large_name}"
    return f"{text}{rest}{small_name}" if rest else text
