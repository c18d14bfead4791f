"""Incoming objects: a request body, decoded and checked against the path it was sent to."""

from __future__ import annotations

from typing import Any, cast

from pilotfish.apiserver.call import Call
from pilotfish.apiserver.codec import (
    UnreadableError,
    decode_body,
    duplicate_fields,
    json_type,
    load_json,
)
from pilotfish.apiserver.decoding import (
    FieldValidation,
    decode_as,
    decode_object,
)
from pilotfish.apiserver.errors import bad_request
from pilotfish.apiserver.wrong_types import cannot_be_handled
from pilotfish.objects.meta import Object
from pilotfish.objects.resources import Resource
from pilotfish.objects.schema import schema_for


def incoming_object(call: Call) -> Object:
    """The object that a create or update carries, in the form of its kind.

    Raises:
        StatusError: 400 or 415 for what cannot be decoded; for another kind than the path's;
            for unknown fields, when validation is strict.
    """
    resource = call.resource
    obj = decode_body(call.content.body, call.content.media_type, resource.kind)
    check_kind(call, obj)
    problems = decode_object(resource, obj)
    report_problems(call, resource.kind, resource.version, problems)
    complete(resource, obj)
    check_namespace(call, obj)
    return obj


# Versions that subresources still take, and the one with the same fields that took their place
# (pkg/registry/core/pod/storage/eviction.go, AcceptsGroupVersion).
_SAME_AS_NEWER = {("Eviction", "policy/v1beta1"): "policy/v1"}


def incoming_as(call: Call, api_version: str, kind: str) -> Object:
    """The object of another kind than the path's that a subresource takes: an Eviction, a Scale.

    Raises:
        StatusError: 400 or 415 as for `incoming_object`.
    """
    obj = decode_body(call.content.body, call.content.media_type, kind)
    group, _, version = api_version.rpartition("/")
    given, given_version = obj.get("kind") or kind, obj.get("apiVersion") or api_version
    if (given, given_version) in _SAME_AS_NEWER:
        obj["apiVersion"] = given_version = _SAME_AS_NEWER[given, given_version]
    if (given, given_version) != (kind, api_version):
        why = (
            f"converting ({given_version}.{given}) to ({group or 'core'}.{kind}): "
            "unknown conversion"
        )
        raise cannot_be_handled(str(given), given_version.rpartition("/")[2], kind, why)
    schema = schema_for(api_version, kind)
    assert schema is not None, f"{api_version} {kind} is built in"
    report_problems(call, kind, version, decode_as(schema, obj, kind, version))
    return obj


def incoming_patch(call: Call, *, is_object: bool) -> Any:
    """The patch in a request's body.

    Args:
        is_object: whether a patch of its kind is a JSON object.

    Raises:
        StatusError: 400 for what is no JSON, or no object.
    """
    try:
        value = load_json(call.content.body)
    except UnreadableError as error:
        raise bad_request(f"error decoding patch: {error}") from error
    if is_object and not isinstance(value, dict):
        raise bad_request(
            f"error decoding patch: json: cannot unmarshal {json_type(value)} into Go value of "
            "type map[string]interface {}"
        )
    return value


def field_validation(call: Call) -> FieldValidation:
    """How unknown and duplicate fields are treated; kube-apiserver's default is to warn."""
    return cast(FieldValidation, call.query.get("fieldValidation") or "Warn")


def report_problems(call: Call, kind: str, version: str, unknown: list[str]) -> None:
    """Refuse or warn about duplicate fields of the body, and unknown ones.

    Raises:
        StatusError: 400, when validation is strict.
    """
    level = field_validation(call)
    if level == "Ignore":
        return
    problems = [*strict_problems(call), *unknown]
    if problems and level == "Strict":
        text = "strict decoding error: " + ", ".join(problems)
        raise cannot_be_handled(kind, version, kind, text)
    call.warnings.extend(problems)


def strict_problems(call: Call) -> list[str]:
    """The complaints of a strict reader of the body, JSON or YAML, about duplicate fields."""
    return [*call.content.problems, *duplicate_fields(call.content.body)]


def complete(resource: Resource, obj: Object) -> None:
    """Give an object what Go's decoder always has: metadata, and a spec where the kind has one."""
    obj["apiVersion"] = resource.api_version
    obj["kind"] = resource.kind
    if not isinstance(obj.get("metadata"), dict):
        obj["metadata"] = {}
    schema = schema_for(resource.api_version, resource.kind)
    spec = schema.fields.get("spec") if schema else None
    if spec is not None and spec.type == "object" and obj.get("spec") is None:
        obj["spec"] = {}


def check_kind(call: Call, obj: Object) -> None:
    """See that the object is of the path's kind and version.

    Raises:
        StatusError: 400.
    """
    resource = call.resource
    # What the body leaves out, the path has said (many clients leave out both).
    api_version = obj.get("apiVersion") or resource.api_version
    kind = obj.get("kind") or resource.kind
    if kind == resource.kind and api_version == resource.api_version:
        return
    if kind != resource.kind:
        version = str(api_version).rpartition("/")[2]
        raise cannot_be_handled(
            str(kind),
            version,
            resource.kind,
            f"converting ({version}.{kind}) to ({resource.group or 'core'}.{resource.kind}): "
            "unknown conversion",
        )
    raise bad_request(
        f"the API version in the data ({api_version}) does not match the expected API version "
        f"({resource.api_version})"
    )


def check_namespace(call: Call, obj: Object) -> None:
    """Put the object into the path's namespace.

    Raises:
        StatusError: 400 when it says that it is in another one.
    """
    metadata = obj["metadata"]
    if not call.resource.namespaced:
        metadata.pop("namespace", None)
        return
    if metadata.setdefault("namespace", call.route.namespace) != call.route.namespace:
        raise bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
