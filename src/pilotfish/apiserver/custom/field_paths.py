"""Paths of fields in schemas: `.spec.name`, `.labels['a.b']`.

Rules blame a field by one (`fieldPath`), and `selectableFields` are some.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

Schema = Mapping[str, Any]

_NOWHERE: Final = "does not refer to a valid field"
_TOO_SHORT: Final = "unexpected end of JSON path"


class FieldPathError(ValueError):
    """A path that leads nowhere; the message says why."""


def schema_at(schema: Schema, path: str, *, takes_brackets: bool = True) -> Schema:
    """The schema of the field that a path leads to.

    Raises:
        FieldPathError: the path cannot be read, or the schema has no such field.
    """
    rest = path
    while rest:
        if rest.startswith("[") and not takes_brackets:
            raise FieldPathError("array notation is not allowed")
        if rest.startswith("["):
            name, rest = _quoted(rest)
        elif rest.startswith("."):
            end = next((at for at, char in enumerate(rest[1:], 1) if char in ".["), len(rest))
            name, rest = rest[1:end], rest[end:]
            if not name and not rest:
                raise FieldPathError(_TOO_SHORT)
        else:
            raise FieldPathError(f"expected [ or . but got: {rest}")
        schema = _child(schema, name)
    return schema


def _quoted(path: str) -> tuple[str, str]:
    """The name in brackets that a path begins with, and what follows it."""
    if not path.startswith("['"):
        raise FieldPathError(f"expected single quoted string but got {path[1:].partition(']')[0]}")
    name, found, rest = path[2:].partition("']")
    if not found:
        raise FieldPathError(_TOO_SHORT)
    return name, rest


def _child(schema: Schema, name: str) -> Schema:
    properties = schema.get("properties")
    child = properties.get(name) if properties else schema.get("additionalProperties")
    if not isinstance(child, Mapping):
        raise FieldPathError(_NOWHERE)
    return child
