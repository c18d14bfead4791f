"""Incoming objects: a request body, decoded and checked against the path it was sent to."""

from __future__ import annotations

from typing import Final, cast

from pilotfish.apiserver.call import Call
from pilotfish.apiserver.codec import decode_body, duplicate_fields
from pilotfish.apiserver.decoding import FieldValidation, cannot_be_handled, decode_object
from pilotfish.apiserver.errors import bad_request
from pilotfish.objects.meta import Object
from pilotfish.objects.resources import Resource
from pilotfish.objects.schema import schema_for

_LEVELS: Final = ("Ignore", "Warn", "Strict")


def incoming_object(call: Call) -> Object:
    """The object that a create or update carries, in the form of its kind.

    Raises:
        StatusError: 400 or 415 for what cannot be decoded; for another kind than the path's;
            for unknown fields, when validation is strict.
    """
    resource = call.resource
    obj = decode_body(call.body, call.content_type)
    check_kind(call, obj)
    level = field_validation(call)
    problems = decode_object(resource, obj)
    if level != "Ignore" and "fieldValidation" in call.query:
        problems = [*duplicate_fields(call.body), *problems]
    report_problems(call, resource, level, problems)
    complete(resource, obj)
    check_namespace(call, obj)
    return obj


def field_validation(call: Call) -> FieldValidation:
    """How unknown and duplicate fields are to be treated; kube-apiserver's default is to warn.

    Raises:
        StatusError: 400 for another word.
    """
    level = call.query.get("fieldValidation") or "Warn"
    if level not in _LEVELS:
        raise bad_request(
            f'fieldValidation: Unsupported value: "{level}": supported values: "Ignore", '
            '"Strict", "Warn"'
        )
    return cast(FieldValidation, level)


def report_problems(
    call: Call, resource: Resource, level: FieldValidation, problems: list[str]
) -> None:
    """Refuse or warn about what a strict decoder found.

    Raises:
        StatusError: 400, when validation is strict.
    """
    if not problems or level == "Ignore":
        return
    if level == "Strict":
        text = "strict decoding error: " + ", ".join(problems)
        raise cannot_be_handled(resource.kind, resource.version, text)
    call.warnings.extend(problems)


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
            resource.kind,
            resource.version,
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
