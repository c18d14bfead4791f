"""Publishing: structural schemas as OpenAPI documents show them.

What v2 cannot say is left out as Kubernetes leaves it out: kubectl refuses a v2 document whole,
for all kinds, when one schema in it has a shape that it does not know.
Source: k8s.io/apiextensions-apiserver, pkg/controller/openapi (builder, v2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pilotfish.apiserver.custom.keywords import (
    EMBEDS,
    INT_OR_STRING,
    INT_OR_STRING_TYPES,
    PRESERVES,
)
from pilotfish.apiserver.custom.resource import CustomResource
from pilotfish.objects.meta import Object

_METADATA: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_LIST_METADATA: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta"
_GVK: Final = "x-kubernetes-group-version-kind"
_SELECTABLE: Final = "x-kubernetes-selectable-fields"
_ONLY_V3: Final = frozenset({"allOf", "anyOf", "nullable", "not", "oneOf"})
# Words whose value may be anything, an empty one too.
_FREE: Final = frozenset({"default", "example"})
Schema = Mapping[str, Any]


def type_name(resource: CustomResource) -> str:
    """The name of a custom resource's type: `com.example.v1.Widget`."""
    return ".".join([*reversed(resource.group.split(".")), resource.version, resource.kind])


def published(resources: Iterable[CustomResource], version: int, refs: str) -> dict[str, Object]:
    """The schemas of custom resources and of their lists, by name.

    Args:
        version: of OpenAPI, 2 or 3.
        refs: what the references to other schemas start with.
    """
    schemas: dict[str, Object] = {}
    for resource in resources:
        name = type_name(resource)
        gvk = {"group": resource.group, "version": resource.version, "kind": resource.kind}
        selectable = {}
        if resource.selectable:
            selectable = {_SELECTABLE: [{"fieldPath": path} for path in resource.selectable]}
        schemas[name] = {**_root(resource.schema, version, refs), _GVK: [gvk], **selectable}
        items = {"type": "array", "items": {"$ref": f"{refs}{name}"}}
        schemas[f"{name}List"] = {
            "type": "object",
            "required": ["items"],
            "properties": {**_common(version, f"{refs}{_LIST_METADATA}"), "items": items},
            _GVK: [{**gvk, "kind": f"{resource.kind}List"}],
            **selectable,
        }
    return schemas


def _root(schema: Schema, version: int, refs: str) -> Object:
    if version == 2 and schema.get(PRESERVES):
        # Clients of v2 would take what is named for all that there is.
        return {"type": "object"}
    root = _schema(schema, version, f"{refs}{_METADATA}")
    properties = {**root.get("properties", {}), **_common(version, f"{refs}{_METADATA}")}
    return {**root, "type": "object", "properties": properties}


def _common(version: int, metadata: str) -> Object:
    target = {"$ref": metadata}
    return {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": target if version == 2 else {"allOf": [target]},
    }


def _schema(schema: Schema, version: int, metadata: str) -> Object:
    """One part of a schema and all below it.

    Args:
        metadata: the reference to the metadata of objects.
    """
    found = {name: value for name, value in schema.items() if _says_something(name, value)}
    if version == 2:
        found = _as_v2(found)
    elif found.get(INT_OR_STRING):
        found = _with_both_types(found)
    if found.get("properties"):
        found["properties"] = {
            name: _schema(child, version, metadata) for name, child in found["properties"].items()
        }
    for name in ("items", "additionalProperties"):
        if isinstance(found.get(name), Mapping):
            found[name] = _schema(found[name], version, metadata)
    if found.get(EMBEDS) and not (version == 2 and found.get(PRESERVES)):
        found["properties"] = {**found.get("properties", {}), **_common(version, metadata)}
        required = found.get("required", [])
        found["required"] = list(dict.fromkeys([*required, "kind", "apiVersion"]))
    return found


def _says_something(name: str, value: Any) -> bool:
    if name in _FREE:
        return value is not None
    if name == "additionalProperties":
        return True
    return value not in (None, "", [], {}) and value is not False


def _as_v2(schema: Object) -> Object:
    """A part of a schema without what OpenAPI v2, or kubectl's reader of it, does not know."""
    found = {name: value for name, value in schema.items() if name not in _ONLY_V3}
    nullable, keeps = bool(schema.get("nullable")), bool(schema.get(PRESERVES))
    if nullable or keeps:
        # kubectl holds against values of no type whatever properties and items say.
        found.pop("items", None)
        found.pop("properties", None)
    kind = found.get("type")
    if nullable or (kind == "array" and "items" not in found) or (kind == "object" and keeps):
        found.pop("type", None)
    properties = found.get("properties", {})
    required = [
        name for name in found.get("required", ()) if not properties.get(name, {}).get("nullable")
    ]
    others = found.get("additionalProperties")
    if not required or (isinstance(others, Mapping) and others.get("nullable")):
        found.pop("required", None)
    else:
        found["required"] = required
    return found


def _with_both_types(schema: Object) -> Object:
    """An int-or-string part that says so to readers who do not know the extension."""
    if schema.get("anyOf") == INT_OR_STRING_TYPES:
        return schema
    combined = schema.get("allOf", [])
    if combined[:1] == [{"anyOf": INT_OR_STRING_TYPES}]:
        return schema
    if "anyOf" not in schema:
        return {**schema, "anyOf": INT_OR_STRING_TYPES}
    return {**schema, "allOf": [{"anyOf": INT_OR_STRING_TYPES}, *combined]}
