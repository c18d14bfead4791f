"""Times as the Kubernetes API writes them: RFC 3339 in UTC."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> str:
    """The present as metav1.Time, in whole seconds: `2026-01-01T00:00:00Z`."""
    return format_time(datetime.now(UTC))


def now_micro() -> str:
    """The present as metav1.MicroTime: `2026-01-01T00:00:00.000000Z`."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def format_time(moment: datetime) -> str:
    """An aware datetime as metav1.Time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


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
