"""The messages' types as JSON Schemas (2020-12), for the OpenAPI document."""

from __future__ import annotations

import inspect
import types
from typing import (
    Any,
    Literal,
    NotRequired,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from pilotfish.dashboard import messages

Schema = dict[str, Any]

_PLAIN: dict[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    object: {},
    type(None): {"type": "null"},
}


def schemas() -> dict[str, Schema]:
    """A schema for each message and part of one, by name."""
    return {name: _object(value) for name, value in vars(messages).items() if is_typeddict(value)}


def reference(message: type) -> Schema:
    """Refers to a message's schema from elsewhere in the document."""
    return {"$ref": f"#/components/schemas/{message.__name__}"}


def _object(message: type) -> Schema:
    properties, required = {}, []
    for key, hint in get_type_hints(message, include_extras=True).items():
        if get_origin(hint) is NotRequired:
            (hint,) = get_args(hint)
        else:
            required.append(key)
        properties[key] = _schema(hint)
    return {
        "type": "object",
        "description": inspect.cleandoc(message.__doc__ or ""),
        "properties": properties,
        "required": required,
    }


def _schema(hint: Any) -> Schema:
    """A type hint's schema. TypeError for what has no place in messages."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    if is_typeddict(hint):
        return reference(hint)
    arguments = get_args(hint)
    match get_origin(hint):
        case origin if origin is Literal:
            return {"enum": list(arguments)}
        case origin if origin in (Union, types.UnionType):
            return {"anyOf": [_schema(each) for each in arguments]}
        case origin if origin is list:
            return {"type": "array", "items": _schema(arguments[0])}
        case origin if origin is dict:
            return {"type": "object", "additionalProperties": _schema(arguments[1])}
    raise TypeError(f"messages have no place for {hint!r}")
