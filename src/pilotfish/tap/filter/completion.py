"""What may come next where somebody is writing a filter: for the dashboard and shells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pilotfish.cel.compiler import Compiler
from pilotfish.cel.errors import ExpressionError
from pilotfish.cel.functions import Overload
from pilotfish.cel.macros import MACROS
from pilotfish.cel.parser import parse
from pilotfish.cel.types import ObjectType, Type, accepts
from pilotfish.tap.filter.dialect import ENVIRONMENT, FUNCTIONS
from pilotfish.tap.filter.environment import VARIABLES
from pilotfish.tap.filter.language import MAX_CHARS

_HAS = "whether a field or key is there: `has(dst.pod)`"

_WORD = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*\Z")
_STRING = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'")
# What a string is compared with: `protocol == "ht`.
_VALUE = re.compile(r"([_a-zA-Z][_a-zA-Z0-9]*)\s*[=!]=\s*\"([^\"\\]*)\Z")
_VALUE_CHARS = 200  # it would try every one of many
_BRACKETS = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True, slots=True)
class Completion:
    """Something that may stand where the cursor is.

    Attributes:
        text: what is put in, instead of the text from `start` to the cursor.
        start: where that begins.
        type: of its value, or of the function's: "string", "list(string)", "() -> bool".
        doc: what it is, in a line.
    """

    text: str
    start: int
    type: str
    doc: str


def complete(text: str, cursor: int) -> list[Completion]:
    """What may come next, the likeliest first.

    Args:
        text: a filter that is being written.
        cursor: offset in it; what stands behind does not count.
    """
    before = text[: max(0, min(cursor, MAX_CHARS))]
    tail = max(0, len(before) - _VALUE_CHARS)
    value = _VALUE.search(before, tail)
    if value is not None:
        return list(_values(value[1], value[2], value.start(2)))
    if _in_string(before):
        return []
    word = _WORD.search(before)
    start = word.start() if word else len(before)
    begun = before[start:]
    rest = before[:start].rstrip()
    found = _members(rest[:-1]) if rest.endswith(".") else _names()
    wanted = begun.lower()
    matching = [
        Completion(name, start, kind, doc)
        for name, kind, doc in found
        if wanted in name.lower() and name.rstrip("(") != begun
    ]
    return sorted(matching, key=lambda each: not each.text.lower().startswith(wanted))


def _values(variable: str, begun: str, start: int) -> Iterator[Completion]:
    known = VARIABLES.get(variable)
    for value in known.values if known else ():
        if value.startswith(begun):
            yield Completion(value, start, "string", f"a value of {variable}")


def _names() -> Iterator[tuple[str, str, str]]:
    for variable in VARIABLES.values():
        yield variable.name, str(variable.type), variable.doc
    for function in FUNCTIONS.values():
        if function.is_global:
            yield f"{function.name}(", signature(function.overloads), function.doc
    yield "has(", "(field) -> bool", _HAS


def _members(before: str) -> Iterator[tuple[str, str, str]]:
    """What may stand behind `before` and a dot."""
    given = _type_of(_operand(before))
    if given is None:
        return
    if isinstance(given, ObjectType):
        for name, field in given.fields.items():
            yield name, str(field.type), field.doc
        return
    for function in FUNCTIONS.values():
        fitting = [
            each
            for each in function.overloads
            if function.is_method and accepts(each.parameters[0], given)
        ]
        if fitting:
            yield f"{function.name}(", signature(fitting, 1), function.doc
    if given.name in ("list", "map", "dyn"):
        for name, doc in MACROS.items():
            yield f"{name}(", "(item, expression)", doc


def signature(overloads: Iterable[Overload], skipped: int = 0) -> str:
    """How a function is called, without its first so many parameters: "(string) -> bool"."""
    ways: dict[str, dict[str, None]] = {}
    for each in overloads:
        taken = ", ".join(str(kind) for kind in each.parameters[skipped:])
        ways.setdefault(str(each.result), {})[f"({taken})"] = None
    return ", ".join(f"{' or '.join(taken)} -> {result}" for result, taken in ways.items())


def _type_of(operand: str) -> Type | None:
    try:
        return Compiler(operand, ENVIRONMENT).compile(parse(operand)).type
    except ExpressionError:
        return None


def _operand(before: str) -> str:
    """The end of a text that a dot would take a field of: `src.pod`, `request.headers["a"]`."""
    plain = _STRING.sub(lambda match: '"' * len(match[0]), before)
    at = len(plain)
    while at:
        last = plain[at - 1]
        if last in _BRACKETS:
            at = _opening(plain, at - 1)
        elif last.isalnum() or last in '_."':
            at -= 1
        else:
            break
    return before[at:]


def _opening(plain: str, at: int) -> int:
    """Where the bracket begins that ends at `at`; 0 when it never does."""
    depth = 0
    for index in range(at, -1, -1):
        if plain[index] in _BRACKETS:
            depth += 1
        elif plain[index] in "([{":
            depth -= 1
            if not depth:
                return index
    return 0


def _in_string(before: str) -> bool:
    rest = _STRING.sub("", before)
    return '"' in rest or "'" in rest
