"""Merging an applied configuration into the live object, by the types of its fields."""

from __future__ import annotations

from typing import Any

from pilotfish.apiserver.apply.fieldsets import (
    index_of,
    is_granular,
    key_segment,
    struct_of,
)
from pilotfish.objects.meta import Object
from pilotfish.objects.schema import Field, Type

_ANY = Field("any")


def merged(live: Object, applied: Object, schema: Type | None) -> Object:
    """The live object with everything set that the configuration says; it may be changed."""
    for name, value in applied.items():
        field = schema.fields.get(name, _ANY) if schema is not None else _ANY
        live[name] = _merged_value(live.get(name), value, field)
    return live


def _merged_value(live: Any, applied: Any, field: Field) -> Any:
    if isinstance(applied, dict) and isinstance(live, dict) and is_granular(field):
        if field.type != "map":
            return merged(live, applied, struct_of(field))
        items = field.items or _ANY
        for key, value in applied.items():
            live[key] = _merged_value(live.get(key), value, items)
        return live
    if isinstance(applied, list) and isinstance(live, list):
        if field.list_type == "map":
            return _merged_elements(live, applied, field)
        if field.list_type == "set":
            return live + [value for value in applied if value not in live]
    return applied


def _merged_elements(live: list[Any], applied: list[Any], field: Field) -> list[Any]:
    schema = struct_of(field.items)
    for item in applied:
        index = index_of(live, key_segment(item, field))
        if index is None:
            live.append(item)
        elif field.items is None or not is_granular(field.items):
            live[index] = item
        else:
            live[index] = merged(live[index], item, schema)
    return live
