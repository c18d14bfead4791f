"""Delete: at once, or marked and held by finalizers or a grace period.

The rules are kube-apiserver's registry's (k8s.io/apiserver pkg/registry/generic): see
"Garbage Collection" and "Finalizers" in the Kubernetes documentation.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from pilotfish.apiserver.allocation.addresses import remove_with_addresses
from pilotfish.apiserver.call import Answer, Call
from pilotfish.apiserver.core import Core
from pilotfish.apiserver.entries import Entry, Page
from pilotfish.apiserver.errors import (
    StatusError,
    conflict,
    details_of,
    forbidden,
    not_found,
    success,
)
from pilotfish.apiserver.incoming import incoming_as
from pilotfish.apiserver.options import check_dry_run, check_list_options, refusal
from pilotfish.apiserver.selection import selection_of
from pilotfish.apiserver.validation.causes import Cause, not_supported
from pilotfish.apiserver.validation.causes import invalid as invalid_field
from pilotfish.apiserver.versions import from_stored
from pilotfish.objects.meta import Object, name_of, uid_of
from pilotfish.objects.pods import is_terminal
from pilotfish.objects.resources import Resource
from pilotfish.objects.times import format_time

_FOREGROUND: Final = "foregroundDeletion"
_ORPHAN: Final = "orphan"
_POLICIES: Final = ("Foreground", "Background", "Orphan")
_DEFAULT_GRACE_PERIOD_S: Final = 30
_IMMORTAL_NAMESPACES: Final = ("default", "kube-system", "kube-public")

# Kinds whose deletion answers with the object, not with a Status.
_ANSWERS_OBJECT: Final = frozenset(
    {
        "persistentvolumeclaims",
        "persistentvolumes",
        "pods",
        "podtemplates",
        "resourcequotas",
        "serviceaccounts",
        "services",
    }
)


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """meta/v1 DeleteOptions.

    Attributes:
        grace_period_s: None for the object's own.
        propagation: `Background`, `Foreground`, `Orphan`; "" for the default.
        uid: delete only the object of this uid; "" for any.
        resource_version: delete only at this version; "" for any.
    """

    grace_period_s: int | None = None
    propagation: str = ""
    uid: str = ""
    resource_version: str = ""
    dry_run: bool = False


def delete_options(call: Call) -> DeleteOptions:
    """The options of a DELETE: from its body, else from its query.

    Raises:
        StatusError: 400 or 422 for options that make no sense.
    """
    body: Object = {}
    if call.content.body.strip():
        body = incoming_as(call, "v1", "DeleteOptions")
    return options_of(body, call)


def options_of(body: Object, call: Call) -> DeleteOptions:
    """`delete_options` from a decoded DeleteOptions object; the query fills what it leaves out.

    Raises:
        StatusError: 400 or 422 for options that make no sense.
    """
    causes: list[Cause] = []
    grace = body.get("gracePeriodSeconds")
    if grace is None:
        grace = call.number("gracePeriodSeconds")
    orphans = body.get("orphanDependents")
    if orphans is None and "orphanDependents" in call.query:
        orphans = call.flag("orphanDependents")
    policy = body.get("propagationPolicy") or call.query.get("propagationPolicy", "")
    if policy and orphans is not None:
        why = "orphanDependents and deletionPropagation cannot be both set"
        causes.append(invalid_field("propagationPolicy", policy, why))
    if policy and policy not in _POLICIES:
        causes.append(not_supported("propagationPolicy", policy, [*_POLICIES, "nil"]))
    dry_runs = body.get("dryRun") or [call.query.get("dryRun", "")]
    causes += [cause for value in dry_runs for cause in check_dry_run(value)]
    if causes:
        raise refusal("DeleteOptions", causes)
    if orphans is not None:
        policy = "Orphan" if orphans else "Background"
    preconditions = body.get("preconditions") or {}
    return DeleteOptions(
        # A negative period is one second, as kube-apiserver has it.
        grace_period_s=1 if grace is not None and grace < 0 else grace,
        propagation=policy,
        uid=preconditions.get("uid") or "",
        resource_version=preconditions.get("resourceVersion") or "",
        dry_run=call.dry_run or bool(body.get("dryRun")),
    )


def is_finished(resource: Resource, obj: Object) -> bool:
    """Whether a marked object has nothing left that holds it."""
    metadata = obj["metadata"]
    if "deletionTimestamp" not in metadata or metadata.get("finalizers"):
        return False
    if resource.full_name == "namespaces":
        return not obj.get("spec", {}).get("finalizers")
    return not metadata.get("deletionGracePeriodSeconds")


def mark(resource: Resource, obj: Object, options: DeleteOptions, now: datetime) -> bool:
    """Do to an object, in place, what a deletion does before it is gone.

    Returns:
        Whether the object may be removed now; if not, it is to be stored as it is now.
    """
    metadata = obj["metadata"]
    grace = _grace_period_s(resource, obj, options)
    finalizers = _finalizers(metadata.get("finalizers") or [], options.propagation)
    held = bool(finalizers) or (
        resource.full_name == "namespaces" and bool(obj.get("spec", {}).get("finalizers"))
    )
    if "deletionTimestamp" in metadata:
        # A second deletion can only shorten the period of the first.
        before = metadata.get("deletionGracePeriodSeconds") or 0
        if grace < before:
            _set_deletion(metadata, now, grace)
    elif held or grace:
        _set_deletion(metadata, now, grace)
        if "generation" in metadata:
            metadata["generation"] += 1
    if finalizers != (metadata.get("finalizers") or []):
        metadata["finalizers"] = finalizers
        if not finalizers:
            del metadata["finalizers"]
    if resource.full_name == "namespaces" and held:
        obj["status"] = {**obj.get("status", {}), "phase": "Terminating"}
    return not held and not grace


def _grace_period_s(resource: Resource, obj: Object, options: DeleteOptions) -> int:
    """How long the object may take; only Pods take any time."""
    if resource.full_name != "pods":
        return 0
    spec: dict[str, Any] = obj.get("spec", {})
    if not spec.get("nodeName") or is_terminal(obj):
        return 0  # no kubelet has it, or has to stop it
    if options.grace_period_s is not None:
        return options.grace_period_s
    period = spec.get("terminationGracePeriodSeconds")
    if period is None:
        return _DEFAULT_GRACE_PERIOD_S
    # Kubernetes takes less than nothing, and means a second by it.
    return int(period) if period >= 0 else 1


def _finalizers(present: list[str], propagation: str) -> list[str]:
    """The finalizers that a propagation policy leaves and adds."""
    if not propagation:
        return present
    kept = [name for name in present if name not in (_FOREGROUND, _ORPHAN)]
    if propagation == "Foreground":
        return [*kept, _FOREGROUND]
    return [*kept, _ORPHAN] if propagation == "Orphan" else kept


def _set_deletion(metadata: dict[str, Any], now: datetime, grace_s: int) -> None:
    metadata["deletionTimestamp"] = format_time(now + timedelta(seconds=grace_s))
    metadata["deletionGracePeriodSeconds"] = grace_s


async def delete(core: Core, call: Call) -> Answer:
    """DELETE an object.

    Raises:
        StatusError: 403, 404, 409, as kube-apiserver has them.
    """
    resource = call.resource
    entry, gone = await delete_object(core, resource, call.key, delete_options(call))
    if gone and resource.full_name not in _ANSWERS_OBJECT:
        obj = entry.decode()
        return Answer(success(200, details_of(resource, name_of(obj), uid_of(obj))))
    return Answer(from_stored(resource, entry.data))


async def delete_collection(core: Core, call: Call) -> Answer:
    """DELETE a collection: every object of the selection; answers with what they were.

    Raises:
        StatusError: 400 for a bad selector, and what deleting one of them meets.
    """
    resource, query = call.resource, call.query
    check_list_options(call)
    options = delete_options(call)
    selection = selection_of(
        resource,
        call.route.namespace,
        query.get("labelSelector", ""),
        query.get("fieldSelector", ""),
    )

    async def delete_one(key: str) -> Entry | None:
        try:
            deleting = partial(delete_object, core, resource, key, options)
            return (await core.registry.attempt(deleting))[0]
        except StatusError as error:
            if error.code != 404:
                raise
            return None  # somebody else was quicker

    selected = core.registry.collection(resource.full_name).select(selection)
    deleted = await asyncio.gather(*(delete_one(entry.key) for entry in selected))
    gone = [entry for entry in deleted if entry is not None]
    return Answer(Page(gone, core.registry.revision))


async def delete_object(
    core: Core, resource: Resource, key: str, options: DeleteOptions
) -> tuple[Entry, bool]:
    """Delete an object as far as it goes now.

    Returns:
        The entry as it is now or was last, and whether it is gone.

    Raises:
        StatusError: 403, 404 or 409.
    """
    name = key.rpartition("/")[2]
    current = core.registry.latest(resource.full_name, key)
    if current is None:
        raise not_found(resource, name)
    obj = current.decode()
    _check(resource, name, obj, options)
    before = dict(obj["metadata"])
    if mark(resource, obj, options, datetime.now(UTC)):
        return await remove(core, resource, obj, dry_run=options.dry_run), True
    if obj["metadata"] == before:
        return current, False
    if options.dry_run:
        return core.registry.preview(resource.full_name, obj), False
    return await core.registry.put(resource.full_name, obj), False


async def remove(core: Core, resource: Resource, obj: Object, *, dry_run: bool = False) -> Entry:
    """Take an object out of the store, and back what was allocated to it.

    Raises:
        StatusError: 500, when the store failed.
    """
    if dry_run:
        return core.registry.preview(resource.full_name, obj)
    if resource.full_name != "services":
        return await core.registry.remove(resource.full_name, obj)
    entry = await remove_with_addresses(core.registry, obj)
    core.services.release(obj)
    return entry


def _check(resource: Resource, name: str, obj: Object, options: DeleteOptions) -> None:
    metadata = obj["metadata"]
    if options.uid and options.uid != metadata["uid"]:
        raise conflict(
            resource,
            name,
            f"Precondition failed: UID in precondition: {options.uid}, "
            f"UID in object meta: {metadata['uid']}",
        )
    version = options.resource_version
    if version and version != metadata["resourceVersion"]:
        raise conflict(
            resource,
            name,
            f"Precondition failed: ResourceVersion in precondition: {version}, "
            f"ResourceVersion in object meta: {metadata['resourceVersion']}",
        )
    if resource.full_name == "namespaces" and name in _IMMORTAL_NAMESPACES:
        raise forbidden(resource, name, "this namespace may not be deleted")
