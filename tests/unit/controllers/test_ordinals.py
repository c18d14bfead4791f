"""StatefulSets: the order in which numbered Pods come, go and are replaced."""

from __future__ import annotations

from typing import Any

from pilotfish.controllers.ordinals import (
    numbered_pod,
    ordinal_of,
    ordinal_status,
    plan_ordinals,
)
from pilotfish.controllers.revisions import HASH_LABEL
from pilotfish.objects.meta import Object, name_of
from support.workloads import ago, make_pod, make_replica_set


def stateful_set(replicas: int = 3, **spec: Any) -> Object:
    return make_replica_set("db", replicas, kind="StatefulSet", spec=spec)


def pod(number: int, revision: str = "r1", ready: bool = True, **fields: Any) -> Object:
    return make_pod(f"db-{number}", ready=ready, labels={HASH_LABEL: revision}, **fields)


def step(owner: Object, *pods: Object, current: str = "r1", update: str = "r1") -> Any:
    plan = plan_ordinals(owner, pods, current, update)
    return plan.create, [name_of(doomed) for doomed in plan.delete]


def test_pods_come_one_after_the_other() -> None:
    assert step(stateful_set()) == ([(0, "r1")], [])
    assert step(stateful_set(), pod(0, ready=False)) == ([], [])
    assert step(stateful_set(), pod(0)) == ([(1, "r1")], [])
    assert step(stateful_set(), pod(0), pod(1), pod(2)) == ([], [])


def test_a_gap_is_filled_before_anything_else() -> None:
    assert step(stateful_set(), pod(1), pod(2)) == ([(0, "r1")], [])


def test_pods_go_from_the_last_one_at_a_time() -> None:
    pods = [pod(0), pod(1), pod(2), pod(3)]
    assert step(stateful_set(2), *pods) == ([], ["db-3"])
    leaving = pod(3, deletionTimestamp=ago(1))
    assert step(stateful_set(2), *pods[:3], leaving) == ([], [])


def test_a_scale_down_halts_while_a_pod_is_unhealthy() -> None:
    weak = [pod(number, ready=False) for number in range(3)]
    assert step(stateful_set(0), *weak) == ([], [])
    assert step(stateful_set(0), pod(0), pod(1), weak[2]) == ([], ["db-2"])
    assert step(stateful_set(0), weak[0], pod(1), pod(2)) == ([], ["db-2"])
    assert step(stateful_set(0), weak[0], pod(1), weak[2]) == ([], [])
    assert step(stateful_set(0), weak[0]) == ([], ["db-0"])
    parallel = stateful_set(0, podManagementPolicy="Parallel")
    assert step(parallel, *weak) == ([], ["db-2", "db-1", "db-0"])


def test_parallel_pods_come_and_go_together() -> None:
    owner = stateful_set(3, podManagementPolicy="Parallel")
    assert step(owner, pod(7), pod(8)) == (
        [(0, "r1"), (1, "r1"), (2, "r1")],
        ["db-8", "db-7"],
    )


def test_a_finished_pod_makes_way_for_its_successor() -> None:
    assert step(stateful_set(), pod(0, ready=False, phase="Failed")) == ([], ["db-0"])


def test_an_update_replaces_from_the_last_and_waits_for_each() -> None:
    owner = stateful_set()
    assert step(owner, pod(0), pod(1), pod(2), update="r2") == ([], ["db-2"])
    # Gone, it comes again in the new revision.
    assert step(owner, pod(0), pod(1), update="r2") == ([(2, "r2")], [])
    assert step(owner, pod(0), pod(1), pod(2, "r2", ready=False), update="r2") == ([], [])
    assert step(owner, pod(0), pod(1), pod(2, "r2"), update="r2") == ([], ["db-1"])


def test_a_partition_holds_the_lower_numbers_back() -> None:
    owner = stateful_set(updateStrategy={"rollingUpdate": {"partition": 2}})
    assert step(owner, pod(0), pod(1), pod(2, "r2"), update="r2") == ([], [])
    # One below the partition comes again in the revision it had.
    assert step(owner, pod(0), pod(2, "r2"), update="r2") == ([(1, "r1")], [])


def test_on_delete_replaces_nothing_by_itself() -> None:
    owner = stateful_set(updateStrategy={"type": "OnDelete"})
    assert step(owner, pod(0), pod(1), pod(2), update="r2") == ([], [])


def test_numbers_may_start_elsewhere() -> None:
    owner = stateful_set(2, ordinals={"start": 5})
    assert step(owner, pod(5)) == ([(6, "r1")], [])


def test_a_numbered_pod_has_its_name_in_dns() -> None:
    owner = stateful_set(serviceName="db-headless")
    made = numbered_pod(owner, owner["spec"]["template"], 1, "db-abc")
    assert name_of(made) == made["spec"]["hostname"] == "db-1"
    assert made["spec"]["subdomain"] == "db-headless"
    assert made["metadata"]["labels"] == {
        "app": "db",
        "statefulset.kubernetes.io/pod-name": "db-1",
        "apps.kubernetes.io/pod-index": "1",
        HASH_LABEL: "db-abc",
    }


def test_only_its_own_names_are_numbered() -> None:
    owner = stateful_set()
    assert ordinal_of(owner, pod(12)) == 12
    for name in ("db", "db-x", "db-1-2", "other-1"):
        assert ordinal_of(owner, make_pod(name)) is None


def test_the_status_counts_both_revisions_until_the_update_is_complete() -> None:
    owner = stateful_set(2)
    status = ordinal_status(owner, [pod(0), pod(1, "r2")], "r1", "r2")
    assert (status["currentReplicas"], status["updatedReplicas"]) == (1, 1)
    assert status["currentRevision"] == "r1"
    done = ordinal_status(owner, [pod(0, "r2"), pod(1, "r2")], "r1", "r2")
    assert done["currentRevision"] == done["updateRevision"] == "r2"
    assert done["currentReplicas"] == 2
