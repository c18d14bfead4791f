"""The terminal says what is new, once."""

from __future__ import annotations

from pilotfish.dashboard.announcements import AWAY_S, Announcements
from pilotfish.dashboard.feed import State
from pilotfish.tap.viewer import NodeStatus


def up(**nodes: str) -> State:
    """A connection to nodes, by name with the problem of each."""
    found = {name: NodeStatus(name, not problem, problem) for name, problem in nodes.items()}
    return State(connected=True, nodes=found)


def down(problem: str) -> State:
    return State(connected=False, problem=problem)


def test_nothing_is_said_before_anything_is_known() -> None:
    assert Announcements().news(State(), 0.0) == []


def test_a_connection_is_said_once() -> None:
    told = Announcements()
    assert told.news(up(a=""), 0.0) == ["connected"]
    assert told.news(up(a=""), 1.0) == []


def test_a_cluster_that_is_not_there_at_the_start_is_no_lost_one() -> None:
    told = Announcements()
    assert told.news(down("no kubeconfig"), 0.0) == ["no cluster yet: no kubeconfig; trying again"]
    assert told.news(down("no answer"), 0.0) == []
    assert told.news(up(a=""), 1.0) == ["connected"]


def test_a_lost_connection_is_said_with_its_problem_and_its_end() -> None:
    told = Announcements()
    told.news(up(a=""), 0.0)
    assert told.news(down("no answer"), 1.0) == [
        "connection to the cluster lost: no answer; trying again"
    ]
    assert told.news(down("still none"), 2.0) == []
    assert told.news(up(a=""), 3.0) == ["connected again"]


def test_a_node_that_is_away_for_a_moment_is_not_told_of() -> None:
    told = Announcements()
    told.news(up(a="", b=""), 0.0)
    assert told.news(up(a="", b="no route"), 1.0) == []
    assert told.news(up(a="", b=""), 1.0 + AWAY_S) == []
    assert told.news(up(a="", b="no route"), 2.0 + AWAY_S) == []


def test_a_node_that_stays_away_is_told_of_once_and_that_it_is_back() -> None:
    told = Announcements()
    told.news(up(a="", b="no route"), 0.0)
    late = 0.1 + AWAY_S
    assert told.news(up(a="", b="no route"), late) == ["b: not seen, trying again: no route"]
    assert told.news(up(a="", b="no route"), late + 1) == []
    assert told.news(up(a="", b=""), late + 2) == ["b: seen again"]


def test_while_the_cluster_is_away_its_nodes_are_not_told_of() -> None:
    told = Announcements()
    told.news(up(a=""), 0.0)
    away = down("no answer")
    away.nodes = {"a": NodeStatus("a", False, "no answer")}
    told.news(away, 1.0)
    assert told.news(away, 100.0) == []
    assert told.news(up(a="no answer", b=""), 101.0) == ["connected again"]
