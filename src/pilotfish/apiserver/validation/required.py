"""Required fields, by the schema: the only check of kinds that have none of their own.

Only text and objects are asked for. Where Go's types hold a number or a truth value, leaving it
out means zero or false, so kube-apiserver itself cannot tell that it was left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from pilotfish.apiserver.validation.causes import Cause, required
from pilotfish.objects.schema import Field, Type, schema_for, type_named

_DEMANDABLE = {"string", "object", "time", "microtime", "quantity"}
_NOT_THE_USERS = {"apiVersion", "kind", "metadata", "status"}


def validate_required(api_version: str, kind: str, obj: Mapping[str, Any]) -> list[Cause]:
    schema = schema_for(api_version, kind)
    if schema is None:
        return []
    causes: list[Cause] = []
    for name, field in schema.fields.items():
        if name not in _NOT_THE_USERS:
            _check(field, obj.get(name), name, causes)
    return causes


def _check(field: Field, value: Any, path: str, causes: list[Cause]) -> None:
    if value is None:
        if field.required and field.type in _DEMANDABLE:
            causes.append(required(path))
    elif field.ref:
        if _demands_something(field.ref):
            for name, child in type_named(field.ref).fields.items():
                _check(child, value.get(name), f"{path}.{name}", causes)
    elif field.items is not None and field.items.ref and _demands_something(field.items.ref):
        pairs = value.items() if field.type == "map" else enumerate(value)
        for key, item in pairs:
            _check(field.items, item, f"{path}[{key}]", causes)


@cache
def _demands_something(name: str) -> bool:
    """Whether any field in or below the named type is required; recursive types count as such."""
    return _search(type_named(name), {name})


def _search(schema: Type, seen: set[str]) -> bool:
    for field in schema.fields.values():
        if field.required and field.type in _DEMANDABLE:
            return True
        ref = field.ref or (field.items.ref if field.items is not None else "")
        if ref and ref not in seen:
            seen.add(ref)
            if _search(type_named(ref), seen):
                return True
    return False
