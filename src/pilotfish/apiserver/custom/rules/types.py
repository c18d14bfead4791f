"""A structural schema as CEL sees it: the type of its values, and the values themselves.

"Field name escaping" and the table of types under "Validation rules" in the documentation of
CustomResourceDefinitions.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from pilotfish.apiserver.custom.keywords import EMBEDS, INT_OR_STRING, LIST_KEYS, LIST_TYPE
from pilotfish.apiserver.custom.rules.lists import KeyedList, UniqueList
from pilotfish.cel.errors import EvaluationError
from pilotfish.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    Field,
    ObjectType,
    Type,
    list_of,
    map_of,
)
from pilotfish.cel.values import parse_duration, parse_timestamp

Schema = Mapping[str, Any]
Convert = Callable[[Any], Any]

_SCALARS: Final = {"boolean": BOOL, "integer": INT, "number": DOUBLE}
_FORMATS: Final = {
    "byte": BYTES,
    "date": TIMESTAMP,
    "date-time": TIMESTAMP,
    "datetime": TIMESTAMP,
    "duration": DURATION,
}
_RESERVED: Final = frozenset(
    [
        "true",
        "false",
        "null",
        "in",
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ]
)
_ESCAPES: Final = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}
_ESCAPED: Final = re.compile(r"__|[.\-/]")
_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")
# What can be seen of every object, whatever its schema says.
_METADATA: Final[Schema] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "generateName": {"type": "string"}},
}
_IDENTITY: Final[Schema] = {
    "apiVersion": {"type": "string"},
    "kind": {"type": "string"},
    "metadata": _METADATA,
}


def with_identity(schema: Schema) -> Schema:
    """The schema of a whole object, with what every object has."""
    return {**schema, "properties": {**(schema.get("properties") or {}), **_IDENTITY}}


def escaped(name: str) -> str | None:
    """The name of a property as a rule writes it; None if no rule can."""
    if name in _RESERVED:
        return f"__{name}__"
    found = _ESCAPED.sub(lambda match: _ESCAPES[match[0]], name)
    return found if _NAME.match(found) else None


class Types:
    """The types of the parts of one schema, each made once however many rules look at it."""

    def __init__(self) -> None:
        # With the schema itself: while it lives, no other one has its id.
        self._made: dict[int, tuple[Schema, Type | None]] = {}

    def of(self, schema: Schema, name: str) -> Type | None:
        """The type of a part's values; None for what rules cannot look at.

        Args:
            name: where the part stands, which tells types of objects apart.
        """
        key = id(schema)
        if key not in self._made:
            self._made[key] = (schema, _type_of_schema(schema, name, self))
        return self._made[key][1]


def _type_of_schema(schema: Schema, name: str, types: Types) -> Type | None:
    if schema.get(INT_OR_STRING):
        return DYN
    match schema.get("type"):
        case "array":
            items = schema.get("items")
            item = types.of(items, f"{name}.items") if items else None
            return None if item is None else list_of(item)
        case "object":
            return _object(schema, name, types)
        case "string":
            return _FORMATS.get(schema.get("format", ""), STRING)
        case kind:
            return _SCALARS.get(str(kind))


def _object(schema: Schema, name: str, types: Types) -> Type | None:
    values = schema.get("additionalProperties")
    if isinstance(values, Mapping):
        value = types.of(values, f"{name}.values")
        return None if value is None else map_of(STRING, value)
    if schema.get(EMBEDS):
        schema = with_identity(schema)
    fields: dict[str, Field] = {}
    for key, child in (schema.get("properties") or {}).items():
        written, kind = escaped(key), types.of(child, f"{name}.{key}")
        if written is not None and kind is not None:
            fields[written] = _field(key, kind)
    return ObjectType(name, fields=fields)


def _field(key: str, kind: Type) -> Field:
    def get(value: Mapping[str, Any]) -> Any:
        try:
            return value[key]
        except KeyError:
            raise EvaluationError(f"no such key: {key}") from None

    return Field(kind, "", get, lambda value: key in value)


def converter(schema: Schema) -> Convert | None:
    """What makes CEL's values of JSON's; None where they are the same."""
    if schema.get(INT_OR_STRING):
        return None
    match schema.get("type"):
        case "number":
            return float
        case "integer":
            return _whole
        case "string":
            return _TEXTS.get(_FORMATS.get(schema.get("format", ""), STRING))
        case "array":
            return _list_converter(schema)
        case "object":
            return _object_converter(schema)
    return None


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) else value


def _moment(text: str) -> Any:
    return parse_timestamp(text if "T" in text.upper() else f"{text}T00:00:00Z")


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise EvaluationError("invalid base64") from error


_TEXTS: Final[Mapping[Type, Convert]] = {
    BYTES: _bytes,
    DURATION: parse_duration,
    TIMESTAMP: _moment,
}


def _list_converter(schema: Schema) -> Convert | None:
    each = converter(schema.get("items") or {})
    keys = tuple(schema.get(LIST_KEYS) or ())
    kind = schema.get(LIST_TYPE)

    def convert(items: Any) -> Any:
        if not isinstance(items, list):
            return items
        made = items if each is None else [_kept_null(each, item) for item in items]
        if kind == "set":
            return UniqueList(made)
        return KeyedList(made, keys) if kind == "map" else made

    return None if each is None and kind not in ("set", "map") else convert


def _object_converter(schema: Schema) -> Convert | None:
    values = schema.get("additionalProperties")
    of_values = converter(values) if isinstance(values, Mapping) else None
    found = {key: converter(each) for key, each in (schema.get("properties") or {}).items()}
    of_fields = {key: each for key, each in found.items() if each is not None}
    if of_values is None and not of_fields:
        return None

    def convert(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        made = {}
        for key, item in value.items():
            each = of_fields.get(key, of_values)
            made[key] = item if each is None else _kept_null(each, item)
        return made

    return convert


def _kept_null(convert: Convert, value: Any) -> Any:
    return None if value is None else convert(value)
