"""Validation of values by a structural schema, in the words of Kubernetes' OpenAPI validator.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
("Validation", "Validation ratcheting"). `rules/` evaluates `x-kubernetes-validations`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from pilotfish.apiserver.custom.formats import has_format
from pilotfish.apiserver.custom.keywords import INT_OR_STRING, LIST_KEYS, LIST_TYPE
from pilotfish.apiserver.validation.causes import (
    Cause,
    duplicate,
    invalid,
    not_supported,
    required,
    too_many,
)
from pilotfish.cel.regex import schema_searcher

Schema = Mapping[str, Any]

_INT64: Final = 2**63
_INT_RANGES: Final = {"int32": 2**31, "int64": _INT64}
# Integers from here on are not told apart by floats.
_SAFE: Final = 2**53
_NOTHING: Final[Mapping[str, Any]] = {}


# Stands for what a value was before where nobody can tell; equal to nothing.
UNKNOWN: Final = object()


def validate_value(
    value: Any, schema: Schema, path: str = "", *, old: Any = UNKNOWN
) -> list[Cause]:
    """What is wrong with a value, one cause for each field.

    Args:
        old: the value before an update: what is still the same is not held against it.
    """
    return list(_check(value, schema, path, old))


def _check(value: Any, schema: Schema, path: str, old: Any = UNKNOWN) -> Iterator[Cause]:
    if old is not UNKNOWN and value == old:
        return
    if value is None:
        if not schema.get("nullable") and _types(schema):
            yield _wrong_type(path, schema, value)
        return
    wanted = _types(schema)
    if wanted and not any(_is(value, each) for each in wanted):
        yield _wrong_type(path, schema, value)
        return
    if schema.get("enum") and value not in schema["enum"]:
        yield not_supported(path, value, schema["enum"])
    if isinstance(value, str):
        yield from _check_text(value, schema, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _check_number(value, schema, path)
    elif isinstance(value, list):
        yield from _check_list(value, schema, path, old)
    elif isinstance(value, dict):
        yield from _check_object(value, schema, path, old)
    yield from _check_combinations(value, schema, path)


def _types(schema: Schema) -> tuple[str, ...]:
    if schema.get(INT_OR_STRING):
        return ("integer", "string")
    return (schema["type"],) if schema.get("type") else ()


def _is(value: Any, kind: str) -> bool:
    match kind:
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return _is_integer(value)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "array":
            return isinstance(value, list)
        case "object":
            return isinstance(value, dict)
    return True


def _is_integer(value: Any) -> bool:
    """Whether Go reads a number as an integer, or as a float that surely is one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if isinstance(value, int):
        return -_INT64 <= value < _INT64
    return value.is_integer() and abs(value) < _SAFE


def _wrong_type(path: str, schema: Schema, value: Any) -> Cause:
    found = _type_name(value)
    wanted = ",".join(_types(schema))
    shown = json.dumps(found)
    return Cause(
        path or "<nil>",
        "FieldValueTypeInvalid",
        f"Invalid value: {shown}: {_in_body(path)} must be of type {wanted}: {shown}",
    )


def _type_name(value: Any) -> str:
    if value is None:
        return "null"
    for kind in ("boolean", "string", "integer", "number", "array"):
        if _is(value, kind):
            return kind
    return "object"


def _in_body(path: str) -> str:
    return f"{path} in body" if path else " in body"


def _check_text(value: str, schema: Schema, path: str) -> Iterator[Cause]:
    most, least = schema.get("maxLength"), schema.get("minLength")
    if most is not None and len(value) > most:
        yield Cause(path, "FieldValueTooLong", f"Too long: may not be more than {most} bytes")
    if least is not None and len(value) < least:
        yield invalid(path, value, f"{_in_body(path)} should be at least {least} chars long")
    pattern = schema.get("pattern")
    if pattern and not schema_searcher(pattern)(value):
        yield invalid(path, value, f"{_in_body(path)} should match '{pattern}'")
    name = schema.get("format", "")
    if name and not has_format(value, name):
        yield invalid(path, value, f"{_in_body(path)} must be of type {name}: {json.dumps(value)}")


