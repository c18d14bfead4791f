"""Update: a successor of an object that exists, from whoever makes it to the store.

PUT, every kind of PATCH and the subresources that write (status, scale, binding, …) all come
through `replace`; they differ in the function that makes the new object from the old.
"""

from __future__ import annotations

from collections.abc import Callable

from pilotfish.apiserver.allocation.addresses import put_with_addresses
from pilotfish.apiserver.apply.accounting import account_update
from pilotfish.apiserver.call import Answer, Call
from pilotfish.apiserver.core import Core
from pilotfish.apiserver.creating import create_object
from pilotfish.apiserver.custom.definitions import settle
from pilotfish.apiserver.custom.installing import definitions_of_group
from pilotfish.apiserver.custom.resource import DEFINITIONS, CustomResource, type_of
from pilotfish.apiserver.defaulting import apply_defaults
from pilotfish.apiserver.deleting import is_finished, remove
from pilotfish.apiserver.entries import Entry
from pilotfish.apiserver.errors import (
    StatusError,
    bad_request,
    conflict,
    invalid,
    modified,
    not_found,
)
from pilotfish.apiserver.incoming import incoming_object
from pilotfish.apiserver.owners import drop_duplicate_owners
from pilotfish.apiserver.rbac.attributes import creation_of
from pilotfish.apiserver.strategy import prepare_for_update
from pilotfish.apiserver.validation.causes import invalid as invalid_field
from pilotfish.apiserver.validation.registry import validate_update
from pilotfish.apiserver.versions import from_stored, to_served, to_stored
from pilotfish.apiserver.warnings.registry import warnings_of
from pilotfish.objects.meta import Object
from pilotfish.objects.resources import Resource

# What makes an object's successor: gets a copy of it to keep or change.
Change = Callable[[Object], Object]

# Kinds that a PUT creates when they do not exist (their strategies' AllowCreateOnUpdate).
_CREATED_BY_PUT = frozenset(
    {
        "clusterrolebindings.rbac.authorization.k8s.io",
        "clusterroles.rbac.authorization.k8s.io",
        "endpoints",
        "events",
        "events.events.k8s.io",
        "leases.coordination.k8s.io",
        "limitranges",
        "podtemplates",
        "rolebindings.rbac.authorization.k8s.io",
        "roles.rbac.authorization.k8s.io",
        "runtimeclasses.node.k8s.io",
    }
)
# Kinds whose update has to say which version of the object it is meant for (their strategies'
# AllowUnconditionalUpdate), beside custom resources.
_CONDITIONAL = frozenset(
    {
        "apiservices.apiregistration.k8s.io",
        "clustertrustbundles.certificates.k8s.io",
        "csidrivers.storage.k8s.io",
        "csinodes.storage.k8s.io",
        "csistoragecapacities.storage.k8s.io",
        "customresourcedefinitions.apiextensions.k8s.io",
        "leases.coordination.k8s.io",
        "mutatingadmissionpolicies.admissionregistration.k8s.io",
        "mutatingadmissionpolicybindings.admissionregistration.k8s.io",
        "mutatingwebhookconfigurations.admissionregistration.k8s.io",
        "poddisruptionbudgets.policy",
        "runtimeclasses.node.k8s.io",
        "validatingadmissionpolicies.admissionregistration.k8s.io",
        "validatingadmissionpolicybindings.admissionregistration.k8s.io",
        "validatingwebhookconfigurations.admissionregistration.k8s.io",
        "volumeattachments.storage.k8s.io",
    }
)
# Subresources by which the server itself changes what no client's object is compared to.
_OWN_CHANGES = frozenset({"binding", "finalize"})


async def update(core: Core, call: Call) -> Answer:
    """PUT on an object or on its status; creates what does not exist where its kind is so.

    Raises:
        StatusError: 400, 403, 404, 409, 422, as kube-apiserver has them.
    """
    resource, route = call.resource, call.route
    obj = incoming_object(call)
    name = obj["metadata"].get("name")
    if not name:
        raise bad_request(
            f"the name of the object ({route.name} based on URL) was undeterminable: name must "
            "be provided"
        )
    if name != route.name:
        raise bad_request(
            f"the name of the object ({name}) does not match the name on the URL ({route.name})"
        )
    dry_run = call.dry_run
    if (
        not route.subresource
        and resource.full_name in _CREATED_BY_PUT
        and core.registry.latest(resource.full_name, call.key) is None
    ):
        core.authorizer.check(call.user, creation_of(route))
        obj["metadata"].pop("resourceVersion", None)
        entry = await create_object(
            core,
            resource,
            obj,
            manager=call.manager,
            dry_run=dry_run,
            warnings=call.warnings,
        )
        return Answer(from_stored(resource, entry.data), 201)
    entry = await replace(
        core,
        resource,
        call.key,
        lambda _: _conditional(resource, obj),
        subresource=route.subresource,
        manager=call.manager,
        dry_run=dry_run,
        warnings=call.warnings,
    )
    return Answer(from_stored(resource, entry.data))


