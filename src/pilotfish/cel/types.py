"""CEL's types, as far as JSON and addresses need them.

https://github.com/google/cel-spec/blob/master/doc/langdef.md#values
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Type:
    """A type; lists have one parameter, maps two (keys and values)."""

    name: str
    parameters: tuple[Type, ...] = ()

    def __str__(self) -> str:
        if not self.parameters:
            return self.name
        return f"{self.name}({', '.join(map(str, self.parameters))})"


@dataclass(frozen=True)
class Field:
    """A field of an object.

    Attributes:
        type, doc: what it is.
        get: its value, given the object; where the object has none, the type's default.
        present: whether the object has one.
    """

    type: Type
    doc: str
    get: Callable[[Mapping[str, Any]], Any]
    present: Callable[[Mapping[str, Any]], bool]


@dataclass(frozen=True)
class ObjectType(Type):
    """A type with named fields, as protocol buffers' messages are to CEL.

    A field that is not set has its type's default value; `has()` tells.
    """

    fields: Mapping[str, Field] = field(default_factory=dict, compare=False)


DYN = Type("dyn")
NULL = Type("null_type")
BOOL = Type("bool")
INT = Type("int")
UINT = Type("uint")
DOUBLE = Type("double")
STRING = Type("string")
BYTES = Type("bytes")
TIMESTAMP = Type("timestamp")
DURATION = Type("duration")
TYPE = Type("type")

NUMBERS = frozenset((INT, UINT, DOUBLE))
# Those whose values have an order.
ORDERED = frozenset((*NUMBERS, BOOL, DURATION, TIMESTAMP, STRING, BYTES))
# Those whose values are only ever equal to values of the same Python type, or of a number's.
_PLAIN = frozenset((BOOL, INT, UINT, STRING, BYTES, TIMESTAMP, DURATION))

_NEVER_NULL = frozenset(("bool", "int", "uint", "double", "string", "bytes", "list", "map", "type"))


def with_article(given: Type) -> str:
    """The type in a sentence: "an int"."""
    return f"{'an' if given.name[0] in 'aeiou' else 'a'} {given}"


def list_of(item: Type) -> Type:
    """list(item)"""
    return Type("list", (item,))


def map_of(key: Type, value: Type) -> Type:
    """map(key, value)"""
    return Type("map", (key, value))


LIST = list_of(DYN)
MAP = map_of(DYN, DYN)
STRINGS = list_of(STRING)
STRING_MAP = map_of(STRING, STRING)


def accepts(wanted: Type, given: Type) -> bool:
    """Whether a value of the type `given` may stand where `wanted` is asked for.

    What is `dyn` may: then it shows at run time.
    """
    if wanted == given or DYN in (wanted, given):
        return True
    if wanted.name != given.name or len(wanted.parameters) != len(given.parameters):
        return False
    if isinstance(wanted, ObjectType):
        return False
    return all(map(accepts, wanted.parameters, given.parameters))


def comparable(left: Type, right: Type) -> bool:
    """Whether `==` between them makes sense: same types, numbers, and null with what may be it."""
    if accepts(left, right) or (left in NUMBERS and right in NUMBERS):
        return True
    if NULL in (left, right):
        # cel-go: null may stand for messages, well-known types, and types of a library's own.
        other = right if left == NULL else left
        return isinstance(other, ObjectType) or other.name not in _NEVER_NULL
    if left.name == right.name and left.parameters:
        return all(map(comparable, left.parameters, right.parameters))
    return False


def is_plain(given: Type) -> bool:
    """Whether Python's == says what CEL's does about two values of this one type."""
    return given in _PLAIN or (
        given.name in ("list", "map") and all(map(is_plain, given.parameters))
    )


def joined(types: Sequence[Type]) -> Type:
    """The type of what may be any of these; dyn when they have nothing in common."""
    if not types:
        return DYN
    first = types[0]
    if all(each == first for each in types):
        return first
    if first.parameters and all(each.name == first.name for each in types):
        columns = zip(*(each.parameters for each in types), strict=True)
        return Type(first.name, tuple(joined(list(column)) for column in columns))
    return DYN


_DEFAULTS: dict[str, Any] = {
    "bool": False,
    "int": 0,
    "uint": 0,
    "double": 0.0,
    "string": "",
    "bytes": b"",
    "list": [],
    "map": {},
    "dyn": None,
}


def default_of(given: Type) -> Any:
    """The value of what is not set; objects' own are empty ones."""
    return {} if isinstance(given, ObjectType) else _DEFAULTS[given.name]
