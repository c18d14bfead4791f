"""The scale subresource: how many replicas, in the same shape for every kind that has them."""

from __future__ import annotations

from typing import Any

from pilotfish.apiserver.call import Answer, Call
from pilotfish.apiserver.codec import encode_body
from pilotfish.apiserver.core import Core
from pilotfish.apiserver.custom.resource import CustomResource
from pilotfish.apiserver.decoding import decode_as
from pilotfish.apiserver.errors import bad_request, invalid
from pilotfish.apiserver.incoming import incoming_as
from pilotfish.apiserver.patching import decoded_as, patch_change
from pilotfish.apiserver.updating import check_preconditions, replace
from pilotfish.apiserver.validation.causes import invalid as invalid_field
from pilotfish.objects.meta import Object
from pilotfish.objects.resources import Resource
from pilotfish.objects.schema import schema_for
from pilotfish.objects.selectors import format_label_selector, label_selector, match_labels

_API_VERSION = "autoscaling/v1"


def scale_of(resource: Resource, obj: Object) -> Object:
    """The autoscaling/v1 Scale of an object with replicas and a selector."""
    metadata = {
        key: obj["metadata"][key]
        for key in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
        if key in obj["metadata"]
    }
    replicas, status = _custom(resource, obj) if isinstance(resource, CustomResource) else _own(obj)
    return {
        "kind": "Scale",
        "apiVersion": _API_VERSION,
        "metadata": metadata,
        "spec": {"replicas": replicas} if replicas else {},
        "status": status,
    }


def _own(obj: Object) -> tuple[int, Object]:
    """The replicas wanted, and the Scale's status, of a built-in object."""
    selector = obj["spec"].get("selector")
    plain = obj["kind"] == "ReplicationController"
    parsed = match_labels(selector) if plain else label_selector(selector)
    status: dict[str, Any] = {"replicas": obj.get("status", {}).get("replicas", 0)}
    if parsed:
        status["selector"] = format_label_selector(parsed)
    return obj["spec"].get("replicas", 0), status


def _custom(resource: CustomResource, obj: Object) -> tuple[int, Object]:
    """The same of a custom object, whose definition says where they are.

    Raises:
        StatusError: 400 where the object has something of another type there.
    """

    def at(which: str, kind: type) -> Any:
        path = resource.scale_paths.get(which)
        found = _at(obj, path) if path else None
        if found is None:
            return kind()
        if type(found) is not kind:
            wanted = "string" if kind is str else "int64"
            raise bad_request(f"{path} accessor error: {found!r} is not of the type {wanted}")
        return found

    status: dict[str, Any] = {"replicas": at("statusReplicasPath", int)}
    selector = at("labelSelectorPath", str)
    if selector:
        status["selector"] = selector
    return at("specReplicasPath", int), status


def _at(obj: Object, path: str) -> Any:
    """The value at a path of plain names, which is all that definitions may say here."""
    found: Any = obj
    for name in path.removeprefix(".").split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _set_replicas(resource: Resource, obj: Object, replicas: int) -> None:
    """Set the replicas wanted, in place.

    Raises:
        StatusError: 400 where the object has no place for them.
    """
    path = ".spec.replicas"
    if isinstance(resource, CustomResource):
        path = resource.scale_paths["specReplicasPath"]
    *parents, last = path.removeprefix(".").split(".")
    for name in parents:
        obj = obj.setdefault(name, {})
        if not isinstance(obj, dict):
            raise bad_request(f"value cannot be set because {path} leads through what is no map")
    obj[last] = replicas


async def update_scale(core: Core, call: Call) -> Answer:
    """PUT on scale.

    Raises:
        StatusError: 400, 404, 409 or 422.
    """
    scale = incoming_as(call, _API_VERSION, "Scale")
    return await _rescale(core, call, lambda _: scale)


async def patch_scale(core: Core, call: Call) -> Answer:
    """PATCH on scale.

    Raises:
        StatusError: 400, 404, 409, 415 or 422.
    """
    change = patch_change(call, has_schema=True)
    schema = schema_for(_API_VERSION, "Scale")
    assert schema is not None

    def changed(scale: Object) -> Object:
        patched = change(scale)
        identity = (patched.get("kind"), patched.get("apiVersion"))
        if identity != ("Scale", _API_VERSION):
            raise bad_request(f"a {_API_VERSION} Scale is expected")
        decoded_as(call, patched, lambda: decode_as(schema, patched, "Scale", "v1"))
        return patched

    return await _rescale(core, call, changed)


async def _rescale(core: Core, call: Call, change: Any) -> Answer:
    resource, name = call.resource, call.route.name

    def rescaled(obj: Object) -> Object:
        scale = change(scale_of(resource, obj))
        metadata = scale.get("metadata") or {}
        if metadata.get("name", name) != name:
            raise bad_request(
                f"the name of the object ({metadata['name']}) does not match the name on the "
                f"URL ({name})"
            )
        check_preconditions(resource, name, metadata, obj["metadata"])
        replicas = (scale.get("spec") or {}).get("replicas", 0)
        if replicas < 0:
            why = "must be greater than or equal to 0"
            cause = invalid_field("spec.replicas", replicas, why)
            raise invalid("Scale", "autoscaling", name, [cause])
        _set_replicas(resource, obj, replicas)
        return obj

    entry = await replace(
        core,
        resource,
        call.key,
        rescaled,
        subresource="scale",
        manager=call.manager,
        dry_run=call.dry_run,
    )
    return Answer(encode_body(scale_of(resource, entry.decode())))
