"""What Kubernetes asks of every part of a schema, structural or not: its words, lists and maps.

"Specifying a structural schema" and "Merge strategy" in the documentation; each rule holds within
allOf, anyOf, oneOf and not as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pilotfish.apiserver.custom.keywords import (
    EMBEDS,
    IDENTITY,
    LIST_KEYS,
    LIST_TYPE,
    MAP_TYPE,
    PRESERVES,
)
from pilotfish.apiserver.custom.structure import combined
from pilotfish.apiserver.validation.causes import (
    Cause,
    forbidden,
    invalid,
    not_supported,
    required,
)

Schema = Mapping[str, Any]

_TYPES: Final = ("array", "boolean", "integer", "number", "object", "string")
_NOT_SUPPORTED: Final = (
    "id",
    "additionalItems",
    "patternProperties",
    "definitions",
    "dependencies",
    "$ref",
)
_LIST_TYPES: Final = ("atomic", "set", "map")
_MAP_TYPES: Final = ("atomic", "granular")


def validate_extensions(schema: Schema, path: str) -> list[Cause]:
    """What is wrong with the parts of a whole schema, one by one."""
    return list(_part(schema, path, is_root=True))


def _part(
    schema: Schema,
    path: str,
    *,
    is_root: bool = False,
    in_metadata: bool = False,
    no_default: str = "",
) -> Iterator[Cause]:
    """What is wrong with a part and what is below it.

    Args:
        in_metadata: whether the part stands in the metadata of an object, its own or embedded.
        no_default: why the part can have no default; "" where it can.
    """
    yield from _words(schema, path)
    if schema.get("default") is not None and no_default:
        yield forbidden(f"{path}.default", f"must not be set {no_default}")
    if in_metadata and schema.get(EMBEDS):
        yield forbidden(f"{path}.{EMBEDS}", "must not be used inside of resource meta")
    yield from _map(schema, path)
    yield from _list(schema, path)
    others = schema.get("additionalProperties")
    if schema.get("properties") and (others is False or isinstance(others, Mapping)):
        why = "additionalProperties and properties are mutual exclusive"
        yield forbidden(f"{path}.additionalProperties", why)
    if isinstance(others, Mapping):
        why = "inside additionalProperties applying to object metadata" if in_metadata else ""
        yield from _part(
            others,
            f"{path}.additionalProperties",
            in_metadata=in_metadata,
            no_default=why or no_default,
        )
    is_object = is_root or bool(schema.get(EMBEDS))
    for name, child in (schema.get("properties") or {}).items():
        is_identity = is_object and name in IDENTITY
        yield from _part(
            child,
            f"{path}.properties[{name}]",
            in_metadata=in_metadata or is_identity,
            no_default=f"in top-level {name}" if is_root and is_identity else no_default,
        )
    for place, child in combined(schema):
        yield from _part(child, f"{path}.{place}", in_metadata=in_metadata, no_default=no_default)
    if isinstance(schema.get("items"), Mapping):
        yield from _part(
            schema["items"], f"{path}.items", in_metadata=in_metadata, no_default=no_default
        )


def _words(schema: Schema, path: str) -> Iterator[Cause]:
    kind = schema.get("type", "")
    if kind and kind not in _TYPES:
        yield not_supported(f"{path}.type", kind, _TYPES)
    if kind == "null":
        why = "type cannot be set to null, use nullable as an alternative"
        yield forbidden(f"{path}.type", why)
    for word in _NOT_SUPPORTED:
        if schema.get(word) not in (None, "", {}):
            yield forbidden(f"{path}.{word}", f"{word} is not supported")
    if isinstance(schema.get("items"), list):
        yield forbidden(f"{path}.items", "items must be a schema object and not an array")
    if schema.get("uniqueItems"):
        why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield forbidden(f"{path}.uniqueItems", why)
    if schema.get(PRESERVES) is False:
        yield invalid(f"{path}.{PRESERVES}", False, "must be true or undefined")


def _map(schema: Schema, path: str) -> Iterator[Cause]:
    map_type = schema.get(MAP_TYPE)
    if map_type is None:
        return
    yield from _must_be(schema, "object", f"must be object if {MAP_TYPE} is specified", path)
    if map_type not in _MAP_TYPES:
        yield not_supported(f"{path}.{MAP_TYPE}", map_type, _MAP_TYPES)


def _must_be(schema: Schema, kind: str, why: str, path: str) -> Iterator[Cause]:
    found = schema.get("type", "")
    if not found:
        yield required(f"{path}.type", why)
    elif found != kind:
        yield invalid(f"{path}.type", found, why)


def _list(schema: Schema, path: str) -> Iterator[Cause]:
    list_type, keys = schema.get(LIST_TYPE), schema.get(LIST_KEYS) or []
    if keys and list_type is None:
        why = f"must be map if {LIST_KEYS} is non-empty"
        yield required(f"{path}.{LIST_TYPE}", why)
    elif keys and list_type != "map":
        why = f"must be map if {LIST_KEYS} is non-empty"
        yield invalid(f"{path}.{LIST_TYPE}", list_type, why)
    if list_type is None:
        return
    yield from _must_be(schema, "array", f"must be array if {LIST_TYPE} is specified", path)
    if list_type not in _LIST_TYPES:
        yield not_supported(f"{path}.{LIST_TYPE}", list_type, _LIST_TYPES)
    items = schema.get("items")
    if list_type in ("map", "set") and isinstance(items, Mapping) and items.get("nullable"):
        why = f"cannot be nullable when {LIST_TYPE} is {list_type}"
        yield forbidden(f"{path}.items.nullable", why)
    if list_type == "set" and isinstance(items, Mapping):
        yield from _set_items(items, f"{path}.items")
    if list_type == "map":
        yield from _keyed_items(schema, keys, path)


def _set_items(items: Schema, path: str) -> Iterator[Cause]:
    why = f"must be atomic as item of a list with {LIST_TYPE}=set"
    match items.get("type"):
        case "array" if items.get(LIST_TYPE, "atomic") != "atomic":
            yield invalid(f"{path}.{LIST_TYPE}", items[LIST_TYPE], why)
        case "object" if items.get(MAP_TYPE) != "atomic":
            yield invalid(f"{path}.{MAP_TYPE}", items.get(MAP_TYPE), why)


def _keyed_items(schema: Schema, keys: list[str], path: str) -> Iterator[Cause]:
    """Check that keys tell the items of a list apart."""
    if not keys:
        yield required(f"{path}.{LIST_KEYS}", f"must not be empty if {LIST_TYPE} is map")
    items = schema.get("items")
    if items is None:
        yield required(f"{path}.items", f"must have a schema if {LIST_TYPE} is map")
    if not isinstance(items, Mapping):
        return
    if items.get("type") != "object":
        why = f"must be object if parent array's {LIST_TYPE} is map"
        yield invalid(f"{path}.items.type", items.get("type", ""), why)
        return
    properties = items.get("properties") or {}
    if any(key not in properties for key in keys):
        why = "entries must all be names of item properties"
        yield invalid(f"{path}.{LIST_KEYS}", keys, why)
    if len(set(keys)) != len(keys):
        yield invalid(f"{path}.{LIST_KEYS}", keys, "must not contain duplicate entries")
    demanded = items.get("required") or ()
    for key in keys:
        if key in properties:
            at = f"{path}.items.properties[{key}]"
            yield from _key(properties[key], at, is_required=key in demanded)


def _key(schema: Schema, path: str, *, is_required: bool) -> Iterator[Cause]:
    if schema.get("type") in ("array", "object"):
        why = f"must be a scalar type if parent array's {LIST_TYPE} is map"
        yield invalid(f"{path}.type", schema["type"], why)
    if not is_required and schema.get("default") is None:
        why = (
            f"this property is in {LIST_KEYS}, so it must have a default or be a required property"
        )
        yield required(f"{path}.default", why)
    if schema.get("nullable"):
        why = f"this property is in {LIST_KEYS}, so it cannot be nullable"
        yield forbidden(f"{path}.nullable", why)
