"""Times as the Kubernetes API writes them: RFC 3339 in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

_RFC3339: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})"
)


def now() -> str:
    """The present as metav1.Time, in whole seconds: `2026-01-01T00:00:00Z`."""
    return format_time(datetime.now(UTC))


def now_micro() -> str:
    """The present as metav1.MicroTime: `2026-01-01T00:00:00.000000Z`."""
    return format_micro(datetime.now(UTC))


def format_time(moment: datetime) -> str:
    """An aware datetime as metav1.Time."""
    # Not strftime: its %Y writes the year 1 as one digit.
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def format_micro(moment: datetime) -> str:
    """An aware datetime as metav1.MicroTime."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def normal_time(text: str, is_micro: bool) -> str:
    """A client's RFC 3339 date-time as the API keeps it: metav1.Time, or MicroTime.

    Raises:
        ValueError: for another text, and a moment before the year 1 or after 9999.
    """
    if not _RFC3339.fullmatch(text):
        raise ValueError(f"{text!r} is no RFC 3339 date-time")
    try:
        moment = parse_time(text)
    except OverflowError as error:
        raise ValueError(f"{text!r} is outside the years 1 to 9999") from error
    return format_micro(moment) if is_micro else format_time(moment)


def parse_time(text: str) -> datetime:
    """An aware datetime in UTC from metav1.Time or MicroTime.

    Raises:
        ValueError: when the text is no RFC 3339 date-time with a zone.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone; RFC 3339 wants one, such as Z")
    return moment.astimezone(UTC)


def age_s(text: str) -> float:
    """Seconds since the given time; negative for one that is still to come."""
    return (datetime.now(UTC) - parse_time(text)).total_seconds()