def _check_number(value: float, schema: Schema, path: str) -> Iterator[Cause]:
    limit = _INT_RANGES.get(schema.get("format", ""))
    if limit is not None and not -limit <= value < limit:
        name = schema["format"]
        yield invalid(path, value, f"Checked value must be of type integer with format {name}")
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None:
        if schema.get("exclusiveMinimum"):
            if value <= low:
                yield invalid(path, value, f"{_in_body(path)} should be greater than {low:g}")
        elif value < low:
            why = f"{_in_body(path)} should be greater than or equal to {low:g}"
            yield invalid(path, value, why)
    if high is not None:
        if schema.get("exclusiveMaximum"):
            if value >= high:
                yield invalid(path, value, f"{_in_body(path)} should be less than {high:g}")
        elif value > high:
            why = f"{_in_body(path)} should be less than or equal to {high:g}"
            yield invalid(path, value, why)
    factor = schema.get("multipleOf")
    if factor and not math.isclose(value / factor, round(value / factor), abs_tol=1e-9):
        yield invalid(path, value, f"{_in_body(path)} should be a multiple of {factor:g}")


def _check_list(values: list[Any], schema: Schema, path: str, old: Any) -> Iterator[Cause]:
    most, least = schema.get("maxItems"), schema.get("minItems")
    if most is not None and len(values) > most:
        yield too_many(path, len(values), most)
    if least is not None and len(values) < least:
        yield invalid(path, values, f"{_in_body(path)} should have at least {least} items")
    items = schema.get("items")
    if items:
        for index, (item, before) in enumerate(_paired(values, schema, old)):
            yield from _check(item, items, f"{path}[{index}]", before)
    list_type = schema.get(LIST_TYPE)
    if schema.get("uniqueItems") or list_type in ("set", "map"):
        yield from _check_unique(values, schema, path)


def _paired(values: list[Any], schema: Schema, old: Any) -> Iterator[tuple[Any, Any]]:
    """Items with what they were before, where keys tell which is which."""
    keys = schema.get(LIST_KEYS) or ()
    before: dict[str, Any] = {}
    if keys and isinstance(old, list):
        before = {_key(item, keys): item for item in old}
    for item in values:
        yield item, before.get(_key(item, keys), UNKNOWN) if before else UNKNOWN


def _key(item: Any, keys: Iterable[str]) -> str:
    return json.dumps(_identity(item, keys), sort_keys=True)


def _identity(item: Any, keys: Iterable[str]) -> Any:
    """What tells an item apart: its keys, or all of it where a list has none."""
    if keys and isinstance(item, dict):
        return {name: item[name] for name in keys if name in item}
    return item


def _check_unique(values: list[Any], schema: Schema, path: str) -> Iterator[Cause]:
    keys = schema.get(LIST_KEYS) or ()
    seen: set[str] = set()
    for index, item in enumerate(values):
        key = _key(item, keys)
        if key in seen:
            yield duplicate(f"{path}[{index}]", _identity(item, keys))
        seen.add(key)


def _check_object(value: dict[str, Any], schema: Schema, path: str, old: Any) -> Iterator[Cause]:
    most, least = schema.get("maxProperties"), schema.get("minProperties")
    if most is not None and len(value) > most:
        yield too_many(path, len(value), most)
    if least is not None and len(value) < least:
        yield invalid(path, value, f"{_in_body(path)} should have at least {least} properties")
    for name in schema.get("required") or ():
        if name not in value:
            yield required(_below(path, name))
    properties: Mapping[str, Any] = schema.get("properties") or _NOTHING
    others = schema.get("additionalProperties")
    before = old if isinstance(old, dict) else _NOTHING
    for name, item in value.items():
        child = properties.get(name)
        if child is None and isinstance(others, Mapping):
            child = others
        if child is not None:
            yield from _check(item, child, _below(path, name), before.get(name, UNKNOWN))


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _check_combinations(value: Any, schema: Schema, path: str) -> Iterator[Cause]:
    shown = f'"{path}"'
    if schema.get("allOf"):
        found = [cause for each in schema["allOf"] for cause in _check(value, each, path)]
        if found:
            yield invalid(path, value, f"{shown} must validate all the schemas (allOf)")
            yield from found
    if schema.get("anyOf") and not any(_holds(value, each) for each in schema["anyOf"]):
        yield invalid(path, value, f"{shown} must validate at least one schema (anyOf)")
        yield from _check(value, schema["anyOf"][0], path)
    if schema.get("oneOf"):
        count = sum(_holds(value, each) for each in schema["oneOf"])
        if count != 1:
            found_words = f"Found {count} valid alternatives" if count else "Found none valid"
            why = f"{shown} must validate one and only one schema (oneOf). {found_words}"
            yield invalid(path, value, why)
    if schema.get("not") and _holds(value, schema["not"]):
        yield invalid(path, value, f"{shown} must not validate the schema (not)")


def _holds(value: Any, schema: Schema) -> bool:
    return next(_check(value, schema, ""), None) is None