def _conditional(resource: Resource, obj: Object) -> Object:
    """Check that an update says which version it is meant for, where its kind demands it.

    Raises:
        StatusError: 422.
    """
    demands = isinstance(resource, CustomResource) or resource.full_name in _CONDITIONAL
    if demands and obj["metadata"].get("resourceVersion") in (None, "", "0"):
        why = "must be specified for an update"
        causes = [invalid_field("metadata.resourceVersion", 0, why)]
        raise invalid(resource.kind, resource.group, obj["metadata"]["name"], causes)
    return obj


async def replace(
    core: Core,
    resource: Resource,
    key: str,
    change: Change,
    *,
    subresource: str = "",
    manager: str | None = None,
    dry_run: bool = False,
    warnings: list[str] | None = None,
) -> Entry:
    """Write the successor that `change` makes of an object; nothing when it changes nothing.

    Args:
        change: gets the object as served, to keep or change; raises StatusError to refuse.
        manager: who makes the change; None where the change has kept account itself.
        warnings: gets what to tell the author.

    Returns:
        The entry as it is now; of the removed object, if the change was the last finalizer's.

    Raises:
        StatusError: 404 for a missing object, 409 for a stale resourceVersion or another uid,
            422 for an invalid successor, and what `change` raises.
    """
    name = key.rpartition("/")[2]
    current = core.registry.latest(resource.full_name, key)
    if current is None:
        raise not_found(resource, name)
    old = to_served(resource, current.decode())
    new = change(to_served(resource, current.decode()))
    check_preconditions(resource, name, new["metadata"], old["metadata"])
    if subresource not in _OWN_CHANGES:
        drop_duplicate_owners(new, warnings)
        apply_defaults(resource, new)
        prepare_for_update(resource, new, old, subresource)
        causes = validate_update(resource, new, old, subresource)
        if causes:
            raise invalid(resource.kind, resource.group, name, causes)
        if warnings is not None and not subresource:
            warnings += warnings_of(resource, new, old)
        if resource.full_name == DEFINITIONS and not subresource:
            new["status"] = dict(new.get("status") or {})
            settle(new, definitions_of_group(core, new["spec"]["group"], but=name))
    new["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
    _keep_account(resource, new, old, manager, subresource)
    if new == old:
        return current
    old, new = to_stored(resource, old), to_stored(resource, new)
    if is_finished(resource, new):
        return await remove(core, resource, new, dry_run=dry_run)
    if resource.full_name == "services" and not subresource:
        return await _replace_service(core, resource, new, old, dry_run=dry_run)
    if dry_run:
        return core.registry.preview(resource.full_name, new)
    return await core.registry.put(resource.full_name, new)


def _keep_account(
    resource: Resource, new: Object, old: Object, manager: str | None, subresource: str
) -> None:
    """Keep managedFields right."""
    if manager is not None:
        account_update(new, old, type_of(resource), manager, subresource)
        return
    before, metadata = old["metadata"].get("managedFields"), new["metadata"]
    if before and _same_but_times(metadata.get("managedFields"), before):
        metadata["managedFields"] = before


def _same_but_times(left: list[Object] | None, right: list[Object]) -> bool:
    """Whether nothing but the time of the last apply is new."""

    def timeless(entries: list[Object]) -> list[Object]:
        return [{k: v for k, v in entry.items() if k != "time"} for entry in entries]

    return left is not None and timeless(left) == timeless(right)


def check_preconditions(resource: Resource, name: str, new: Object, old: Object) -> None:
    """See that an update is meant for the object as it is (its metadata: `old`).

    Raises:
        StatusError: 409 for another uid or a stale resourceVersion.
    """
    uid = new.get("uid")
    if uid and uid != old["uid"]:
        raise conflict(
            resource,
            name,
            f"Precondition failed: UID in precondition: {uid}, UID in object meta: {old['uid']}",
        )
    version = new.get("resourceVersion")
    # "0" is any version, as for readers.
    if version and version not in ("0", old["resourceVersion"]):
        raise modified(resource, name)


async def _replace_service(
    core: Core, resource: Resource, new: Object, old: Object, *, dry_run: bool
) -> Entry:
    causes = core.services.allocate(new, old)
    if causes:
        raise invalid(resource.kind, resource.group, new["metadata"]["name"], causes)
    if dry_run:
        core.services.undo(new, old)
        return core.registry.preview(resource.full_name, new)
    try:
        return await put_with_addresses(core.registry, new, old)
    except StatusError:
        core.services.undo(new, old)
        raise
