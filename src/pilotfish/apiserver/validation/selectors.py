"""Validation of label selectors as objects carry them: matchLabels and matchExpressions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from pilotfish.apiserver.validation.causes import Cause, forbidden, invalid, required
from pilotfish.apiserver.validation.formats import label_value, qualified_name
from pilotfish.apiserver.validation.metadata import validate_labels
from pilotfish.objects.schema import Field, Type, schema_for, type_named

_SELECTOR: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector"


def validate_selectors(api_version: str, kind: str, obj: Mapping[str, Any]) -> list[Cause]:
    """What is wrong with the label selectors of an object, wherever its schema has one."""
    schema = schema_for(api_version, kind)
    if schema is None:
        return []
    return [
        cause
        for path, selector in _selectors(schema, obj, "")
        for cause in validate_selector(selector, path)
    ]


def _selectors(
    schema: Type, obj: Mapping[str, Any], path: str
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name in _leading(schema.name):
        value = obj.get(name)
        if value:
            yield from _below(schema.fields[name], value, f"{path}{name}")


def _below(field: Field, value: Any, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if field.ref == _SELECTOR:
        yield path, value
    elif field.ref:
        yield from _selectors(type_named(field.ref), value, f"{path}.")
    elif field.items is not None:
        pairs = value.items() if field.type == "map" else enumerate(value)
        for key, item in pairs:
            yield from _below(field.items, item, f"{path}[{key}]")


@cache
def _leading(type_name: str) -> tuple[str, ...]:
    """The fields of a type in which, or below which, a selector may stand."""
    fields = type_named(type_name).fields
    return tuple(name for name, field in fields.items() if _leads(field, frozenset({type_name})))


def _leads(field: Field, seen: frozenset[str]) -> bool:
    while field.items is not None:
        field = field.items
    if field.ref == _SELECTOR:
        return True
    if not field.ref or field.ref in seen:
        return False
    below = seen | {field.ref}
    return any(_leads(each, below) for each in type_named(field.ref).fields.values())


def validate_selector(selector: Mapping[str, Any], path: str) -> list[Cause]:
    """What is wrong with one label selector at a path."""
    causes = validate_labels(selector.get("matchLabels"), f"{path}.matchLabels")
    for index, expression in enumerate(selector.get("matchExpressions") or ()):
        causes += _validate_expression(expression, f"{path}.matchExpressions[{index}]")
    return causes


def _validate_expression(expression: Mapping[str, Any], path: str) -> list[Cause]:
    causes: list[Cause] = []
    operator, values = expression.get("operator", ""), expression.get("values") or ()
    if operator in ("In", "NotIn"):
        if not values:
            why = "must be specified when `operator` is 'In' or 'NotIn'"
            causes.append(required(f"{path}.values", why))
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            causes.append(forbidden(f"{path}.values", why))
    else:
        causes.append(invalid(f"{path}.operator", operator, "not a valid selector operator"))
    why = qualified_name(expression.get("key", ""))
    if why:
        causes.append(invalid(f"{path}.key", expression.get("key", ""), why))
    for index, value in enumerate(values):
        why = label_value(value)
        if why:
            causes.append(invalid(f"{path}.values[{index}]", value, why))
    return causes
