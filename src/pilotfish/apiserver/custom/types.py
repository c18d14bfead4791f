"""Types of custom resources: a structural schema as server-side apply looks at it.

Which parts can have owners of their own follows from the schema's `x-kubernetes-list-type`,
`x-kubernetes-list-map-keys` and `x-kubernetes-map-type`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from pilotfish.apiserver.custom.keywords import EMBEDS, LIST_KEYS, LIST_TYPE, MAP_TYPE
from pilotfish.objects.schema import Field, Type

_METADATA: Final = Field("object", ref="io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta")
_SCALARS: Final[Mapping[str, Field]] = {
    "boolean": Field("boolean"),
    "integer": Field("int64"),
    "number": Field("number"),
    "string": Field("string"),
}
_ANY: Final = Field("any")


def type_of_schema(schema: Mapping[str, Any]) -> Type:
    """The type of whole objects of a schema."""
    fields = {name: _field(each) for name, each in (schema.get("properties") or {}).items()}
    fields |= {"apiVersion": Field("string"), "kind": Field("string"), "metadata": _METADATA}
    return Type("", fields)


def _field(schema: Mapping[str, Any]) -> Field:
    kind = schema.get("type", "")
    if kind == "array":
        return Field(
            "array",
            items=_field(schema.get("items") or {}),
            list_type=schema.get(LIST_TYPE) or "atomic",
            map_keys=tuple(schema.get(LIST_KEYS) or ()),
        )
    if kind != "object":
        scalar = _SCALARS.get(kind, _ANY)
        default = schema.get("default")
        # For the keys of lists, which are scalars.
        is_plain = isinstance(default, bool | float | int | str)
        return replace(scalar, default=default) if is_plain else scalar
    map_type = schema.get(MAP_TYPE, "")
    values = schema.get("additionalProperties")
    if isinstance(values, Mapping):
        return Field("map", items=_field(values), map_type=map_type)
    fields = {name: _field(each) for name, each in (schema.get("properties") or {}).items()}
    if schema.get(EMBEDS):
        fields |= {"metadata": _METADATA}
    return Field("object", struct=Type("", fields), map_type=map_type)
