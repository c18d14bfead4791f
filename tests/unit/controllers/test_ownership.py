"""Garbage collection: what happens to an object when its owners go."""

from __future__ import annotations

from typing import Any

from pilotfish.controllers.garbage_collector import collected_resources
from pilotfish.controllers.ownership import (
    FOREGROUND,
    Owner,
    Verdict,
    blocks,
    state_of_owner,
    unblocking,
    verdict,
    without_finalizer,
    without_owners,
)
from pilotfish.objects.meta import Object, owner_reference, uid_of
from support.workloads import make_pod, make_replica_set

OWNER = make_replica_set("owner")
OTHER = make_replica_set("other")


def dependent(*owners: Object, **fields: Any) -> Object:
    pod = make_pod("pod", **fields)
    pod["metadata"]["ownerReferences"] = [owner_reference(owner) for owner in owners]
    return pod


def judged(owner: Owner, obj: Object | None = None, *below: Object) -> Verdict:
    return verdict(obj or dependent(OWNER), {uid_of(OWNER): owner}, below)


def test_an_object_with_a_living_owner_stays() -> None:
    assert judged(Owner.SOLID) == Verdict()


def test_an_object_whose_only_owner_is_gone_is_deleted() -> None:
    assert judged(Owner.ABSENT) == Verdict(delete="Background")


def test_an_object_with_another_owner_stays_and_forgets_the_one_that_went() -> None:
    owners = {uid_of(OWNER): Owner.ABSENT, uid_of(OTHER): Owner.SOLID}
    decided = verdict(dependent(OWNER, OTHER), owners, [])
    assert decided == Verdict(drop_owners=frozenset({uid_of(OWNER)}))


def test_an_object_without_owners_stays() -> None:
    assert verdict(make_pod(), {}, []) == Verdict()


def test_foreground_deletion_reaches_down() -> None:
    below = dependent(OWNER)
    assert judged(Owner.WAITING) == Verdict(delete="Background")
    assert judged(Owner.WAITING, None, below) == Verdict(delete="Foreground")


def test_a_circle_of_waiting_owners_is_opened() -> None:
    waiting = dependent(OWNER, deletionTimestamp="t", finalizers=[FOREGROUND])
    assert judged(Owner.WAITING, None, waiting).unblock


def test_an_object_on_its_way_out_is_left_to_go() -> None:
    assert judged(Owner.ABSENT, dependent(OWNER, deletionTimestamp="t")) == Verdict()


def test_the_orphan_finalizer_outlives_the_owner() -> None:
    assert judged(Owner.ABSENT, dependent(OWNER, finalizers=["orphan"])).delete == "Orphan"


def test_a_namesake_of_the_owner_is_not_the_owner() -> None:
    reference = owner_reference(OWNER)
    assert state_of_owner(OWNER, reference) is Owner.SOLID
    assert state_of_owner(make_replica_set("owner"), reference) is Owner.ABSENT
    assert state_of_owner(None, reference) is Owner.ABSENT


def test_an_owner_in_foreground_deletion_waits() -> None:
    owner = make_replica_set("o", deletionTimestamp="t", finalizers=[FOREGROUND])
    assert state_of_owner(owner, owner_reference(owner)) is Owner.WAITING


def test_only_dependents_that_say_so_block_their_owner() -> None:
    obj = dependent(OWNER)
    assert blocks(obj, uid_of(OWNER))
    assert not blocks(obj, uid_of(OTHER))
    freed = unblocking(obj)["metadata"]["ownerReferences"]
    assert [entry["blockOwnerDeletion"] for entry in freed] == [False]


def test_patches_name_the_very_object_they_are_for() -> None:
    obj = dependent(OWNER, OTHER, finalizers=["a", FOREGROUND])
    for patch in (without_owners(obj, [uid_of(OWNER)]), without_finalizer(obj, FOREGROUND)):
        assert patch["metadata"]["uid"] == uid_of(obj)
        assert patch["metadata"]["resourceVersion"] == obj["metadata"]["resourceVersion"]
    kept = without_owners(obj, [uid_of(OWNER)])["metadata"]["ownerReferences"]
    assert [entry["uid"] for entry in kept] == [uid_of(OTHER)]
    assert without_finalizer(obj, FOREGROUND)["metadata"]["finalizers"] == ["a"]


def test_everything_that_can_own_is_followed_but_no_events() -> None:
    followed = collected_resources()
    assert {"pods", "replicasets.apps", "configmaps", "endpointslices.discovery.k8s.io"} <= set(
        followed
    )
    assert not any("events" in resource for resource in followed)
    assert len(followed) == len(set(followed))
