"""Structurality: what a schema of a CustomResourceDefinition must be like to be structural.

"Specifying a structural schema" in the documentation of CustomResourceDefinitions. The shape of
values is told outside of allOf, anyOf, oneOf and not; what stands within those (here: conditions)
may only restrict fields that the shape has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pilotfish.apiserver.custom.keywords import (
    EMBEDS,
    INT_OR_STRING,
    INT_OR_STRING_TYPES,
    LIST_KEYS,
    LIST_TYPE,
    MAP_TYPE,
    PRESERVES,
    RULES,
)
from pilotfish.apiserver.validation.causes import Cause, forbidden, invalid, required
from pilotfish.cel.regex import RegexError, schema_searcher

Schema = Mapping[str, Any]

_COMBINATIONS: Final = ("anyOf", "allOf", "oneOf")
_NO_TYPE: Final = {
    "root": "must not be empty at the root",
    "items": "must not be empty for specified array items",
    "field": "must not be empty for specified object fields",
}
# What belongs to the shape, so that no condition may have it; and how Kubernetes says so.
_OF_THE_SHAPE: Final = {
    "type": "must be empty to be structural",
    "default": "must be undefined to be structural",
    "title": "must be empty to be structural",
    "description": "must be empty to be structural",
    "nullable": "must be false to be structural",
    PRESERVES: "must be false to be structural",
    EMBEDS: "must be false to be structural",
    INT_OR_STRING: "must be false to be structural",
    LIST_KEYS: "must be empty to be structural",
    LIST_TYPE: "must be undefined to be structural",
    MAP_TYPE: "must be undefined to be structural",
    RULES: "must be empty to be structural",
}
# What a schema of metadata may have beside names: nothing that means anything.
_NAMES: Final = frozenset({"name", "generateName"})


def validate_structure(schema: Schema, path: str) -> list[Cause]:
    """What keeps a schema from being structural."""
    causes = [*_shape(schema, "root", path), *_complete(schema, schema, path, path)]
    return sorted(causes, key=lambda cause: (cause.field, cause.message))


def combined(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """The conditions of a schema, each with its place below it: `anyOf[0]`."""
    for word in _COMBINATIONS:
        for index, child in enumerate(schema.get(word) or ()):
            yield f"{word}[{index}]", child
    if schema.get("not") is not None:
        yield "not", schema["not"]


def _shape(schema: Schema, level: str, path: str) -> Iterator[Cause]:
    """What is wrong with a part of the shape and what is below it.

    Args:
        level: "root", "items" or "field".
    """
    kind, properties = schema.get("type", ""), schema.get("properties") or {}
    items, others = schema.get("items"), schema.get("additionalProperties")
    if kind == "array" and items is None:
        yield required(f"{path}.items", "must be specified")
    if isinstance(items, Mapping):
        yield from _shape(items, "items", f"{path}.items")
    for name, child in properties.items():
        yield from _shape(child, "field", f"{path}.properties[{name}]")
    if others is not None and level == "root":
        yield forbidden(f"{path}.additionalProperties", "must not be used at the root")
    if isinstance(others, Mapping):
        yield from _shape(others, "field", f"{path}.additionalProperties")
    yield from _extensions(schema, path)
    yield from _conditions(schema, path, is_shape=True)
    if not kind and not (schema.get(INT_OR_STRING) or schema.get(PRESERVES) or schema.get(EMBEDS)):
        yield required(f"{path}.type", _NO_TYPE[level])
    if level == "root" and kind and kind != "object":
        yield invalid(f"{path}.type", kind, "must be object at the root")
    yield from _identity(schema, level, path)


def _extensions(schema: Schema, path: str) -> Iterator[Cause]:
    kind = schema.get("type", "")
    if schema.get(INT_OR_STRING):
        for other in (PRESERVES, EMBEDS):
            if schema.get(other):
                why = f"must be false if {INT_OR_STRING} is true"
                yield invalid(f"{path}.{other}", True, why)
    if not schema.get(EMBEDS):
        return
    if not kind:
        yield required(f"{path}.type", f"must be object if {EMBEDS} is true")
    elif kind != "object":
        yield invalid(f"{path}.type", kind, f"must be object if {EMBEDS} is true")
    if schema.get("additionalProperties") is not None:
        why = f"must not be used if {EMBEDS} is set"
        yield forbidden(f"{path}.additionalProperties", why)
    if not schema.get(PRESERVES) and not schema.get("properties"):
        why = f"must not be empty if {EMBEDS} is true without {PRESERVES}"
        yield required(f"{path}.properties", why)


def _identity(schema: Schema, level: str, path: str) -> Iterator[Cause]:
    """Check what a schema says of apiVersion, kind and metadata, which are told already."""
    properties = schema.get("properties") or {}
    is_object = level == "root" or bool(schema.get(EMBEDS))
    for name in ("kind", "apiVersion"):
        if is_object and name in properties and properties[name].get("type") != "string":
            at = f"{path}.properties[{name}].type"
            yield invalid(at, properties[name].get("type", ""), "must be string")
    metadata = properties.get("metadata")
    if metadata is None:
        return
    at = f"{path}.properties[metadata]"
    if is_object and metadata.get("type") != "object":
        yield invalid(f"{at}.type", metadata.get("type", ""), "must be object")
    if level == "root" and not _restricts_names_only(metadata):
        why = (
            "must not specify anything other than name and generateName, but metadata is "
            "implicitly specified"
        )
        yield forbidden(at, why)


def _restricts_names_only(metadata: Schema) -> bool:
    said = {name for name, value in metadata.items() if value not in (None, "", False, [], {})}
    return said <= {"type", "properties", "default"} and _NAMES.issuperset(
        metadata.get("properties") or {}
    )


def _conditions(schema: Schema, path: str, *, is_shape: bool) -> Iterator[Cause]:
    """What is wrong with the conditions of a schema; its own pattern is one of them."""
    types_told = _tells_int_or_string(schema) if is_shape else ""
    for place, child in combined(schema):
        if types_told == "anyOf" and place.startswith("anyOf"):
            continue
        excused = types_told == "allOf" and place == "allOf[0]"
        yield from _condition(child, f"{path}.{place}", skips_any_of=excused)
    if schema.get("pattern"):
        yield from _pattern(schema["pattern"], f"{path}.pattern")


def _tells_int_or_string(schema: Schema) -> str:
    """Where the types of an int-or-string are told, which is the one place where they may be."""
    if schema.get("anyOf") == INT_OR_STRING_TYPES:
        return "anyOf"
    first = (schema.get("allOf") or [{}])[0]
    return "allOf" if first.get("anyOf") == INT_OR_STRING_TYPES else ""


def _pattern(text: str, path: str) -> Iterator[Cause]:
    try:
        schema_searcher(text)
    except RegexError as error:
        why = f"must be a valid regular expression, but isn't: {error}"
        yield invalid(path, text, why)


def _condition(schema: Schema, path: str, *, skips_any_of: bool = False) -> Iterator[Cause]:
    inner = {**schema, "anyOf": ()} if skips_any_of else schema
    yield from _conditions(inner, path, is_shape=False)
    if isinstance(schema.get("items"), Mapping):
        yield from _condition(schema["items"], f"{path}.items")
    for name, child in (schema.get("properties") or {}).items():
        yield from _condition(child, f"{path}.properties[{name}]")
    for word, why in _OF_THE_SHAPE.items():
        said = schema.get(word)
        is_default = word == "default" and said is not None
        if said or is_default:
            yield forbidden(f"{path}.{word}", why)
    if schema.get("additionalProperties") not in (None, False):
        yield forbidden(f"{path}.additionalProperties", "must be undefined to be structural")
    if "metadata" in (schema.get("properties") or {}):
        why = "must not be specified in a nested context"
        yield forbidden(f"{path}.properties[metadata]", why)


def _complete(condition: Schema, shape: Schema, shape_path: str, path: str) -> Iterator[Cause]:
    """Check that the shape has every field that a condition restricts."""
    for place, child in combined(condition):
        yield from _complete_below(child, shape, shape_path, f"{path}.{place}")


def _complete_below(
    condition: Schema, shape: Schema | None, shape_path: str, path: str
) -> Iterator[Cause]:
    if shape is None:
        yield required(shape_path, f"because it is defined in {path}")
        return
    yield from _complete(condition, shape, shape_path, path)
    if isinstance(condition.get("items"), Mapping):
        items = shape.get("items")
        yield from _complete_below(
            condition["items"], items, f"{shape_path}.items", f"{path}.items"
        )
    known = shape.get("properties") or {}
    for name, child in (condition.get("properties") or {}).items():
        below = f"properties[{name}]"
        yield from _complete_below(
            child, known.get(name), f"{shape_path}.{below}", f"{path}.{below}"
        )
