"""Windows of time in buckets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.dashboard.windows import BUCKET_S, STEPS_S, Clock, span
from pilotfish.tap.entry import timestamp


@given(st.sampled_from(sorted(STEPS_S)), st.floats(1.5e9, 2e9))
def test_a_window_ends_now_and_its_steps_begin_at_multiples_of_their_length(
    window_s: int, now_s: float
) -> None:
    of = span(window_s, now_s)
    times = of.times()
    step_s = STEPS_S[window_s]
    assert len(times) == of.steps
    assert all(time / 1e3 % step_s == 0 for time in times)
    assert times[-1] / 1e3 <= now_s < times[-1] / 1e3 + step_s
    assert window_s - 2 * step_s <= of.seconds <= window_s + 1
    assert of.last * BUCKET_S <= now_s


def test_rates_are_of_the_time_that_was_counted() -> None:
    assert span(300, 1.7e9, begun_s=1.7e9 - 42).seconds == 42
    assert span(300, 1.7e9, begun_s=1.7e9).seconds == 1
    assert span(300, 1.7e9, begun_s=1.6e9).seconds == span(300, 1.7e9).seconds


@pytest.mark.parametrize(("asked", "given"), [(1, 60), (60, 60), (61, 300), (10**9, 3600)])
def test_what_is_not_kept_as_a_window_gets_the_next_longer_one(asked: int, given: int) -> None:
    assert span(asked, 1.7e9).window_s == given


@given(st.lists(st.floats(1.5e9, 2e9), min_size=1, max_size=20))
def test_a_timestamp_is_in_the_bucket_of_its_time(times: list[float]) -> None:
    clock = Clock()
    for time_s in times:
        text = timestamp(time_s)
        assert clock.bucket(text) == int(round(time_s * 1e6) // 1_000_000) // BUCKET_S
