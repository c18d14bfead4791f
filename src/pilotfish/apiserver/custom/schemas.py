"""Structural schemas: what is wrong with the schema of a CustomResourceDefinition itself.

"Specifying a structural schema" in the documentation of CustomResourceDefinitions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pilotfish.apiserver.custom.validating import validate_value
from pilotfish.apiserver.validation.causes import (
    Cause,
    forbidden,
    invalid,
    not_supported,
    required,
)
from pilotfish.cel.regex import RegexError, schema_searcher

_TYPES: Final = ("array", "boolean", "integer", "number", "object", "string")
_COMBINATIONS: Final = ("allOf", "anyOf", "oneOf")
_NOT_STRUCTURAL: Final = ("$ref", "definitions", "dependencies", "patternProperties", "id")
_ANYTHING: Final = "x-kubernetes-preserve-unknown-fields"
_INT_OR_STRING: Final = "x-kubernetes-int-or-string"
_LIST_TYPES: Final = ("atomic", "set", "map")


def validate_schema(schema: Mapping[str, Any], path: str) -> list[Cause]:
    """What keeps a schema from being structural."""
    causes = _validate(schema, path)
    if schema.get("type") not in ("object", None, ""):
        why = "must be object at the root"
        causes.append(invalid(f"{path}.type", schema["type"], why))
    if schema.get("nullable"):
        causes.append(forbidden(f"{path}.nullable", "nullable cannot be true at the root"))
    return causes


def _validate(schema: Mapping[str, Any], path: str) -> list[Cause]:
    causes: list[Cause] = []
    kind = schema.get("type", "")
    if not kind and not (schema.get(_ANYTHING) or schema.get(_INT_OR_STRING)):
        causes.append(required(f"{path}.type", "must not be empty for specified object fields"))
    elif kind and kind not in _TYPES:
        causes.append(not_supported(f"{path}.type", kind, _TYPES))
    causes += [
        forbidden(f"{path}.{name}", f"{name} is not supported")
        for name in _NOT_STRUCTURAL
        if schema.get(name)
    ]
    if schema.get("uniqueItems"):
        why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        causes.append(forbidden(f"{path}.uniqueItems", why))
    others = schema.get("additionalProperties")
    properties = schema.get("properties") or {}
    if others is not None and properties:
        why = "must not be used together with properties"
        causes.append(forbidden(f"{path}.additionalProperties", why))
    if schema.get("pattern"):
        causes += _validate_pattern(schema["pattern"], f"{path}.pattern")
    for name, child in properties.items():
        causes += _validate(child, f"{path}.properties[{name}]")
    if isinstance(others, Mapping):
        causes += _validate(others, f"{path}.additionalProperties")
    if kind == "array":
        causes += _validate_array(schema, path)
    for word in _COMBINATIONS:
        for index, child in enumerate(schema.get(word) or ()):
            causes += _validate_combined(child, f"{path}.{word}[{index}]", schema)
    if "not" in schema:
        causes += _validate_combined(schema["not"], f"{path}.not", schema)
    if "default" in schema and not causes:
        causes += validate_value(schema["default"], schema, f"{path}.default")
    return causes


def _validate_pattern(text: str, path: str) -> list[Cause]:
    try:
        schema_searcher(text)
    except RegexError as error:
        return [invalid(path, text, f"must be a valid regular expression, but isn't: {error}")]
    return []


def _validate_array(schema: Mapping[str, Any], path: str) -> list[Cause]:
    if not isinstance(schema.get("items"), Mapping) or not schema["items"]:
        return [required(f"{path}.items", "must be specified")]
    causes = _validate(schema["items"], f"{path}.items")
    list_type = schema.get("x-kubernetes-list-type")
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    if list_type is not None and list_type not in _LIST_TYPES:
        causes.append(not_supported(f"{path}.x-kubernetes-list-type", list_type, _LIST_TYPES))
    if list_type == "map" and not keys:
        why = "must not be empty if x-kubernetes-list-type is map"
        causes.append(required(f"{path}.x-kubernetes-list-map-keys", why))
    fields = schema["items"].get("properties") or {}
    causes += [
        invalid(f"{path}.x-kubernetes-list-map-keys", list(keys), "entries must all be names of "
                "item properties")
        for key in keys
        if key not in fields
    ]  # fmt: skip
    return causes


def _validate_combined(
    schema: Mapping[str, Any], path: str, structure: Mapping[str, Any]
) -> list[Cause]:
    """Within allOf, anyOf, oneOf and not: conditions only, on fields that the structure has."""
    # int-or-string is written with an anyOf of its two types.
    typed = "type" in schema and not structure.get(_INT_OR_STRING)
    causes = [
        forbidden(f"{path}.{name}", "must be empty to be structural")
        for name in ("default", "nullable", "additionalProperties", "description")
        if schema.get(name)
    ]
    if typed:
        causes.append(forbidden(f"{path}.type", "must be empty to be structural"))
    known = structure.get("properties") or {}
    for name, child in (schema.get("properties") or {}).items():
        if name not in known and not structure.get(_ANYTHING):
            why = f"because it is defined in {path}.properties[{name}]"
            causes.append(required(f"{path.rpartition('.')[0]}.properties[{name}]", why))
        else:
            causes += _validate_combined(child, f"{path}.properties[{name}]", known.get(name, {}))
    return causes
