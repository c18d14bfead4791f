"""Patch: which kind of patch a request carries, and the object that it makes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from pilotfish.apiserver.apply.applying import apply_configuration, check_applied
from pilotfish.apiserver.apply.checking import check_elements
from pilotfish.apiserver.call import Answer, Call
from pilotfish.apiserver.codec import encode_body, load_json, load_yaml
from pilotfish.apiserver.core import Core
from pilotfish.apiserver.creating import create_object
from pilotfish.apiserver.custom.resource import type_of
from pilotfish.apiserver.decoding import decode_object
from pilotfish.apiserver.errors import (
    StatusError,
    bad_request,
    conflict,
    invalid,
    unsupported_media_type,
)
from pilotfish.apiserver.incoming import (
    check_namespace,
    complete,
    field_validation,
    report_problems,
)
from pilotfish.apiserver.patches.errors import PatchError, PatchFailedError
from pilotfish.apiserver.patches.json import json_patch
from pilotfish.apiserver.patches.merge import merge_patch
from pilotfish.apiserver.patches.strategic import strategic_merge_patch
from pilotfish.apiserver.rbac.attributes import creation_of
from pilotfish.apiserver.updating import replace
from pilotfish.apiserver.validation.causes import Cause, required
from pilotfish.apiserver.versions import from_stored
from pilotfish.objects.meta import Object
from pilotfish.objects.resources import Resource
from pilotfish.objects.schema import schema_for

JSON_PATCH: Final = "application/json-patch+json"
MERGE_PATCH: Final = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH: Final = "application/strategic-merge-patch+json"
APPLY_PATCH: Final = "application/apply-patch+yaml"
_TYPES: Final = (JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH, APPLY_PATCH)


async def patch(core: Core, call: Call) -> Answer:
    """PATCH an object or its status, by JSON, merge or strategic merge patch.

    Raises:
        StatusError: 400, 404, 409, 415, 422, as kube-apiserver has them.
    """
    resource = call.resource
    if patch_type(call) == APPLY_PATCH:
        return await _apply(core, call)
    change = patch_change(call, schema_for(resource.api_version, resource.kind) is not None)
    entry = await replace(
        core,
        resource,
        call.key,
        lambda obj: decoded(call, resource, change(obj)),
        subresource=call.route.subresource,
        manager=call.manager,
        dry_run=call.dry_run,
        warnings=call.warnings,
    )
    return Answer(from_stored(resource, entry.data))


async def _apply(core: Core, call: Call) -> Answer:
    """PATCH by server-side apply: creates what does not exist, for who may create.

    Raises:
        StatusError: 400, 403, 404, 409 for fields that another manager owns or for
            a uid of no object, 422; 500 for lists that cannot be merged.
    """
    resource, route = call.resource, call.route
    if not call.query.get("fieldManager"):
        cause = required("fieldManager", "is required for apply patch")
        raise invalid("PatchOptions", "meta.k8s.io", "", [cause])
    applied = _applied_object(call)
    why_not = check_applied(resource, applied)
    if why_not:
        raise bad_request(why_not)
    report_problems(call, resource, field_validation(call), decode_object(resource, applied))
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
    has_status = "status" in resource.subresources and not route.subresource
    applier = partial(
        apply_configuration,
        applied=applied,
        schema=schema,
        manager=call.manager,
        subresource=route.subresource,
        force=call.flag("force"),
        reset=frozenset({"status"} if has_status else ()),
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


def _applied_object(call: Call) -> Object:
    # YAML by its name, JSON nearly always: the fast parser gets the first try.
    try:
        value = load_json(call.body)
    except StatusError:
        value = load_yaml(call.body)
    if not isinstance(value, dict):
        raise bad_request("the applied configuration is an object")
    return value


def patch_type(call: Call) -> str:
    """The media type of the patch.

    Raises:
        StatusError: 415 for one that is no patch.
    """
    media_type = call.content_type.partition(";")[0].strip().lower()
    if media_type not in _TYPES:
        raise unsupported_media_type(_TYPES)
    return media_type


def patch_change(call: Call, has_schema: bool) -> Callable[[Object], Object]:
    """The function from an object to the patched object, which may share parts with it.

    Raises:
        StatusError: 400 for what cannot be read, 415 for an unknown type; the function: 422
            for a patch that does not fit.
    """
    media_type = patch_type(call)
    body = load_json(call.body)
    if media_type == STRATEGIC_MERGE_PATCH and not has_schema:
        raise unsupported_media_type((JSON_PATCH, MERGE_PATCH, APPLY_PATCH))
    if media_type != JSON_PATCH and not isinstance(body, dict):
        raise bad_request("a merge patch is an object")

    def change(obj: Object) -> Object:
        try:
            return _patched(media_type, obj, body)
        except PatchError as error:
            raise bad_request(str(error)) from error
        except PatchFailedError as error:
            raise StatusError(
                422,
                "Invalid",
                f"the server rejected our request due to an error in our request: {error}",
            ) from error

    return change


def _patched(media_type: str, obj: Object, body: Any) -> Object:
    if media_type == JSON_PATCH:
        patched = json_patch(obj, body)
    elif media_type == MERGE_PATCH:
        patched = merge_patch(obj, body)
    else:
        schema = schema_for(obj.get("apiVersion", ""), obj.get("kind", ""))
        patched = strategic_merge_patch(obj, body, schema)
    if not isinstance(patched, dict):
        raise PatchFailedError("the patched value is no object")
    return patched


def decoded(call: Call, resource: Resource, obj: Object) -> Object:
    """A patched object in the form of its kind.

    Raises:
        StatusError: 400 for another kind or name, or wrong types; 422 for unknown fields, when
            validation is strict.
    """
    if (obj.get("apiVersion"), obj.get("kind")) != (resource.api_version, resource.kind):
        raise bad_request(
            f"the patched object is a {obj.get('apiVersion')} {obj.get('kind')}, "
            f"not a {resource.api_version} {resource.kind}"
        )
    level = field_validation(call)
    problems = decode_object(resource, obj)
    if problems and level == "Strict":
        text = "strict decoding error: " + ", ".join(problems)
        shown = encode_body(load_yaml(call.body)).decode()
        cause = Cause("patch", "FieldValueInvalid", f"Invalid value: {shown}: {text}")
        raise invalid("", "", "", [cause])
    if level == "Warn":
        call.warnings.extend(problems)
    complete(resource, obj)
    if obj["metadata"].get("name") != call.route.name:
        raise bad_request(
            f"the name of the object ({obj['metadata'].get('name')}) does not match the name on "
            f"the URL ({call.route.name})"
        )
    if resource.namespaced:
        obj["metadata"]["namespace"] = call.route.namespace
    return obj
