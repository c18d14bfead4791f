"""Entries are counted once, by what they have in common, for an hour."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.dashboard import series as series_module
from pilotfish.dashboard import statistics as statistics_module
from pilotfish.dashboard.statistics import NO_SUCH_PORT, Statistics
from pilotfish.tap.entry import timestamp
from support.entries import entry
from support.traffic import NOW_S, Shop, look_up, seen_pod, seen_service


def total(statistics: Statistics, window_s: int = 3600, now_s: float = NOW_S) -> int:
    return sum(part.tally.requests for part in statistics.window(window_s, now_s).parts)


AGES = st.lists(st.tuples(st.integers(0, 4000), st.booleans()), max_size=60)


@given(AGES, st.sampled_from([60, 300, 900, 3600]))
def test_a_window_has_what_came_in_it_however_late_it_was_told(
    ages: list[tuple[int, bool]], window_s: int
) -> None:
    """Sums of earlier buckets are kept; looking in between must not change what is found."""
    shop = Shop()
    for age_s, looks in ages:
        shop.ask("api", at_s=NOW_S - age_s)
        if looks:
            total(shop.statistics, window_s)
    window = shop.statistics.window(window_s, NOW_S)
    first_s = window.span.first * 10
    expected = [age_s for age_s, _ in ages if NOW_S - age_s >= first_s]
    assert total(shop.statistics, window_s) == len(expected)
    steps: Counter[int] = Counter(
        int((NOW_S - age_s) // 10 - window.span.first) // window.span.step for age_s in expected
    )
    counted = [sum(each) for each in zip(*(part.steps for part in window.parts), strict=True)]
    assert counted == ([steps[n] for n in range(window.span.steps)] if expected else [])


def test_what_is_older_than_an_hour_is_gone_and_what_is_young_stays() -> None:
    shop = Shop()
    shop.ask("api", at_s=NOW_S - 3599)
    shop.ask("api", at_s=NOW_S)
    assert total(shop.statistics) == 1
    assert total(shop.statistics, now_s=NOW_S + 3000) == 1
    assert total(shop.statistics, now_s=NOW_S + 3700) == 0


def test_requests_of_a_connection_count_it_once() -> None:
    shop = Shop()
    shop.ask("api", times=5, connection="kept")
    shop.ask("api", times=2)
    (part,) = shop.statistics.window(60, NOW_S).parts
    assert (part.tally.requests, part.tally.connections) == (7, 3)
    (counts,) = shop.statistics.window(60, NOW_S).connections.values()
    assert sorted(counts) == [1, 1, 5]


def test_a_connection_that_changes_its_protocol_is_counted_by_both() -> None:
    shop = Shop()
    shop.ask("api", connection="upgraded")
    shop.ask("api", connection="upgraded", times=3, protocol="websocket")
    parts = {p.route.protocol: p.tally for p in shop.statistics.window(60, NOW_S).parts}
    assert {name: tally.requests for name, tally in parts.items()} == {"http": 1, "websocket": 3}
    assert sum(tally.connections for tally in parts.values()) == 1


def test_probes_are_not_counted() -> None:
    statistics = Statistics()
    statistics.add(entry(probe=True))
    assert statistics.entries == 0
    assert statistics.window(60, NOW_S).parts == []


def test_equal_chances_are_among_those_that_were_ready_each_time() -> None:
    shop = Shop()
    shop.service("api", ready=2)
    shop.ask("api", to=0, times=6)
    made = shop.pod("api-2", "10.244.0.12", {"app": "api"})
    shop.slice("api", [shop.endpoint(made)])
    shop.ask("api", to=2, times=3)
    window = shop.statistics.window(60, NOW_S)
    expected: Counter[str] = Counter()
    for part in window.parts:
        expected.update(part.tally.expected())
    assert expected == pytest.approx({"10.244.0.10": 4, "10.244.0.11": 4, "10.244.0.12": 1})


def test_who_was_chosen_could_have_been_even_if_nobody_said_so() -> None:
    shop = Shop()
    shop.service("api", ready=1)
    shop.ask("api", to=5)
    (part,) = shop.statistics.window(60, NOW_S).parts
    assert part.tally.expected() == {"10.244.0.10": 0.5, "10.244.0.15": 0.5}


def test_errors_are_counted_by_what_they_were() -> None:
    shop = Shop()
    shop.fail("api", "503", times=2)
    shop.fail("api", "refused")
    wrong = seen_service("api", "10.96.0.50", 8080, "")
    shop.ask("api", None, dst=wrong, error=True, failure="no endpoints", status="no endpoints")
    statuses: Counter[str] = Counter()
    for part in shop.statistics.window(60, NOW_S).parts:
        statuses.update(part.tally.statuses)
    assert statuses == {"503": 2, "refused": 1, NO_SUCH_PORT: 1}


def test_too_many_kinds_of_errors_are_counted_together() -> None:
    shop = Shop()
    for code in range(400, 430):
        shop.fail("api", str(code))
    (part,) = shop.statistics.window(60, NOW_S).parts
    assert len(part.tally.statuses) <= 17
    assert sum(part.tally.statuses.values()) == part.tally.errors == 30


def test_routes_buckets_and_series_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics_module, "MAX_CELLS", 10)
    monkeypatch.setattr(statistics_module, "MAX_BUCKETS", 20)
    monkeypatch.setattr(statistics_module, "MAX_CONNECTIONS", 5)
    monkeypatch.setattr(series_module, "MAX_SERIES", 7)
    shop = Shop()
    for number in range(30):
        for age_s in (60, 30):
            shop.ask(f"api-{number}", at_s=NOW_S - age_s)
    shop.ask("api-29")
    statistics = shop.statistics
    assert {part.route.target.name for part in statistics.window(3600, NOW_S).parts} == {
        f"api-{number}" for number in range(20, 30)
    }
    assert statistics.forgotten_cells == 20
    assert statistics.forgotten_buckets == 41
    assert statistics.series.others == 23
    assert sum(each.requests for each in statistics.series.all()) == statistics.entries == 61


def test_the_present_is_part_of_a_window_as_soon_as_it_is_counted() -> None:
    shop = Shop()
    for number in range(1, 4):
        shop.ask("api", at_s=NOW_S)
        assert total(shop.statistics, 60) == number


def test_names_and_ports_that_are_nowhere_are_remembered_for_the_window() -> None:
    shop = Shop()
    names = ("wbe.default.svc.cluster.local.", "example.com.default.svc.cluster.local.", "x.y.")
    for name in names:
        shop.statistics.add(look_up(name, shop.client))
        shop.statistics.add(look_up(name, shop.client))
    shop.statistics.add(look_up("api.default.svc.cluster.local.", shop.client, "NOERROR"))
    old = look_up("old.default.svc.cluster.local.", shop.client, at_s=NOW_S - 300)
    shop.statistics.add(old)
    window = shop.statistics.window(60, NOW_S)
    assert [(miss.name, miss.namespace, miss.client, miss.times) for miss in window.names] == [
        ("wbe", "default", "Deployment client", 2)
    ]
    shop.ask("api", None, dst=seen_service("api", "10.96.0.50", 8080, ""))
    ((port, client),) = [(w.port, w.client) for w in shop.statistics.window(60, NOW_S).ports]
    assert (port, client) == (8080, "Deployment client")


def test_pods_that_nobody_owns_are_their_own_workload() -> None:
    statistics = Statistics()
    statistics.add(entry(timestamp=timestamp(NOW_S), src=seen_pod("alone", "10.244.0.77")))
    (part,) = statistics.window(60, NOW_S).parts
    assert part.route.client.id == "workload/Pod/default/alone"
