"""Percentiles of counted durations are nearly those of the durations themselves."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from pilotfish.dashboard.histogram import Histogram

DURATIONS = st.lists(st.integers(0, 10**9), min_size=1, max_size=200)


def of(durations: list[int]) -> Histogram:
    made = Histogram()
    for duration in durations:
        made.add(duration)
    return made


@given(DURATIONS, st.floats(0.01, 1.0))
def test_a_percentile_is_right_to_within_a_bucket(durations: list[int], share: float) -> None:
    rank = max(math.ceil(share * len(durations) - 1e-9), 1)
    exact = sorted(durations)[rank - 1]
    (found,) = of(durations).percentiles(share)
    assert found is not None
    assert abs(found - exact) <= exact * 0.032 + 1


@given(DURATIONS, DURATIONS)
def test_merged_histograms_are_as_if_all_had_been_counted_in_one(
    one: list[int], other: list[int]
) -> None:
    merged = of(one)
    merged.merge(of(other))
    assert merged.buckets == of(one + other).buckets


def test_several_percentiles_may_be_the_same() -> None:
    assert of([7]).percentiles(0.5, 0.9, 0.99) == [7, 7, 7]


def test_without_durations_there_are_no_percentiles() -> None:
    assert Histogram().percentiles(0.5, 0.99) == [None, None]
