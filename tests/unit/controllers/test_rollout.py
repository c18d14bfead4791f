"""Deployments: sizes during a rollout, revisions, history and what the status says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.controllers.deployment_status import (
    deadline_left_s,
    deployment_status,
    is_complete,
)
from pilotfish.controllers.rollout import (
    DESIRED_REPLICAS,
    HASH_LABEL,
    MAX_REPLICAS,
    REVISION,
    REVISION_HISTORY,
    Bounds,
    bounds,
    find_new,
    new_annotations,
    new_size,
    old_sizes,
    proportional_sizes,
    replicas_of,
    surplus_history,
    was_scaled,
)
from pilotfish.controllers.rollout import (
    make_replica_set as make_new,
)
from pilotfish.objects.conditions import condition
from pilotfish.objects.meta import Object, name_of
from support.workloads import ago, make_replica_set


def deployment(replicas: int = 4, **spec: Any) -> Object:
    status = spec.pop("status", {})
    return make_replica_set("web", replicas, kind="Deployment", spec=spec, status=status)


def rolling(surge: int | str, unavailable: int | str, replicas: int = 4, **spec: Any) -> Object:
    update = {"maxSurge": surge, "maxUnavailable": unavailable}
    return deployment(replicas, strategy={"type": "RollingUpdate", "rollingUpdate": update}, **spec)


def replica_set(name: str, replicas: int, available: int | None = None, **fields: Any) -> Object:
    count = replicas if available is None else available
    status = {"replicas": replicas, "readyReplicas": count, "availableReplicas": count}
    return make_replica_set(name, replicas, status=status, **fields)


@pytest.mark.parametrize(
    ("surge", "unavailable", "replicas", "expected"),
    [
        ("25%", "25%", 10, Bounds(3, 2)),
        ("25%", "25%", 1, Bounds(1, 0)),
        (0, "25%", 1, Bounds(0, 1)),
        (2, 5, 3, Bounds(2, 3)),
        ("100%", "100%", 4, Bounds(4, 4)),
    ],
)
def test_surge_rounds_up_and_unavailable_down_and_never_both_to_nothing(
    surge: int | str, unavailable: int | str, replicas: int, expected: Bounds
) -> None:
    assert bounds(rolling(surge, unavailable, replicas)) == expected


def test_the_new_replica_set_is_the_one_with_the_deployments_template() -> None:
    web = deployment()
    other = make_replica_set("old", template={"spec": {"containers": [{"name": "old"}]}})
    new = make_new(web, {}, 0, 4) | {"status": {}}
    new["metadata"]["creationTimestamp"] = ago(1)
    assert find_new(web, [other, new]) is new
    assert find_new(web, [other]) is None


def test_the_hash_marks_labels_selector_and_template_alike() -> None:
    new = make_new(deployment(), {}, 0, 4)
    digest = new["metadata"]["labels"][HASH_LABEL]
    assert new["metadata"]["name"] == f"web-{digest}"
    assert new["spec"]["selector"]["matchLabels"] == {"app": "web", HASH_LABEL: digest}
    assert new["spec"]["template"]["metadata"]["labels"][HASH_LABEL] == digest
    assert make_new(deployment(), {}, 0, 1)["metadata"]["name"] == new["metadata"]["name"]
    assert make_new(deployment(), {}, 1, 1)["metadata"]["name"] != new["metadata"]["name"]


def test_the_new_replica_set_grows_as_far_as_the_surge_allows() -> None:
    web, old, new = rolling(1, 0), replica_set("old", 4), replica_set("new", 0)
    assert new_size(web, [old, new], 0) == 1
    assert new_size(web, [old, replica_set("new", 1)], 1) == 1
    assert new_size(rolling("100%", 0), [old, new], 0) == 4


def test_old_replica_sets_shrink_only_as_new_pods_become_available() -> None:
    web, old = rolling(1, 0), replica_set("old", 4)
    assert old_sizes(web, replica_set("new", 1, available=0), [old]) == {}
    assert old_sizes(web, replica_set("new", 1, available=1), [old]) == {"old": 3}


def test_broken_old_pods_go_first() -> None:
    web = rolling(1, 1)
    broken = replica_set("broken", 2, available=0, creationTimestamp=ago(500))
    good = replica_set("good", 3, creationTimestamp=ago(900))
    assert old_sizes(web, replica_set("new", 0), [good, broken]) == {"broken": 0}


@given(
    replicas=st.integers(0, 12),
    surge=st.integers(0, 5),
    unavailable=st.integers(0, 5),
    unready=st.sets(st.integers(0, 40)),
)
def test_a_rollout_keeps_its_bounds_and_ends(
    replicas: int, surge: int, unavailable: int, unready: set[int]
) -> None:
    web = rolling(surge, unavailable, replicas)
    limit = bounds(web)
    old, new = replica_set("old", replicas), replica_set("new", 0)
    for step in range(80):
        grown = new_size(web, [old, new], replicas_of(new))
        # In some steps the newest Pod has not become available yet.
        late = 1 if step in unready and grown else 0
        if grown != replicas_of(new):
            new = replica_set("new", grown, available=max(0, grown - late))
        else:
            new = replica_set("new", grown, available=max(0, grown - late))
            shrunk = old_sizes(web, new, [old]).get("old", replicas_of(old))
            old = replica_set("old", shrunk)
        assert replicas_of(old) + replicas_of(new) <= replicas + limit.max_surge
        available = replicas_of(old) + new["status"]["availableReplicas"] + late
        assert available >= replicas - limit.max_unavailable
    assert (replicas_of(old), replicas_of(new)) == (0, replicas)


def test_recreate_gives_the_new_replica_set_everything_at_once() -> None:
    web = deployment(strategy={"type": "Recreate"})
    assert new_size(web, [replica_set("new", 0)], 0) == 4


def test_a_rollback_takes_the_next_revision_and_remembers_the_former() -> None:
    web = deployment()
    former = replica_set("former", 0, annotations={REVISION: "1"})
    latest = replica_set("latest", 4, annotations={REVISION: "2"})
    annotations = new_annotations(web, former, [latest])
    assert annotations[REVISION] == "3"
    assert annotations[REVISION_HISTORY] == "1"


def test_annotations_are_handed_down_but_not_kubectls_own() -> None:
    web = deployment()
    web["metadata"]["annotations"] = {
        "kubernetes.io/change-cause": "because",
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
        REVISION: "9",
    }
    annotations = new_annotations(web, None, [])
    assert annotations["kubernetes.io/change-cause"] == "because"
    assert annotations[REVISION] == "1"
    assert "kubectl.kubernetes.io/last-applied-configuration" not in annotations


def test_scaling_in_the_middle_of_a_rollout_is_proportional() -> None:
    web = rolling(3, 2, replicas=15)
    notes = {DESIRED_REPLICAS: "10", MAX_REPLICAS: "13"}
    old = replica_set("old", 8, annotations=notes, creationTimestamp=ago(90))
    new = replica_set("new", 5, annotations=notes, creationTimestamp=ago(9))
    assert was_scaled(web, [old, new])
    sizes = proportional_sizes(web, new, [old, new])
    # The example of the documentation: 5 more replicas, 3 for the larger and 2 for the smaller.
    assert sizes == {"old": 11, "new": 7}


def test_a_single_replica_set_is_scaled_to_the_whole() -> None:
    new = replica_set("new", 3, annotations={DESIRED_REPLICAS: "3"})
    assert proportional_sizes(deployment(5), new, [replica_set("old", 0), new]) == {"new": 5}
    assert not was_scaled(deployment(3), [new])


def test_history_beyond_the_limit_goes_oldest_first() -> None:
    old = [replica_set(f"r{n}", 0, annotations={REVISION: str(n)}) for n in range(5)]
    web = deployment(revisionHistoryLimit=3)
    assert [name_of(rs) for rs in surplus_history(web, old)] == ["r0", "r1"]
    in_use = [*old[1:], replica_set("r0", 1, annotations={REVISION: "0"})]
    assert [name_of(rs) for rs in surplus_history(web, in_use)] == ["r1", "r2"]


def status_of(web: Object, new: Object, *others: Object, **options: Any) -> Object:
    return deployment_status(web, new, [new, *others], **options)


def reason(status: Object, type_: str) -> tuple[str, str]:
    entry = condition({"status": status}, type_)
    assert entry is not None
    return entry["status"], entry["reason"]


def test_a_complete_rollout_says_so() -> None:
    web, new = deployment(), replica_set("new", 4)
    status = status_of(web, new)
    assert is_complete(web, status)
    assert reason(status, "Progressing") == ("True", "NewReplicaSetAvailable")
    assert reason(status, "Available") == ("True", "MinimumReplicasAvailable")
    assert "unavailableReplicas" not in status


def test_a_rollout_under_way_counts_old_and_new_pods() -> None:
    web = rolling(1, 0)
    status = status_of(web, replica_set("new", 1, available=0), replica_set("old", 4), created=True)
    assert (status["replicas"], status["updatedReplicas"]) == (5, 1)
    assert (status["availableReplicas"], status["unavailableReplicas"]) == (4, 1)
    assert reason(status, "Progressing") == ("True", "NewReplicaSetCreated")
    assert not is_complete(web, status)


def test_a_rollout_that_does_not_move_exceeds_its_deadline() -> None:
    new = replica_set("new", 4, available=0)
    web = deployment(progressDeadlineSeconds=10)
    web["status"] = status_of(web, new, created=True)
    progressing = condition(web, "Progressing")
    assert progressing is not None
    progressing["lastUpdateTime"] = ago(5)
    left_s = deadline_left_s(web)
    assert left_s is not None
    assert 3 < left_s <= 6
    assert reason(status_of(web, new), "Progressing")[0] == "True"
    progressing["lastUpdateTime"] = ago(11)
    assert reason(status_of(web, new), "Progressing") == ("False", "ProgressDeadlineExceeded")


def test_a_finished_rollout_stays_finished_when_a_pod_dies() -> None:
    web = deployment()
    web["status"] = status_of(web, replica_set("new", 4))
    status = status_of(web, replica_set("new", 4, available=2))
    assert reason(status, "Progressing") == ("True", "NewReplicaSetAvailable")
    assert reason(status, "Available") == ("False", "MinimumReplicasUnavailable")


def test_a_pause_and_its_end_show_in_the_conditions() -> None:
    web = deployment(paused=True)
    new = replica_set("new", 4, available=0)
    web["status"] = status_of(web, new)
    assert reason(web["status"], "Progressing") == ("Unknown", "DeploymentPaused")
    web["spec"]["paused"] = False
    assert reason(status_of(web, new), "Progressing") == ("Unknown", "DeploymentResumed")


def test_an_unchanged_status_keeps_its_times() -> None:
    web, new = deployment(), replica_set("new", 4)
    web["status"] = status_of(web, new)
    for entry in web["status"]["conditions"]:
        entry["lastUpdateTime"] = entry["lastTransitionTime"] = ago(77)
    assert status_of(web, new) == web["status"]
