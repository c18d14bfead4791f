"""What is asked for is understood, or refused in its own words."""

from __future__ import annotations

import pytest

from pilotfish.dashboard import questions
from pilotfish.dashboard.questions import Cursor
from pilotfish.dashboard.refusals import RefusedError
from pilotfish.tap.filter import FilterError
from pilotfish.tap.filter import compile as compile_filter
from support.entries import entry

NOW_US = 1_767_268_800_000_000  # 2026-01-01T12:00:00Z


def test_a_question_without_words_means_the_newest_of_all_but_probes() -> None:
    search = questions.search({}, NOW_US)
    assert (search.since_us, search.until_us, search.limit) == (None, None, questions.DEFAULT_LIMIT)
    assert search.matches(entry())
    assert not search.matches(entry(probe=True))


def test_filter_times_and_limit_are_understood() -> None:
    asked = {"filter": "status_code >= 500", "since": "5m", "until": "2026-01-01T12:00:00Z"}
    search = questions.search(asked | {"limit": "7", "probes": "true"}, NOW_US)
    assert (search.since_us, search.until_us) == (NOW_US - 300_000_000, NOW_US)
    assert search.limit == 7
    assert search.matches(entry(status_code=503, probe=True))
    assert not search.matches(entry())


@pytest.mark.parametrize(
    ("asked", "where"),
    [
        ({"filter": "stattus_code == 1"}, "line 1, column 1 of the filter"),
        ({"since": "yesterday"}, "since"),
        ({"until": "5"}, "until"),
        ({"limit": "0"}, "limit"),
        ({"limit": "-1"}, "limit"),
        ({"limit": "1e3"}, "limit"),
        ({"limit": "٣"}, "limit"),
        ({"limit": "99999999999999999999"}, "limit"),
        ({"probes": "yes"}, "probes"),
    ],
)
def test_what_means_nothing_is_said_where_it_is(asked: dict[str, str], where: str) -> None:
    with pytest.raises(RefusedError) as refused:
        questions.search(asked, NOW_US)
    assert (refused.value.code, refused.value.problem["where"]) == (400, where)


@pytest.mark.parametrize("text", ["", "nan", "inf", "-inf", "x", "1e400"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(RefusedError):
        questions.time_us({"time": text}, "time")


def test_a_time_is_exact_to_the_microsecond() -> None:
    assert questions.time_us({"time": "1795361935868.669"}, "time") == 1795361935868669


def test_a_problem_of_a_filter_says_where_it_begins_and_ends() -> None:
    with pytest.raises(FilterError) as wrong:
        compile_filter("true &&\n stattus == 1")
    problem = questions.filter_problem(wrong.value, 3)
    assert (problem["watch"], problem["line"], problem["column"], problem["end"]) == (3, 2, 2, 9)
    assert problem["message"].endswith("did you mean status?")


def at(*micros: int) -> list[dict[str, object]]:
    return [entry(timestamp=f"2026-01-01T12:00:00.{each:06d}Z") for each in micros]


def test_a_cursor_goes_on_behind_what_was_given() -> None:
    place = Cursor(NOW_US, 0).moved(at(1, 2, 2))
    assert str(place) == f"{NOW_US + 2}-2"
    assert place.behind(at(2, 2, 2, 3)) == at(2, 3)


def test_a_cursor_stays_among_entries_of_the_same_time() -> None:
    place = Cursor(NOW_US + 2, 2).moved(at(2))
    assert place == Cursor(NOW_US + 2, 3)


def test_without_entries_a_cursor_stays_where_it_is() -> None:
    assert Cursor(NOW_US, 1).moved([]) == Cursor(NOW_US, 1)


def test_a_cursor_survives_that_what_it_was_at_is_deleted() -> None:
    assert Cursor(NOW_US, 2).behind(at(5)) == at(5)


def test_a_cursor_is_read_back() -> None:
    assert questions.cursor({"after": str(Cursor(NOW_US, 3))}) == Cursor(NOW_US, 3)
    assert questions.cursor({}) is None
    with pytest.raises(RefusedError):
        questions.cursor({"after": "5"})
