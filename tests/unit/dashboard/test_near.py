"""What was probably meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.dashboard.near import NearPod, distance, is_near, near_pod, nearest
from support.workloads import make_pod

WORDS = st.text("abc", max_size=8)


@given(WORDS, WORDS)
def test_distance_is_the_same_both_ways_and_never_more_than_writing_it_anew(
    one: str, other: str
) -> None:
    assert distance(one, other) == distance(other, one)
    assert (distance(one, other) == 0) == (one == other)
    assert abs(len(one) - len(other)) <= distance(one, other) <= max(len(one), len(other))


def test_swapped_letters_are_one_mistake() -> None:
    assert distance("wbe", "web") == 1
    assert distance("databsae", "database") == 1


@pytest.mark.parametrize(
    ("asked", "meant"),
    [("wbe", "web"), ("go-demo-2-bd", "go-demo-2-db"), ("redis", "redis-master"), ("apii", "api")],
)
def test_typing_errors_and_beginnings_are_near(asked: str, meant: str) -> None:
    assert is_near(asked, meant)


@pytest.mark.parametrize(("asked", "other"), [("web", "web"), ("web", "api"), ("db", "db-1")])
def test_the_same_and_the_different_are_not_near(asked: str, other: str) -> None:
    assert not is_near(asked, other)


def test_the_nearest_name_is_found_or_none() -> None:
    assert nearest("fronted", ["frontend", "front", "backend"]) == "frontend"
    assert nearest("fronted", ["api"]) == ""


def test_a_pod_that_differs_in_one_label_is_near() -> None:
    pods = [
        make_pod("a", labels={"app": "other", "tier": "x"}),
        make_pod("b", labels={"app": "web", "tier": "frontend"}),
    ]
    assert near_pod({"app": "web", "tier": "front"}, pods) == NearPod(
        "b", "tier", "front", "frontend"
    )
    assert near_pod({"app": "wbe"}, pods) == NearPod("b", "app", "wbe", "web")
    assert near_pod({"application": "web"}, pods) == NearPod("b", "application", "web", "", "app")
    assert near_pod({"app": "web", "env": "live"}, pods) == NearPod("b", "env", "live", "")
    assert near_pod({"app": "cache"}, pods) is None
