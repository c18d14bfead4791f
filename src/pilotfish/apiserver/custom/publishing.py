"""Publishing: structural schemas as OpenAPI documents show them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pilotfish.apiserver.custom.resource import CustomResource
from pilotfish.objects.meta import Object

_METADATA: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_LIST_METADATA: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta"
_GVK: Final = "x-kubernetes-group-version-kind"
# What OpenAPI v2 cannot say.
_ONLY_V3: Final = frozenset({"allOf", "anyOf", "default", "nullable", "not", "oneOf"})


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
        schema = _schema(resource.schema, version)
        schema["type"] = "object"
        schema["properties"] = {
            **(schema.get("properties") or {}),
            **_common(version, f"{refs}{_METADATA}"),
        }
        schemas[name] = {**schema, _GVK: [gvk]}
        items = {"type": "array", "items": {"$ref": f"{refs}{name}"}}
        schemas[f"{name}List"] = {
            "type": "object",
            "required": ["items"],
            "properties": {**_common(version, f"{refs}{_LIST_METADATA}"), "items": items},
            _GVK: [{**gvk, "kind": f"{resource.kind}List"}],
        }
    return schemas


def _common(version: int, metadata: str) -> Object:
    target = {"$ref": metadata}
    return {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": target if version == 2 else {"allOf": [target]},
    }


def _schema(schema: Mapping[str, Any], version: int) -> Object:
    if version == 3:
        return dict(schema)
    if schema.get("x-kubernetes-int-or-string"):
        return {"x-kubernetes-int-or-string": True}
    if schema.get("x-kubernetes-preserve-unknown-fields") and version == 2:
        # Clients of v2 would take what is named for all that there is.
        kept = {"x-kubernetes-preserve-unknown-fields": True}
        return {**kept, "type": schema["type"]} if schema.get("type") else kept
    found = {name: value for name, value in schema.items() if name not in _ONLY_V3}
    if isinstance(found.get("properties"), Mapping):
        found["properties"] = {
            name: _schema(child, version) for name, child in found["properties"].items()
        }
    for name in ("items", "additionalProperties"):
        if isinstance(found.get(name), Mapping):
            found[name] = _schema(found[name], version)
    if found.get("additionalProperties") in (True, False):
        del found["additionalProperties"]
    if schema.get("nullable"):
        found.pop("type", None)
    return found
