"""Nodes: their Pod ranges, their taints, and what becomes of Pods on silent ones."""

from __future__ import annotations

import pytest

from pilotfish.controllers.node_health import (
    evicted_in_s,
    silent_conditions,
    unready_condition,
    wanted_taints,
)
from pilotfish.controllers.node_ipam import choose_pod_cidr
from pilotfish.controllers.tolerations import tolerates, toleration_time_s
from pilotfish.objects.meta import Object
from support.workloads import ago, make_node, make_pod

UNREACHABLE = "node.kubernetes.io/unreachable"


@pytest.mark.parametrize(
    ("node", "taken", "expected"),
    [
        ("node-1", [], "10.244.0.0/24"),
        ("node-3", [], "10.244.2.0/24"),
        ("node-3", ["10.244.2.0/24"], "10.244.0.0/24"),
        ("laptop", ["10.244.0.0/24", "10.244.1.0/24"], "10.244.2.0/24"),
        ("node-0", [], "10.244.0.0/24"),
        ("node-999", [], "10.244.0.0/24"),
        ("node-1", ["10.244.0.0/23"], "10.244.2.0/24"),
    ],
)
def test_a_node_gets_the_range_of_its_number_or_the_first_free(
    node: str, taken: list[str], expected: str
) -> None:
    assert choose_pod_cidr(node, "10.244.0.0/16", 24, taken) == expected


def test_a_used_up_range_gives_none() -> None:
    assert choose_pod_cidr("node-1", "10.0.0.0/24", 24, ["10.0.0.0/24"]) is None


def taints(node: Object) -> list[tuple[str, str]]:
    return [(taint["key"].rpartition("/")[2], taint["effect"]) for taint in wanted_taints(node)]


def test_taints_follow_the_ready_condition() -> None:
    assert taints(make_node("n")) == []
    assert taints(make_node("n", ready="False")) == [
        ("not-ready", "NoSchedule"),
        ("not-ready", "NoExecute"),
    ]
    assert taints(make_node("n", ready="Unknown")) == [
        ("unreachable", "NoSchedule"),
        ("unreachable", "NoExecute"),
    ]


def test_taints_of_others_stay_and_our_own_go_when_their_reason_does() -> None:
    mine = {"key": UNREACHABLE, "effect": "NoExecute", "timeAdded": ago(9)}
    theirs = {"key": "gpu", "effect": "NoSchedule"}
    node = make_node("n", spec={"taints": [mine, theirs]})
    assert wanted_taints(node) == [theirs]


def test_a_taint_that_stays_keeps_the_time_it_was_added() -> None:
    mine = {"key": UNREACHABLE, "effect": "NoExecute", "timeAdded": ago(9)}
    node = make_node("n", ready="Unknown", spec={"taints": [mine]})
    assert mine in wanted_taints(node)


def test_a_cordon_and_a_pressure_are_tainted() -> None:
    node = make_node("n", spec={"unschedulable": True})
    node["status"]["conditions"].append({"type": "DiskPressure", "status": "True"})
    assert taints(node) == [("disk-pressure", "NoSchedule"), ("unschedulable", "NoSchedule")]


def test_nobody_knows_how_a_silent_node_is() -> None:
    conditions = {entry["type"]: entry for entry in silent_conditions(make_node("n"))}
    assert conditions["Ready"]["status"] == "Unknown"
    assert conditions["Ready"]["reason"] == "NodeStatusUnknown"
    assert conditions["MemoryPressure"]["reason"] == "NodeStatusNeverUpdated"


def test_ready_pods_of_a_silent_node_turn_unready() -> None:
    entry = unready_condition(make_pod(ready=True))
    assert entry is not None
    assert entry["status"] == "False"
    assert unready_condition(make_pod(ready=False)) is None


def silent_node(since_s: float) -> Object:
    taint = {"key": UNREACHABLE, "effect": "NoExecute", "timeAdded": ago(since_s)}
    return make_node("n", spec={"taints": [taint]})


def test_a_pod_leaves_when_its_patience_is_over() -> None:
    patient = {"key": UNREACHABLE, "operator": "Exists", "effect": "NoExecute"}
    pod = make_pod(spec={"tolerations": [patient | {"tolerationSeconds": 300}]})
    left_s = evicted_in_s(pod, silent_node(100))
    assert left_s is not None
    assert 190 < left_s <= 201
    assert evicted_in_s(pod, silent_node(301)) == 0
    assert evicted_in_s(make_pod(spec={"tolerations": [patient]}), silent_node(9999)) is None
    assert evicted_in_s(make_pod(), silent_node(0)) == 0
    assert evicted_in_s(make_pod(), make_node("n")) is None


@pytest.mark.parametrize(
    ("toleration", "covers"),
    [
        ({"operator": "Exists"}, True),
        ({"key": "a", "operator": "Exists"}, True),
        ({"key": "b", "operator": "Exists"}, False),
        ({"key": "a", "value": "1"}, True),
        ({"key": "a", "value": "2"}, False),
        ({"key": "a", "value": "1", "effect": "NoExecute"}, False),
        ({"key": "a", "value": "1", "effect": "NoSchedule"}, True),
        ({"key": "a", "operator": "Strange"}, False),
    ],
)
def test_a_toleration_covers_a_taint(toleration: Object, covers: bool) -> None:
    taint = {"key": "a", "value": "1", "effect": "NoSchedule"}
    assert tolerates(toleration, taint) is covers


def test_the_shortest_patience_counts() -> None:
    taint = {"key": "a", "effect": "NoExecute"}
    known = [
        {"operator": "Exists"},
        {"operator": "Exists", "tolerationSeconds": 30},
        {"operator": "Exists", "tolerationSeconds": 60},
    ]
    assert toleration_time_s(known, taint) == 30
    assert toleration_time_s(known[:1], taint) is None
    assert toleration_time_s([], taint) == 0
