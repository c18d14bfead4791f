"""Create: a new object, from the request's body to the store."""

from __future__ import annotations

import random
import uuid
from typing import Final

from pilotfish.apiserver.admission import admit_pod
from pilotfish.apiserver.allocation.addresses import put_with_addresses
from pilotfish.apiserver.apply.accounting import account_creation
from pilotfish.apiserver.call import Answer, Call
from pilotfish.apiserver.core import Core
from pilotfish.apiserver.custom.definitions import FINALIZER, settle
from pilotfish.apiserver.custom.installing import definitions_of_group
from pilotfish.apiserver.custom.resource import DEFINITIONS, CustomResource, type_of
from pilotfish.apiserver.defaulting import apply_defaults
from pilotfish.apiserver.entries import Entry
from pilotfish.apiserver.errors import StatusError, already_exists, forbidden, invalid, not_found
from pilotfish.apiserver.incoming import incoming_object
from pilotfish.apiserver.owners import drop_duplicate_owners
from pilotfish.apiserver.rbac.signers import check_subject, is_request
from pilotfish.apiserver.runtimeclassadmission import admit_runtime_class
from pilotfish.apiserver.strategy import prepare_for_create
from pilotfish.apiserver.validation.causes import required
from pilotfish.apiserver.validation.registry import validate_create
from pilotfish.apiserver.versions import from_stored, to_stored
from pilotfish.apiserver.warnings.registry import warnings_of
from pilotfish.objects.meta import Object, key_of
from pilotfish.objects.resources import Resource, resource
from pilotfish.objects.times import now

# Letters and digits without vowels and look-alikes: no words, no misreading.
_SUFFIX_LETTERS: Final = "bcdfghjklmnpqrstvwxz2456789"
_SUFFIX_LENGTH: Final = 5
_LONGEST_BASE: Final = 63 - _SUFFIX_LENGTH
_TRIES: Final = 8


async def create(core: Core, call: Call) -> Answer:
    """POST to a collection.

    Raises:
        StatusError: 400, 403, 404, 409, 422, as kube-apiserver has them.
    """
    obj = incoming_object(call)
    entry = await create_object(
        core,
        call.resource,
        obj,
        manager=call.manager,
        dry_run=call.dry_run,
        warnings=call.warnings,
    )
    return Answer(from_stored(call.resource, entry.data), 201)


async def create_object(
    core: Core,
    kind: Resource,
    obj: Object,
    *,
    manager: str | None = None,
    dry_run: bool = False,
    warnings: list[str] | None = None,
) -> Entry:
    """Create a decoded object: defaults, account, admission, strategy, validation, store.

    Args:
        manager: whose the fields become; None where managedFields says it already.
        warnings: gets what to tell the author.

    Raises:
        StatusError: when it may not be created.
    """
    check_namespace_takes_objects(core, kind, obj)
    if isinstance(kind, CustomResource) and kind.is_ending:
        why = "create not allowed while custom resource definition is terminating"
        raise StatusError(405, "MethodNotAllowed", why)
    metadata = obj["metadata"]
    if metadata.get("resourceVersion"):
        raise StatusError(
            500, "InternalError", "resourceVersion should not be set on objects to be created"
        )
    generate_name(core, kind, obj)
    if core.registry.latest(kind.full_name, key_of(obj)) is not None:
        raise already_exists(kind, metadata["name"])
    metadata["uid"] = str(uuid.uuid4())
    metadata["creationTimestamp"] = now()
    metadata.pop("selfLink", None)
    metadata.pop("resourceVersion", None)
    drop_duplicate_owners(obj, warnings)
    apply_defaults(kind, obj)
    # Nobody owns the fields that admission and the server add.
    if manager is not None:
        # Who owns which fields is for the server to say.
        metadata.pop("managedFields", None)
        has_status = "status" in kind.subresources
        account_creation(obj, type_of(kind), manager, but_status=has_status)
    if kind.full_name == "pods":
        admit_pod(core, obj)
        admit_runtime_class(core, obj)
    prepare_for_create(kind, obj)
    causes = validate_create(kind, obj)
    if causes:
        raise invalid(kind.kind, kind.group, metadata["name"], causes)
    if is_request(kind):
        check_subject(obj)
    if warnings is not None:
        warnings += warnings_of(kind, obj)
    if kind.full_name == DEFINITIONS:
        metadata["finalizers"] = list({*(metadata.get("finalizers") or ()), FINALIZER})
        settle(obj, definitions_of_group(core, obj["spec"]["group"]))
    obj = to_stored(kind, obj)
    if kind.full_name == "services":
        return await _create_service(core, kind, obj, dry_run=dry_run)
    if dry_run:
        return core.registry.preview(kind.full_name, obj)
    return await core.registry.put(kind.full_name, obj)


async def _create_service(core: Core, kind: Resource, obj: Object, *, dry_run: bool) -> Entry:
    causes = core.services.allocate(obj, None)
    if causes:
        raise invalid(kind.kind, kind.group, obj["metadata"]["name"], causes)
    if dry_run:
        core.services.undo(obj, None)
        return core.registry.preview(kind.full_name, obj)
    try:
        return await put_with_addresses(core.registry, obj, None)
    except StatusError:
        core.services.undo(obj, None)
        raise


def generate_name(core: Core, kind: Resource, obj: Object) -> None:
    """Give an object with only a generateName its name.

    Raises:
        StatusError: 422 when it has neither.
    """
    metadata = obj["metadata"]
    if metadata.get("name"):
        return
    base = metadata.get("generateName", "")
    if not base:
        cause = required("metadata.name", "name or generateName is required")
        raise invalid(kind.kind, kind.group, "", [cause])
    for _ in range(_TRIES):
        suffix = "".join(random.choices(_SUFFIX_LETTERS, k=_SUFFIX_LENGTH))
        metadata["name"] = base[:_LONGEST_BASE] + suffix
        if core.registry.latest(kind.full_name, key_of(obj)) is None:
            return


def check_namespace_takes_objects(core: Core, kind: Resource, obj: Object) -> None:
    """See that the namespace of a new object exists and is not being deleted.

    Raises:
        StatusError: 404 or 403 (admission plugin NamespaceLifecycle).
    """
    if not kind.namespaced:
        return
    namespace = obj["metadata"]["namespace"]
    entry = core.registry.latest("namespaces", namespace)
    if entry is None:
        raise not_found(resource("namespaces"), namespace)
    if entry.fields.get("status.phase") == "Terminating":
        why = (
            f"unable to create new content in namespace {namespace} because it is being terminated"
        )
        cause = {
            "reason": "NamespaceTerminating",
            "message": f"namespace {namespace} is being terminated",
            "field": "metadata.namespace",
        }
        raise forbidden(kind, obj["metadata"].get("name", ""), why, [cause])
