"""ReplicaSets: how many Pods to create, which to delete, what the status says."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.client.errors import NotFound
from pilotfish.controllers.claims import claim, settle_claim
from pilotfish.controllers.expectations import EXPECTATION_TIMEOUT_S, Expectations
from pilotfish.controllers.replicas import available_in_s, plan_replicas, replica_status
from pilotfish.objects.meta import Object, name_of, owner_reference
from pilotfish.objects.selectors import match_labels
from support.workloads import make_pod, make_replica_set


def names(pods: list[Object]) -> list[str]:
    return [name_of(pod) for pod in pods]


def running(name: str, node: str = "node-1", **fields: Any) -> Object:
    return make_pod(name, node=node, ip="10.244.0.9", ready=True, **fields)


def test_missing_pods_are_created() -> None:
    plan = plan_replicas(5, [running("a"), running("b")], [])
    assert plan.create == 3
    assert plan.delete == []


def test_nothing_happens_when_the_number_is_right() -> None:
    plan = plan_replicas(1, [running("a")], [])
    assert (plan.create, plan.delete) == (0, [])


@pytest.mark.parametrize(
    ("victim", "survivor"),
    [
        (make_pod("unscheduled"), make_pod("scheduled", node="node-1")),
        (make_pod("pending", node="node-1"), running("running")),
        (
            make_pod("unready", node="node-1", phase="Running"),
            running("ready"),
        ),
        (
            running("cheap", annotations={"controller.kubernetes.io/pod-deletion-cost": "-5"}),
            running("dear"),
        ),
        (running("fresh", ready_for_s=1), running("proven", ready_for_s=4000)),
    ],
    ids=lambda pod: name_of(pod),
)
def test_the_less_useful_pod_is_deleted(victim: Object, survivor: Object) -> None:
    for pods in ([victim, survivor], [survivor, victim]):
        assert names(plan_replicas(1, pods, pods).delete) == [name_of(victim)]


def test_the_often_restarted_pod_goes_first() -> None:
    shaky, steady = running("shaky"), running("steady")
    shaky["status"]["containerStatuses"] = [{"restartCount": 7}]
    assert names(plan_replicas(1, [steady, shaky], []).delete) == ["shaky"]


def test_pods_that_share_a_node_go_before_one_that_is_alone() -> None:
    crowded = [running("a"), running("b")]
    alone = running("c", node="node-2")
    plan = plan_replicas(2, [alone, *crowded], [alone, *crowded])
    assert names(plan.delete)[0] in ("a", "b")


def test_what_is_left_after_a_large_step_down_is_still_spread() -> None:
    pods = [running(f"{n}", node=f"node-{n % 2 + 1}") for n in range(20)]
    deleted = plan_replicas(4, pods, pods).delete
    left = [pod["spec"]["nodeName"] for pod in pods if pod not in deleted]
    assert sorted(left) == ["node-1", "node-1", "node-2", "node-2"]


def test_pods_of_sibling_replica_sets_count_as_doubled_up() -> None:
    first, second = running("first"), running("second", node="node-2")
    sibling = running("sibling", node="node-2")
    assert names(plan_replicas(1, [first, second], [first, second, sibling]).delete) == ["second"]


def test_status_counts_ready_available_and_fully_labelled_pods() -> None:
    owner = make_replica_set(spec={"minReadySeconds": 60}, generation=3)
    active = [
        running("old", labels={"app": "web"}, ready_for_s=100),
        running("new", labels={"app": "web"}, ready_for_s=5),
        make_pod("foreign", labels={"other": "x"}),
    ]
    assert replica_status(owner, active) == {
        "replicas": 3,
        "fullyLabeledReplicas": 2,
        "readyReplicas": 2,
        "availableReplicas": 1,
        "observedGeneration": 3,
    }


def test_a_refusal_shows_as_replica_failure_until_it_is_over() -> None:
    owner = make_replica_set(replicas=2)
    failed = replica_status(owner, [], "quota exceeded")
    (entry,) = failed["conditions"]
    assert (entry["type"], entry["reason"]) == ("ReplicaFailure", "FailedCreate")
    assert entry["message"] == "quota exceeded"
    assert "conditions" not in replica_status({**owner, "status": failed}, [])


def test_a_pod_becomes_available_when_its_readiness_has_lasted() -> None:
    assert available_in_s(make_pod(), 0) is None
    assert available_in_s(running("a"), 0) == 0
    assert available_in_s(running("a", ready_for_s=100), 60) == 0
    left_s = available_in_s(running("a", ready_for_s=20), 60)
    assert left_s is not None
    assert 30 < left_s <= 41


def test_orphans_that_match_are_adopted_and_own_pods_that_do_not_are_released() -> None:
    owner, other = make_replica_set("web"), make_replica_set("other")
    pods = [
        make_pod("mine", labels={"app": "web"}, owner=owner),
        make_pod("relabelled", labels={"app": "x"}, owner=owner),
        make_pod("orphan", labels={"app": "web"}),
        make_pod("stranger", labels={"app": "y"}),
        make_pod("theirs", labels={"app": "web"}, owner=other),
    ]
    found = claim(owner, match_labels({"app": "web"}), pods)
    assert names(found.owned) == ["mine"]
    assert names(found.adopt) == ["orphan"]
    assert names(found.release) == ["relabelled"]


class OwnersOnly:
    """A client of an API server that has this owner, or none."""

    def __init__(self, owner: Object | None) -> None:
        self._owner = owner
        self.patched: list[str] = []

    async def get(self, _resource: str, _name: str, _namespace: str) -> Object:
        if self._owner is None:
            raise NotFound({"reason": "NotFound"}, 404)
        return self._owner

    async def patch(self, _resource: str, name: str, _patch: Object, _namespace: str) -> Object:
        self.patched.append(name)
        return {"metadata": {"name": name}}


async def test_nothing_is_adopted_for_an_owner_that_is_gone_though_the_cache_shows_it() -> None:
    owner = make_replica_set("web")
    orphan = make_pod("orphan", labels={"app": "web"})
    dying = {**owner, "metadata": {**owner["metadata"], "deletionTimestamp": "t"}}
    for live, adopted in (
        (owner, ["orphan"]),
        (None, []),
        (dying, []),
        (make_replica_set("web"), []),
    ):
        client = OwnersOnly(live)
        found = claim(owner, match_labels({"app": "web"}), [orphan])
        owned = await settle_claim(client, "pods", owner, found)
        assert client.patched == names(owned) == adopted


def test_an_owner_on_its_way_out_adopts_nothing() -> None:
    owner = make_replica_set("web", deletionTimestamp="2026-01-01T00:00:00Z")
    found = claim(owner, match_labels({"app": "web"}), [make_pod("o", labels={"app": "web"})])
    assert found.adopt == []


def test_a_pod_that_only_names_the_owner_without_being_controlled_is_no_replica() -> None:
    owner = make_replica_set("web")
    pod = make_pod("p", labels={"app": "web"})
    pod["metadata"]["ownerReferences"] = [owner_reference(owner) | {"controller": False}]
    found = claim(owner, match_labels({"app": "web"}), [pod])
    assert (names(found.owned), names(found.adopt)) == ([], ["p"])


def test_nothing_more_is_created_until_the_watch_has_shown_what_was() -> None:
    expected = Expectations()
    expected.expect_created("default/web", ["a", "b"])
    expected.created("default/web", "a")
    assert not expected.fulfilled("default/web")
    expected.created("default/web", "somebody-else")
    assert not expected.fulfilled("default/web")
    expected.created("default/web", "b")
    assert expected.fulfilled("default/web")


def test_nothing_more_is_deleted_until_the_watch_has_shown_what_was() -> None:
    expected = Expectations()
    expected.expect_deleted("default/web", ["a"])
    assert not expected.fulfilled("default/web")
    expected.deleted("default/web", "a")
    assert expected.fulfilled("default/web")


def test_an_event_that_never_comes_blocks_no_owner_for_ever() -> None:
    moment = [0.0]
    expected = Expectations(clock=lambda: moment[0])
    expected.expect_created("default/web", ["lost"])
    moment[0] = EXPECTATION_TIMEOUT_S + 1
    assert expected.fulfilled("default/web")
