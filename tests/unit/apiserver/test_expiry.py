"""Events and their age."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pilotfish.apiserver.expiry import last_seen_s
from pilotfish.objects.times import format_time


def ago(hours: float) -> str:
    return format_time(datetime.now(UTC) - timedelta(hours=hours))


def test_an_event_is_as_old_as_its_last_occurrence() -> None:
    event = {"metadata": {"creationTimestamp": ago(5)}, "lastTimestamp": ago(2), "eventTime": None}
    assert 1.9 < last_seen_s(event) / 3600 < 2.1


def test_an_event_that_tells_no_time_is_as_old_as_its_object() -> None:
    assert 4.9 < last_seen_s({"metadata": {"creationTimestamp": ago(5)}}) / 3600 < 5.1
