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

MISSING: Final = object()

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
_ANY: Final = Field("any")
# What the API fills in where an element leaves out a part of its key.
_KEY_DEFAULTS: Final = {"protocol": "TCP"}


def fields_of(obj: Object, schema: Type | None) -> Paths:
    """The paths of all that an object says, as far down as its parts can have several owners."""
    return {path for path in _struct_paths(obj, schema, ()) if path[:2] not in UNOWNED}


def _struct_paths(obj: Object, schema: Type | None, prefix: Path) -> Iterator[Path]:
    for name, value in obj.items():
        field = schema.fields.get(name, _ANY) if schema is not None else _ANY
        yield from paths_of(value, field, (*prefix, f"f:{name}"))


def paths_of(value: Any, field: Field, path: Path) -> Iterator[Path]:
    """The paths of all that a value at a path says."""
    if isinstance(value, dict) and value and is_granular(field):
        if field.type == "map":
            for key, item in value.items():
                yield from paths_of(item, field.items or _ANY, (*path, f"f:{key}"))
        else:
            yield from _struct_paths(value, struct_of(field), path)
    elif isinstance(value, list) and field.list_type == "map":
        for item in value:
            place = (*path, key_segment(item, field))
            yield place
            if field.items is not None and is_granular(field.items):
                yield from _struct_paths(item, struct_of(field.items), place)
    elif isinstance(value, list) and field.list_type == "set":
        for item in value:
            yield (*path, value_segment(item))
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


def key_segment(item: Object, field: Field) -> str:
    """The segment of an element of a list that merges by keys."""
    keys = {name: item.get(name, _KEY_DEFAULTS.get(name)) for name in field.map_keys}
    found = {name: value for name, value in sorted(keys.items()) if value is not None}
    return "k:" + orjson.dumps(found).decode()


def value_segment(item: Any) -> str:
    """The segment of a member of a set."""
    return "v:" + orjson.dumps(item).decode()


def value_at(obj: Any, path: Path) -> Any:
    """What an object has at a path; MISSING if nothing."""
    for segment in path:
        if segment.startswith("f:"):
            obj = obj.get(segment[2:], MISSING) if isinstance(obj, dict) else MISSING
        elif isinstance(obj, list):
            index = index_of(obj, segment)
            obj = MISSING if index is None else obj[index]
        else:
            return MISSING
        if obj is MISSING:
            return MISSING
    return obj


def index_of(items: list[Any], segment: str) -> int | None:
    """Where a list has the element of a segment; None if it has not."""
    wanted = orjson.loads(segment[2:])
    for index, item in enumerate(items):
        if segment.startswith("v:"):
            if item == wanted:
                return index
        elif isinstance(item, dict) and all(
            item.get(name, _KEY_DEFAULTS.get(name)) == value for name, value in wanted.items()
        ):
            return index
    return None


def remove_at(obj: Object, path: Path) -> None:
    """Take out what an object has at a path, and the objects that are empty without it."""
    parents: list[tuple[Any, str]] = []
    current: Any = obj
    for segment in path:
        parents.append((current, segment))
        current = value_at(current, (segment,))
        if current is MISSING:
            return
    for parent, segment in reversed(parents):
        if isinstance(parent, dict):
            del parent[segment[2:]]
        else:
            del parent[index_of(parent, segment) or 0]
        if parent:
            return


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
        else:
            text += f"[={rest}]"
    return text
