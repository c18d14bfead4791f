"""Patch: which kind of patch a request carries, and the object that it makes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pilotfish.apiserver.call import Answer, Call
from pilotfish.apiserver.codec import encode_body, is_too_deep
from pilotfish.apiserver.content import APPLY_PATCH
from pilotfish.apiserver.core import Core
from pilotfish.apiserver.decoding import decode_object
from pilotfish.apiserver.errors import (
    StatusError,
    bad_request,
    invalid,
    quoted,
    unsupported_media_type,
)
from pilotfish.apiserver.incoming import (
    complete,
    field_validation,
    incoming_patch,
    strict_problems,
)
from pilotfish.apiserver.limits import MAX_DEPTH
from pilotfish.apiserver.patches.errors import PatchError, PatchFailedError
from pilotfish.apiserver.patches.json import json_patch
from pilotfish.apiserver.patches.merge import merge_patch
from pilotfish.apiserver.patches.strategic import strategic_merge_patch
from pilotfish.apiserver.server_side_apply import apply
from pilotfish.apiserver.updating import replace
from pilotfish.apiserver.validation.causes import Cause, immutable
from pilotfish.apiserver.versions import from_stored
from pilotfish.apiserver.wrong_types import DecodingError
from pilotfish.objects.meta import Object
from pilotfish.objects.resources import Resource
from pilotfish.objects.schema import schema_for

JSON_PATCH: Final = "application/json-patch+json"
MERGE_PATCH: Final = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH: Final = "application/strategic-merge-patch+json"
# kube-apiserver's own limit.
_MOST_OPERATIONS: Final = 10_000
_TYPES: Final = (JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH, APPLY_PATCH)


async def patch(core: Core, call: Call) -> Answer:
    """PATCH an object or its status, by JSON, merge or strategic merge patch.

    Raises:
        StatusError: 400, 404, 409, 415, 422, as kube-apiserver has them.
    """
    resource = call.resource
    if patch_type(call) == APPLY_PATCH:
        return await apply(core, call)
    change = patch_change(call, schema_for(resource.api_version, resource.kind) is not None)

    def changed(obj: Object) -> Object:
        uid = obj["metadata"]["uid"]
        patched = decoded(call, resource, change(obj))
        if patched["metadata"].get("uid") not in (None, "", uid):
            cause = immutable("metadata.uid", patched["metadata"]["uid"])
            raise invalid(resource.kind, resource.group, call.route.name, [cause])
        return patched

    entry = await replace(
        core,
        resource,
        call.key,
        changed,
        subresource=call.route.subresource,
        manager=call.manager,
        dry_run=call.dry_run,
        warnings=call.warnings,
    )
    return Answer(from_stored(resource, entry.data))


def patch_type(call: Call) -> str:
    """The media type of the patch.

    Raises:
        StatusError: 415 for one that is no patch.
    """
    media_type = call.content.media_type
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
    if media_type == STRATEGIC_MERGE_PATCH and not has_schema:
        raise unsupported_media_type((JSON_PATCH, MERGE_PATCH, APPLY_PATCH))
    body = incoming_patch(call, is_object=media_type != JSON_PATCH)
    if media_type == JSON_PATCH and isinstance(body, list) and len(body) > _MOST_OPERATIONS:
        why = (
            "Request entity too large: The allowed maximum operations in a JSON patch is "
            f"{_MOST_OPERATIONS}, got {len(body)}"
        )
        raise StatusError(413, "RequestEntityTooLarge", why)

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
    if media_type == JSON_PATCH and is_too_deep(patched):
        raise PatchFailedError(f"exceeded max depth of {MAX_DEPTH}")
    return patched


def decoded(call: Call, resource: Resource, obj: Object) -> Object:
    """A patched object in the form of its kind.

    Raises:
        StatusError: 400 for another kind, name or namespace; 422 for wrong types and, when
            validation is strict, for unknown and duplicate fields.
    """
    if (obj.get("apiVersion"), obj.get("kind")) != (resource.api_version, resource.kind):
        raise bad_request(
            f"the patched object is a {obj.get('apiVersion')} {obj.get('kind')}, "
            f"not a {resource.api_version} {resource.kind}"
        )
    decoded_as(call, obj, lambda: decode_object(resource, obj))
    complete(resource, obj)
    if obj["metadata"].get("name") != call.route.name:
        raise bad_request(
            f"the name of the object ({obj['metadata'].get('name')}) does not match the name on "
            f"the URL ({call.route.name})"
        )
    if not resource.namespaced:
        obj["metadata"].pop("namespace", None)
        return obj
    namespace = obj["metadata"].setdefault("namespace", call.route.namespace)
    if namespace != call.route.namespace:
        raise bad_request(
            f"the namespace of the object ({namespace}) does not match the namespace on the "
            f"request ({call.route.namespace})"
        )
    return obj


def decoded_as(call: Call, obj: Object, decode: Callable[[], list[str]]) -> None:
    """Decode a patched object in place, and say what a strict reader finds in it and the patch.

    Args:
        decode: returns the unknown fields.

    Raises:
        StatusError: 422 for wrong types and, when validation is strict, for unknown and
            duplicate fields.
    """
    # As text before decoding drops anything: kube-apiserver shows what it has tried to read.
    encoded = encode_body(obj)
    try:
        unknown = decode()
    except DecodingError as error:
        why = error.why
        if call.content.media_type == STRATEGIC_MERGE_PATCH:
            encoded, why = call.content.body, error.restoring or why
        raise _unfit(encoded, why) from error
    level = field_validation(call)
    if level == "Ignore":
        return
    problems = strict_problems(call)
    if call.content.media_type == JSON_PATCH:
        problems = [f"json patch {each}" for each in problems]
    problems += unknown
    if problems and level == "Strict":
        if call.content.media_type == STRATEGIC_MERGE_PATCH:
            encoded = call.content.body
        raise _unfit(encoded, "strict decoding error: " + ", ".join(problems))
    call.warnings.extend(problems)


def _unfit(shown: bytes, why: str) -> StatusError:
    """422 for a patch whose result is no object of its kind."""
    value = quoted(shown.decode(errors="replace"))
    cause = Cause("patch", "FieldValueInvalid", f"Invalid value: {value}: {why}")
    return invalid("", "", "", [cause])
