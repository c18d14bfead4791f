"""Field sets: which fields of an object somebody set, as sets of paths.

A path is a tuple of segments in the notation of FieldsV1 ("managedFields" in the Kubernetes
API): `f:name` for a field, `k:{"port":80}` for the element of a list that merges by keys,
`v:"x"` for the member of a list that is a set.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import orjson

from pilotfish.objects.meta import Object
from pilotfish.objects.schema import Field, Type, type_named

Path = tuple[str, ...]
Paths = set[Path]

# Lists whose elements have names, and owners of their own.
ASSOCIATIVE: Final = ("map", "set")
# Who an object is belongs to nobody; the rest of these is the server's.
UNOWNED: Final[frozenset[Path]] = frozenset(
    {("f:apiVersion",), ("f:kind",)}
    | {
        ("f:metadata", f"f:{name}")
        for name in (
            "name",
            "namespace",
            "creationTimestamp",
            "selfLink",
            "uid",
            "resourceVersion",
            "generation",
            "managedFields",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
        )
    }
)
# A field that no schema describes.
ANY: Final = Field("any")
# What Kubernetes' types fill in where an element leaves out an optional part of its key.
_KEY_DEFAULTS: Final = {"protocol": "TCP"}
_REFERENCE: Final = "io.k8s.api.core.v1.LocalObjectReference"


def fields_of(obj: Object, schema: Type | None) -> Paths:
    """The paths of all that an object says, as far down as its parts can have several owners."""
    return {path for path in _struct_paths(obj, schema, ()) if path[:2] not in UNOWNED}


def _struct_paths(obj: Object, schema: Type | None, prefix: Path) -> Iterator[Path]:
    for name, value in obj.items():
        yield from paths_of(value, member(schema, name), (*prefix, f"f:{name}"))


def paths_of(value: Any, field: Field, path: Path) -> Iterator[Path]:
    """The paths of all that a value at a path says."""
    if isinstance(value, dict) and value and is_granular(field):
        if field.type == "map":
            for key, item in value.items():
                yield from paths_of(item, field.items or ANY, (*path, f"f:{key}"))
        else:
            yield from _struct_paths(value, struct_of(field), path)
    elif isinstance(value, list) and field.list_type in ASSOCIATIVE:
        granular = has_granular_items(field)
        for segment, items in elements(value, field).items():
            place = (*path, segment)
            yield place
            if len(items) == 1 and granular:
                yield from _struct_paths(items[0], struct_of(field.items), place)
    else:
        yield path


def is_granular(field: Field) -> bool:
    """Whether an object's parts can have owners of their own."""
    if field.map_type == "atomic":
        return False
    struct = struct_of(field)
    return struct is None or struct.map_type != "atomic"


def struct_of(field: Field | None) -> Type | None:
    """The type of a field that holds objects of one."""
    if field is None or field.type != "object":
        return None
    return field.struct or type_named(field.ref)


def member(schema: Type | None, name: str) -> Field:
    """The field of a name in objects of a type; ANY where the type does not say."""
    return schema.fields.get(name, ANY) if schema is not None else ANY


def whole(schema: Type | None) -> Field:
    """An object of a type, as a field that holds it."""
    return Field("object", struct=schema) if schema is not None else ANY


def has_granular_items(field: Field) -> bool:
    """Tell whether each field of a list's elements has an owner of its own."""
    return field.list_type == "map" and field.items is not None and is_granular(field.items)


def key_default(field: Field, name: str) -> Any:
    """The default of a part of an element's key; None where it has none.

    Custom resources say it in their schema. In Kubernetes' types a required part is zero or empty
    where the element leaves it out.
    """
    struct = struct_of(field.items)
    part = struct.fields.get(name) if struct is not None else None
    if struct is None or part is None:
        return None
    if part.default is not None:
        return part.default
    if part.required or struct.name == _REFERENCE:
        return "" if part.type == "string" else 0
    return _KEY_DEFAULTS.get(name) if struct.name else None


def key_of(item: Object, field: Field) -> Object:
    """The key of an element of a list that merges by keys."""
    parts = {
        name: item[name] if name in item else key_default(field, name)
        for name in sorted(field.map_keys)
    }
    return {name: value for name, value in parts.items() if value is not None}


def key_segment(item: Object, field: Field) -> str:
    """The segment of an element of a list that merges by keys."""
    return "k:" + orjson.dumps(key_of(item, field)).decode()


def value_segment(item: Any) -> str:
    """The segment of a member of a set."""
    return "v:" + orjson.dumps(item).decode()


def segment_of(item: Any, field: Field) -> str:
    """The segment of an element of a list whose elements have names."""
    # A value that should be an object and is none has no keys; validation refuses it afterwards.
    by_keys = field.list_type == "map" and isinstance(item, dict)
    return key_segment(item, field) if by_keys else value_segment(item)


def elements(items: list[Any], field: Field) -> dict[str, list[Any]]:
    """The elements of such a list by their segments; several where they are duplicates."""
    found: dict[str, list[Any]] = {}
    for item in items:
        found.setdefault(segment_of(item, field), []).append(item)
    return found


def to_fields_v1(paths: Iterable[Path]) -> Object:
    """Paths as FieldsV1."""
    tree: Object = {}
    every = set(paths)
    for path in sorted(every):
        node = tree
        for depth, segment in enumerate(path, 1):
            node = node.setdefault(segment, {})
            if depth < len(path) and path[:depth] in every:
                node.setdefault(".", {})
    return tree


def from_fields_v1(tree: Object, prefix: Path = ()) -> Paths:
    """The paths of FieldsV1."""
    paths: Paths = set()
    for segment, below in tree.items():
        if segment == ".":
            paths.add(prefix)
        elif isinstance(below, dict) and below:
            paths |= from_fields_v1(below, (*prefix, segment))
        else:
            paths.add((*prefix, segment))
    return paths


def shown(path: Path) -> str:
    """A path as conflicts show it: `.spec.ports[port=80,protocol="TCP"].name`."""
    text = ""
    for segment in path:
        kind, rest = segment[:2], segment[2:]
        if kind == "f:":
            text += f".{rest}"
        elif kind == "k:":
            keys = orjson.loads(rest)
            listed = ",".join(f"{name}={orjson.dumps(v).decode()}" for name, v in keys.items())
            text += f"[{listed}]"
        elif kind == "i:":
            text += f"[{rest}]"
        else:
            text += f"[={rest}]"
    return text
