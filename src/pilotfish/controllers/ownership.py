"""What becomes of an object when its owners go: the thinking of the garbage collector.

"Garbage Collection: Owners and dependents, Cascading deletion" in the
Kubernetes documentation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

from pilotfish.objects.meta import Object, is_deleting, uid_of

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"

Propagation = Literal["Background", "Foreground", "Orphan"]


class Owner(Enum):
    """The state of an owner that a reference names."""

    SOLID = "exists"
    ABSENT = "absent"
    WAITING = "is being deleted and waits for its dependents"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with an object.

    Attributes:
        delete: delete it with this propagation; None to leave it.
        drop_owners: uids of owner references to remove.
        unblock: whether to stop it from blocking its owners' deletion.
    """

    delete: Propagation | None = None
    drop_owners: frozenset[str] = field(default_factory=frozenset)
    unblock: bool = False


def owner_references(obj: Mapping[str, Any]) -> list[Object]:
    """The object's owner references."""
    return list(obj["metadata"].get("ownerReferences") or ())


def finalizers_of(obj: Mapping[str, Any]) -> list[str]:
    """The object's finalizers."""
    return list(obj["metadata"].get("finalizers") or ())


def waits_for_dependents(obj: Object) -> bool:
    """Whether the object's deletion waits for its dependents' (foreground)."""
    return is_deleting(obj) and FOREGROUND in finalizers_of(obj)


def orphans_dependents(obj: Object) -> bool:
    """Whether the object's dependents are to be released before it goes."""
    return is_deleting(obj) and ORPHAN in finalizers_of(obj)


def state_of_owner(owner: Object | None, reference: Mapping[str, Any]) -> Owner:
    """The state of the object that was found under a reference's name."""
    if owner is None or uid_of(owner) != reference["uid"]:
        return Owner.ABSENT
    return Owner.WAITING if waits_for_dependents(owner) else Owner.SOLID


def verdict(obj: Object, owners: Mapping[str, Owner], dependents: Iterable[Object]) -> Verdict:
    """What to do with an object whose owners are in these states.

    Args:
        obj: an object with owner references.
        owners: the state of each owner, by uid.
        dependents: the objects that name `obj` as an owner.
    """
    if is_deleting(obj) and not waits_for_dependents(obj):
        return Verdict()  # on its way already
    states = set(owners.values())
    if not states:
        return Verdict()
    if Owner.SOLID in states:
        gone = frozenset(uid for uid, state in owners.items() if state is not Owner.SOLID)
        return Verdict(drop_owners=gone)
    if is_deleting(obj):
        return Verdict()
    below = list(dependents)
    if Owner.WAITING in states and below:
        # A dependent that is itself waiting would wait for us: a circle, which we open.
        circle = any(waits_for_dependents(dependent) for dependent in below)
        return Verdict(delete="Foreground", unblock=circle)
    if ORPHAN in finalizers_of(obj):
        return Verdict(delete="Orphan")
    if FOREGROUND in finalizers_of(obj):
        return Verdict(delete="Foreground")
    return Verdict(delete="Background")


def blocks(dependent: Object, owner_uid: str) -> bool:
    """Whether the dependent holds up the foreground deletion of that owner."""
    return any(
        reference["uid"] == owner_uid and reference.get("blockOwnerDeletion")
        for reference in owner_references(dependent)
    )


def without_owners(obj: Object, uids: Iterable[str]) -> Object:
    """The merge patch that removes owner references; it fails if the object has changed."""
    gone = frozenset(uids)
    kept = [entry for entry in owner_references(obj) if entry["uid"] not in gone]
    return _metadata_patch(obj, {"ownerReferences": kept or None})


def unblocking(obj: Object) -> Object:
    """The merge patch after which the object holds up no owner's deletion."""
    references = [{**entry, "blockOwnerDeletion": False} for entry in owner_references(obj)]
    return _metadata_patch(obj, {"ownerReferences": references})


def without_finalizer(obj: Object, finalizer: str) -> Object:
    """The merge patch that removes one finalizer; it fails if the object has changed."""
    kept = [entry for entry in finalizers_of(obj) if entry != finalizer]
    return _metadata_patch(obj, {"finalizers": kept or None})


def _metadata_patch(obj: Object, change: Object) -> Object:
    version = obj["metadata"]["resourceVersion"]
    return {"metadata": {"uid": uid_of(obj), "resourceVersion": version, **change}}
