"""DaemonSets: which nodes run a Pod, and how a new template reaches them."""

from __future__ import annotations

from typing import Any

from pilotfish.controllers.daemons import belongs_on, daemon_pod, plan_daemons, target_node
from pilotfish.controllers.node_info import ClusterState
from pilotfish.controllers.revisions import (
    HASH_LABEL,
    find_revision,
    make_revision,
    next_number,
    surplus_revisions,
)
from pilotfish.controllers.scheduling import choose_node
from pilotfish.objects.meta import Object, labels_of, name_of
from support.workloads import ago, make_node, make_pod, make_replica_set

NODES = [make_node("node-1"), make_node("node-2")]


def daemon_set(pod_spec: Object | None = None, **spec: Any) -> Object:
    template = {
        "metadata": {"labels": {"app": "agent"}},
        "spec": {"containers": [{"name": "c"}], **(pod_spec or {})},
    }
    return make_replica_set("agent", kind="DaemonSet", template=template, spec=spec)


def pod(node: str, digest: str = "new", ready: bool = True, **fields: Any) -> Object:
    name = fields.pop("name", f"agent-{node}")
    return make_pod(name, node=node, ready=ready, labels={HASH_LABEL: digest}, **fields)


def step(owner: Object, *pods: Object, nodes: list[Object] = NODES) -> tuple[list[str], list[str]]:
    plan = plan_daemons(owner, nodes, pods, "new")
    return plan.create, [name_of(doomed) for doomed in plan.delete]


def test_each_node_gets_one() -> None:
    assert step(daemon_set()) == (["node-1", "node-2"], [])
    assert step(daemon_set(), pod("node-1")) == (["node-2"], [])


def test_a_second_one_on_a_node_goes() -> None:
    spare = pod("node-1", name="spare", ready=False)
    assert step(daemon_set(), pod("node-1"), pod("node-2"), spare) == ([], ["spare"])


def test_one_on_a_node_that_is_gone_goes() -> None:
    assert step(daemon_set(), pod("node-1"), pod("node-2"), pod("node-9")) == ([], ["agent-node-9"])


def test_a_failed_one_is_removed_before_its_successor_comes() -> None:
    failed = pod("node-1", phase="Failed", ready=False)
    assert step(daemon_set(), failed, pod("node-2")) == ([], ["agent-node-1"])
    leaving = pod("node-1", deletionTimestamp=ago(1))
    assert step(daemon_set(), leaving, pod("node-2")) == ([], [])


def test_nodes_are_chosen_by_labels_and_taints() -> None:
    gpu = make_node("gpu", labels={"gpu": "yes"})
    assert step(daemon_set({"nodeSelector": {"gpu": "yes"}}), nodes=[*NODES, gpu]) == (["gpu"], [])
    tainted = make_node("t", spec={"taints": [{"key": "a", "effect": "NoSchedule"}]})
    assert belongs_on(daemon_set(), tainted) == (False, True)
    evicting = make_node("t", spec={"taints": [{"key": "a", "effect": "NoExecute"}]})
    assert belongs_on(daemon_set(), evicting) == (False, False)


def test_daemons_stay_on_nodes_that_are_cordoned_or_in_trouble() -> None:
    taints = [
        {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"},
        {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"},
        {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"},
    ]
    assert belongs_on(daemon_set(), make_node("n", spec={"taints": taints})) == (True, True)


def test_the_scheduler_can_only_choose_the_node_it_is_meant_for() -> None:
    state = ClusterState()
    for node in NODES:
        state.node_changed(None, node)
    made = daemon_pod(daemon_set(), "node-2", "abc")
    made["metadata"]["uid"] = "u"
    assert target_node(made) == "node-2"
    assert labels_of(made)[HASH_LABEL] == "abc"
    assert choose_node(made, state.available(), {}).node == "node-2"


def test_a_new_template_replaces_one_at_a_time() -> None:
    old = [pod("node-1", "old"), pod("node-2", "old")]
    assert step(daemon_set(), *old) == ([], ["agent-node-1"])
    # While one is away, the other stays.
    assert step(daemon_set(), old[1]) == (["node-1"], [])
    assert step(daemon_set(), pod("node-1", ready=False), old[1]) == ([], [])
    assert step(daemon_set(), pod("node-1"), old[1]) == ([], ["agent-node-2"])


def test_broken_ones_are_replaced_at_once() -> None:
    broken = [pod("node-1", "old", ready=False), pod("node-2", "old", ready=False)]
    assert step(daemon_set(), *broken) == ([], ["agent-node-1", "agent-node-2"])


def test_on_delete_replaces_nothing_by_itself() -> None:
    owner = daemon_set(updateStrategy={"type": "OnDelete"})
    assert step(owner, pod("node-1", "old"), pod("node-2", "old")) == ([], [])


def test_the_status_counts_nodes() -> None:
    plan = plan_daemons(daemon_set(), NODES, [pod("node-1"), pod("node-2", "old", False)], "new")
    assert plan.status == {
        "desiredNumberScheduled": 2,
        "currentNumberScheduled": 2,
        "numberMisscheduled": 0,
        "numberReady": 1,
        "numberAvailable": 1,
        "numberUnavailable": 1,
        "updatedNumberScheduled": 1,
    }


def test_a_revision_brings_its_template_back() -> None:
    owner = daemon_set()
    first = make_revision(owner, 1)
    changed = daemon_set({"hostNetwork": True})
    assert find_revision(owner, [first]) is first
    assert find_revision(changed, [first]) is None
    assert first["data"]["spec"]["template"]["$patch"] == "replace"
    assert next_number([first]) == 2
    second = make_revision(changed, 2)
    assert second["metadata"]["name"] != first["metadata"]["name"]
    assert surplus_revisions([second, first], [labels_of(second)[HASH_LABEL]], 0) == [first]
    assert surplus_revisions([second, first], [], 1) == [first]
