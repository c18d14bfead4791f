"""Points in time as people give them."""

from __future__ import annotations

import pytest

from pilotfish.tap.history.since import SinceError, parse_since

NOON_US = 1_767_268_800_000_000  # 2026-01-01T12:00:00Z


@pytest.mark.parametrize(
    ("text", "ago_s"),
    [
        ("30s", 30),
        ("5m", 300),
        ("2h", 7200),
        ("1d", 86400),
        ("1h30m", 5400),
        ("1.5s", 1.5),
        ("250ms", 0.25),
        (" 5m ", 300),
        ("0s", 0),
    ],
)
def test_a_duration_is_counted_back_from_now(text: str, ago_s: float) -> None:
    assert parse_since(text, NOON_US) == NOON_US - ago_s * 1e6


@pytest.mark.parametrize(
    "text",
    ["2026-01-01T11:59:59.5Z", "2026-01-01T12:59:59.5+01:00", "2026-01-01 11:59:59.500000Z"],
)
def test_a_time_is_that_time(text: str) -> None:
    assert parse_since(text, NOON_US) == NOON_US - 500_000


@pytest.mark.parametrize(
    "text",
    [
        *("", "5", "m", "5 m", "5min", "-5m", "5m!", "1e3s", "٥m", "9" * 400 + "d"),
        *("yesterday", "12:00", "2026-01-01T12:00:00", "2026-13-01T00:00:00Z"),
    ],
)
def test_everything_else_is_refused_with_what_a_time_looks_like(text: str) -> None:
    with pytest.raises(SinceError, match="give a duration, such as 30s"):
        parse_since(text, NOON_US)
