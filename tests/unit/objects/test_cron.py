"""Cron schedules: what they match, compared with looking at every minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotfish.objects.cron import ScheduleError, parse_schedule

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 3, 28, 22, 30, 15, tzinfo=UTC)  # the clocks change that night


def field(least: int, most: int) -> st.SearchStrategy[tuple[str, frozenset[int]]]:
    """A field's text, and the numbers it means, found in another way."""
    number = st.integers(least, most)
    every = frozenset(range(least, most + 1))
    stars = st.sampled_from([("*", every), ("?", every)])
    steps = st.integers(2, 20).map(
        lambda step: (f"*/{step}", frozenset(n for n in every if (n - least) % step == 0))
    )
    single = number.map(lambda n: (str(n), frozenset({n})))
    spans = st.tuples(number, number).map(
        lambda two: (
            f"{min(two)}-{max(two)}",
            frozenset(n for n in every if min(two) <= n <= max(two)),
        )
    )
    from_on = st.tuples(number, st.integers(1, 9)).map(
        lambda two: (
            f"{two[0]}/{two[1]}",
            frozenset(n for n in every if n >= two[0] and (n - two[0]) % two[1] == 0),
        )
    )
    part = st.one_of(single, spans, from_on, steps)
    several = st.lists(part, min_size=1, max_size=3).map(
        lambda parts: (
            ",".join(text for text, _ in parts),
            frozenset().union(*(numbers for _, numbers in parts)),
        )
    )
    return st.one_of(stars, several)


@settings(max_examples=150, deadline=None)
@given(
    st.tuples(field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 6)),
    st.sampled_from([UTC, BERLIN]),
)
def test_the_next_time_is_the_first_minute_that_matches(
    fields: tuple[tuple[str, frozenset[int]], ...], zone: ZoneInfo
) -> None:
    minutes, hours, days, months, weekdays = (numbers for _, numbers in fields)
    star_day, star_weekday = (fields[at][0] in ("*", "?") for at in (2, 4))

    def matches(moment: datetime) -> bool:
        local = moment.astimezone(zone)
        by_date, by_weekday = local.day in days, (local.weekday() + 1) % 7 in weekdays
        day = by_date and by_weekday if star_day or star_weekday else by_date or by_weekday
        return local.minute in minutes and local.hour in hours and local.month in months and day

    schedule = parse_schedule(" ".join(text for text, _ in fields))
    first = START.replace(second=0) + timedelta(minutes=1)
    two_days = (first + timedelta(minutes=number) for number in range(2 * 24 * 60))
    expected = next(filter(matches, two_days), None)
    found = schedule.next_after(START, zone)
    if expected is None:
        assert found is None or found - first >= timedelta(days=2)
    else:
        assert found == expected


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(field(0, 59), field(0, 23)),
    st.integers(0, 3 * 24 * 3600),
)
def test_the_last_time_is_the_one_after_which_none_comes_any_more(
    fields: tuple[tuple[str, frozenset[int]], ...], passed_s: int
) -> None:
    schedule = parse_schedule(" ".join(text for text, _ in fields) + " * * *")
    end = START + timedelta(seconds=passed_s)
    found = schedule.last_until(START, end)
    if found is None:
        following = schedule.next_after(START)
        assert following is None or following > end
    else:
        assert START < found <= end
        following = schedule.next_after(found)
        assert following is None or following > end


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@hourly", "2026-03-28T23:00:00"),
        ("@daily", "2026-03-29T00:00:00"),
        ("@weekly", "2026-03-29T00:00:00"),
        ("@monthly", "2026-04-01T00:00:00"),
        ("@yearly", "2027-01-01T00:00:00"),
        ("@every 1h30m", "2026-03-29T00:00:15"),
        ("0 12 * JUN Mon-fri", "2026-06-01T12:00:00"),
        ("0 0 29 2 *", "2028-02-29T00:00:00"),
        ("0 0 13 * 5", "2026-04-03T00:00:00"),
    ],
)
def test_macros_and_names(text: str, expected: str) -> None:
    found = parse_schedule(text).next_after(START)
    assert found is not None
    assert found.strftime("%Y-%m-%dT%H:%M:%S") == expected


def test_a_time_that_the_clocks_skip_does_not_come_that_day() -> None:
    found = parse_schedule("30 2 * * *").next_after(START, BERLIN)
    assert found is not None
    assert found.astimezone(BERLIN).isoformat() == "2026-03-30T02:30:00+02:00"


def test_an_hour_that_the_clocks_repeat_comes_twice() -> None:
    schedule = parse_schedule("30 2 25 10 *")
    first = schedule.next_after(START, BERLIN)
    assert first is not None
    assert schedule.next_after(first, BERLIN) == first + timedelta(hours=1)


def test_a_day_that_never_is_has_no_next_time() -> None:
    assert parse_schedule("0 0 31 2 *").next_after(START) is None


def test_many_missed_times_are_no_trouble() -> None:
    end = START + timedelta(days=3000)
    assert parse_schedule("* * * * *").last_until(START, end) == end.replace(second=0)
    assert parse_schedule("@every 1s").last_until(START, end) == end


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected exactly 5 fields, found 0"),
        ("* * * *", "expected exactly 5 fields, found 4"),
        ("60 * * * *", "above maximum (59)"),
        ("* * 0 * *", "below minimum (1)"),
        ("* * * * 7", "above maximum (6)"),
        ("9-3 * * * *", "beyond end of range"),
        ("*/0 * * * *", "should be a positive number"),
        ("a * * * *", "failed to parse int from a"),
        ("1-2-3 * * * *", "failed to parse int from 2-3"),
        ("@often", "unrecognized descriptor: @often"),
        ("@every day", "failed to parse duration @every day"),
    ],
)
def test_what_is_no_schedule_says_why(text: str, said: str) -> None:
    with pytest.raises(ScheduleError) as refused:
        parse_schedule(text)
    assert said in str(refused.value)
