"""Server-side apply: PATCH with a configuration, whose fields its manager comes to own.

"Server-Side Apply" in the Kubernetes documentation; the merge itself is in `apply`.
"""

from __future__ import annotations

from functools import partial

from pilotfish.apiserver.apply.applying import apply_configuration, check_applied
from pilotfish.apiserver.apply.checking import check_elements, untyped
from pilotfish.apiserver.call import Answer, Call
from pilotfish.apiserver.core import Core
from pilotfish.apiserver.creating import create_object
from pilotfish.apiserver.custom.resource import type_of
from pilotfish.apiserver.decoding import decode_object
from pilotfish.apiserver.errors import bad_request, conflict
from pilotfish.apiserver.incoming import (
    check_namespace,
    complete,
    field_validation,
    incoming_patch,
    strict_problems,
)
from pilotfish.apiserver.rbac.attributes import creation_of
from pilotfish.apiserver.updating import replace
from pilotfish.apiserver.versions import from_stored
from pilotfish.objects.meta import Object


async def apply(core: Core, call: Call) -> Answer:
    """PATCH by server-side apply: creates what does not exist, for who may create.

    Raises:
        StatusError: 400, 403, 404, 409 for fields that another manager owns or for
            a uid of no object, 422; 500 for lists that cannot be merged.
    """
    resource, route = call.resource, call.route
    applied: Object = incoming_patch(call, is_object=True)
    unknown = decode_object(resource, applied)
    why_not = check_applied(resource, applied)
    if why_not:
        raise bad_request(why_not)
    _check_typed(call, applied, unknown)
    metadata = applied.setdefault("metadata", {})
    if metadata.setdefault("name", route.name) != route.name:
        raise bad_request(
            f"the name of the object ({metadata['name']}) does not match the name on the URL "
            f"({route.name})"
        )
    if resource.namespaced:
        check_namespace(call, applied)
    schema = type_of(resource)
    check_elements(applied, schema)
    applier = partial(
        apply_configuration,
        applied=applied,
        schema=schema,
        manager=call.manager,
        subresource=route.subresource,
        force=call.flag("force"),
        reset=_reset_fields(call),
    )
    exists = core.registry.latest(resource.full_name, call.key) is not None
    if not exists and not route.subresource:
        if metadata.get("uid"):
            why = (
                f"uid mismatch: the provided object specified uid {metadata['uid']}, and no "
                "existing object was found"
            )
            raise conflict(resource, route.name, why)
        core.authorizer.check(call.user, creation_of(route))
        empty = {
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "metadata": {"managedFields": []},
        }
        obj = applier(empty)
        complete(resource, obj)
        entry = await create_object(
            core, resource, obj, dry_run=call.dry_run, warnings=call.warnings
        )
        return Answer(from_stored(resource, entry.data), 201)
    entry = await replace(
        core,
        resource,
        call.key,
        applier,
        subresource=route.subresource,
        manager=None,
        dry_run=call.dry_run,
        warnings=call.warnings,
    )
    return Answer(from_stored(resource, entry.data))


def _reset_fields(call: Call) -> frozenset[str]:
    """The top-level fields that a request cannot write, so that nobody comes to own them by it."""
    if "status" not in call.resource.subresources:
        return frozenset()
    match call.route.subresource:
        case "":
            return frozenset({"status"})
        case "status":
            return frozenset({"spec"})
    return frozenset()


def _check_typed(call: Call, applied: Object, unknown: list[str]) -> None:
    """Refuse fields that the schema does not have, and fields that stand twice.

    Raises:
        StatusError: 500 for what has no place in the schema, as kube-apiserver has it: the
            merge cannot begin. 400 for duplicates, when validation is strict.
    """
    if unknown:
        fields = [each.removeprefix('unknown field "').removesuffix('"') for each in unknown]
        raise untyped(applied, [f".{field}: field not declared in schema" for field in fields])
    level, problems = field_validation(call), strict_problems(call)
    if problems and level == "Strict":
        raise bad_request(f"error strict decoding patch: {', '.join(problems)}")
    if level == "Warn":
        call.warnings.extend(problems)
