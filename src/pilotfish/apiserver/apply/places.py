"""Places: what an object has at a path of a field set, and taking it away."""

from __future__ import annotations

from typing import Any, Final

from pilotfish.apiserver.apply.fieldsets import Path, elements, segment_of, struct_of
from pilotfish.objects.meta import Object
from pilotfish.objects.schema import Field, Type

MISSING: Final = object()

_ANY: Final = Field("any")


class Duplicates(list[Any]):
    """Several elements of a list that have one name; nothing is at a path inside of them."""


def value_at(obj: Any, path: Path, schema: Type | None) -> Any:
    """What an object of a type has at a path: a value, MISSING or Duplicates."""
    field = _whole(schema)
    for segment in path:
        obj, field = _inside(obj, segment, field), _field_at(segment, field)
        if obj is MISSING:
            return MISSING
    return obj


def remove_at(obj: Object, path: Path, schema: Type | None) -> None:
    """Take out what an object has at a path, and the objects that are empty without it."""
    parents: list[tuple[Any, str, Field]] = []
    current: Any = obj
    field = _whole(schema)
    for segment in path:
        parents.append((current, segment, field))
        current, field = _inside(current, segment, field), _field_at(segment, field)
        if current is MISSING:
            return
    for parent, segment, kind in reversed(parents):
        if isinstance(parent, dict):
            del parent[segment[2:]]
        else:
            parent[:] = [item for item in parent if segment_of(item, kind) != segment]
        if parent:
            return


def _whole(schema: Type | None) -> Field:
    return Field("object", struct=schema) if schema is not None else _ANY


def _inside(value: Any, segment: str, field: Field) -> Any:
    if segment.startswith("f:"):
        return value.get(segment[2:], MISSING) if isinstance(value, dict) else MISSING
    if not isinstance(value, list) or field.list_type not in ("map", "set"):
        return MISSING
    found = elements(value, field).get(segment, [])
    if len(found) > 1:
        return Duplicates(found)
    return found[0] if found else MISSING


def _field_at(segment: str, field: Field) -> Field:
    """What is at a segment of something of a type."""
    if not segment.startswith("f:") or field.type == "map":
        return field.items or _ANY
    struct = struct_of(field)
    return struct.fields.get(segment[2:], _ANY) if struct is not None else _ANY
