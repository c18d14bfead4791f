"""Statistics tell chance from unfairness, and say what makes requests uneven."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.tap import stats as stats_module
from pilotfish.tap.formats import stats_table
from pilotfish.tap.shares import chi_square_tail, verdict
from pilotfish.tap.stats import Latencies, ServiceStats, Stats
from support.entries import entry, pod

BOTH = [("10.244.1.1", "api-1"), ("10.244.1.2", "api-2")]


def fill(
    chosen: list[int], ready: list[tuple[str, str]] | None = None, requests: int = 1
) -> ServiceStats:
    """A Service whose connection number n chose endpoint chosen[n]."""
    collected = Stats()
    for number, which in enumerate(chosen):
        address, name = BOTH[which]
        for _ in range(requests):
            made = entry(endpoint=pod(name, address), conn={"id": f"c{number}"})
            collected.add(made, ready)
    return collected.services["default", "api"]


@pytest.mark.parametrize(
    ("statistic", "degrees", "tail"),
    # The table of critical values in any book of statistics.
    [
        (3.841, 1, 0.05),
        (6.635, 1, 0.01),
        (5.991, 2, 0.05),
        (18.307, 10, 0.05),
        (124.342, 100, 0.05),
    ],
)
def test_the_chi_square_tail_is_that_of_the_tables(
    statistic: float, degrees: int, tail: float
) -> None:
    assert chi_square_tail(statistic, degrees) == pytest.approx(tail, rel=2e-3)


@given(st.floats(0, 1e6), st.integers(0, 500))
def test_the_chi_square_tail_is_always_a_probability(statistic: float, degrees: int) -> None:
    assert 0 <= chi_square_tail(statistic, degrees) <= 1


def test_random_choices_are_chance() -> None:
    chosen = random.Random(7).choices((0, 1), k=400)
    assert verdict(fill(chosen, BOTH).observed()).startswith("chance (p = ")


def test_a_lasting_preference_is_no_chance() -> None:
    assert verdict(fill([0] * 80 + [1] * 20, BOTH).observed()).startswith("no chance")


def test_with_session_affinity_a_preference_has_its_reason() -> None:
    seen = fill([0] * 80 + [1] * 20, BOTH).observed(affinity=True)
    assert "session affinity" in verdict(seen)


def test_a_pod_that_was_not_ready_for_a_time_explains_its_smaller_share() -> None:
    collected = Stats()
    for number in range(100):
        both = number >= 60
        address, name = BOTH[number % 2 if both else 0]
        made = entry(endpoint=pod(name, address), conn={"id": f"c{number}"})
        collected.add(made, BOTH if both else BOTH[:1])
    said = verdict(collected.services["default", "api"].observed())
    assert said.startswith("equal among the Pods that were ready; api-2 was ready for only a part")


def test_few_busy_connections_explain_uneven_requests() -> None:
    collected = Stats()
    for number in range(40):
        address, name = BOTH[number % 2]
        for _ in range(500 if number == 0 else 2):
            made = entry(endpoint=pod(name, address), conn={"id": f"c{number}"})
            collected.add(made, BOTH)
    said = verdict(collected.services["default", "api"].observed())
    assert "requests differ because 1 of 40 connections carries 87% of them" in said


def test_a_handful_of_connections_is_not_judged() -> None:
    assert verdict(fill([0, 0, 0], BOTH).observed()).startswith("too few connections to judge (3)")


def test_without_knowledge_of_readiness_all_that_were_chosen_had_equal_chances() -> None:
    assert verdict(fill([0, 1] * 50).observed()).startswith("chance")


def test_an_endpoint_that_is_ready_and_never_chosen_has_a_line() -> None:
    table = stats_table.text([fill([0] * 30, BOTH)])
    assert "api-2" in table
    assert "0.0%" in table


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=200))
def test_percentiles_are_right_to_within_two_per_cent(micros: list[int]) -> None:
    latencies = Latencies()
    for each in micros:
        latencies.add(each)
    for share in (0.5, 0.95, 1.0):
        exact = sorted(micros)[max(math.ceil(share * len(micros)) - 1, 0)]
        found = latencies.percentile(share)
        assert found is not None
        assert abs(found - exact) <= 0.025 * exact + 1


def test_what_nobody_measured_has_no_percentile() -> None:
    assert Latencies().percentile(0.5) is None


def test_errors_and_unanswered_requests_are_counted() -> None:
    collected = Stats()
    collected.add(entry(error=True, elapsed_time=None))
    collected.add({key: value for key, value in entry().items() if key != "endpoint"})
    service = collected.services["default", "api"]
    assert (service.requests, service.errors) == (2, 1)


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats_module, "MAX_CONNECTIONS", 10)
    monkeypatch.setattr(stats_module, "MAX_SERVICES", 3)
    assert len(fill([0, 1] * 30, BOTH).connections) == 10
    collected = Stats()
    for number in range(9):
        collected.add(entry(dst={"ip": f"10.0.0.{number}", "port": 80, "kind": "external"}))
    assert len(collected.services) == 3
