"""Points in time as people give them: a while ago (`5m`), or RFC 3339."""

from __future__ import annotations

import re

from pilotfish.objects.times import parse_time

_UNITS_US = {"ms": 1e3, "s": 1e6, "m": 60e6, "h": 3600e6, "d": 86400e6}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", re.ASCII)
_DURATION = re.compile(rf"(?:{_PART.pattern})+", re.ASCII)


class SinceError(ValueError):
    """The text is no point in time; says what one looks like."""


def parse_since(text: str, now_us: int) -> int:
    """The moment that is meant, in microseconds since 1970.

    Args:
        text: a duration back from now (`30s`, `5m`, `1h30m`, `1d`), or an RFC 3339 time.
        now_us: now.

    Raises:
        SinceError: it is neither.
    """
    text = text.strip()
    try:
        if _DURATION.fullmatch(text):
            parts = _PART.findall(text)
            return now_us - round(sum(float(number) * _UNITS_US[unit] for number, unit in parts))
        return round(parse_time(text).timestamp() * 1e6)
    except (ValueError, OverflowError):
        raise SinceError(
            f"{text!r} is no time: give a duration, such as 30s, 5m, 1h30m or 1d, "
            "or a time, such as 2026-03-14T22:00:00Z"
        ) from None
