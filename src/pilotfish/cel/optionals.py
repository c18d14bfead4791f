"""Optional values: `a.?b`, `a[?b]`, and what can be done with what may not be there.

https://pkg.go.dev/github.com/google/cel-go/cel#OptionalTypes
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pilotfish.cel import closures
from pilotfish.cel.closures import Typed
from pilotfish.cel.environment import Scope
from pilotfish.cel.errors import EvaluationError
from pilotfish.cel.functions import Function, Overload
from pilotfish.cel.optional_value import NONE, OPTIONAL_NAME, Optional
from pilotfish.cel.types import BOOL, DYN, LIST, ObjectType, Type, accepts, joined, list_of

OPTIONAL = Type(OPTIONAL_NAME, (DYN,))


def optional_of(value: Type) -> Type:
    """optional_type(value)"""
    return Type(OPTIONAL_NAME, (value,))


def is_optional(kind: Type) -> bool:
    """Whether a type is that of an optional value."""
    return kind.name == OPTIONAL_NAME


def inner_of(kind: Type) -> Type:
    """The type of what an optional holds; another type is its own."""
    return kind.parameters[0] if is_optional(kind) else kind


def selected(operand: Typed, field: Callable[[Typed], Typed], name: str) -> Typed:
    """`operand.?name`, or `operand.name` of an optional; `field` compiles the plain one."""
    kind = inner_of(operand.type)
    cell: list[Any] = [None]
    found = field(Typed(kind, lambda _: cell[0]))
    if isinstance(kind, ObjectType):
        present = kind.fields[name].present
    else:

        def present(value: Any) -> bool:
            return closures.is_key(name, value)

    return _reached(operand, cell, lambda value, _: present(value), found)


def indexed(operand: Typed, key: Typed, item: Callable[[Typed], Typed]) -> Typed:
    """`operand[?key]`, or `operand[key]` of an optional; `item` compiles the plain one."""
    kind = inner_of(operand.type)
    cell: list[Any] = [None]
    found = item(Typed(kind, lambda _: cell[0]))
    run = key.run

    def present(value: Any, scope: Scope) -> bool:
        at = run(scope)
        if isinstance(value, list):
            return type(at) is not bool and isinstance(at, int) and 0 <= at < len(value)
        if isinstance(kind, ObjectType):
            return bool(kind.fields[at].present(value))
        return closures.is_key(at, value)

    return _reached(operand, cell, present, found)


def _reached(
    operand: Typed, cell: list[Any], present: Callable[[Any, Scope], bool], found: Typed
) -> Typed:
    of, then = operand.run, found.run

    def run(scope: Scope) -> Optional:
        value = of(scope)
        if isinstance(value, Optional):
            if not value.is_set:
                return NONE
            value = value.value
        if not present(value, scope):
            return NONE
        cell[0] = value
        return Optional(then(scope), True)

    return Typed(optional_of(inner_of(found.type)), run)


def mapped(source: Typed, cell: list[Any], made: Typed, is_flat: bool) -> Typed:
    """`source.optMap(x, made)`, or `optFlatMap` where what is made is optional itself."""
    of, make = source.run, made.run

    def run(scope: Scope) -> Optional:
        value: Optional = of(scope)
        if not value.is_set:
            return NONE
        cell[0] = value.value
        result = make(scope)
        return result if is_flat else Optional(result, True)

    return Typed(made.type if is_flat else optional_of(made.type), run)


def _value(of: Optional) -> Any:
    if of.is_set:
        return of.value
    raise EvaluationError("optional.none() dereference")


def _of_non_zero(value: Any) -> Optional:
    return Optional(value, True) if value else NONE


def _of_both(given: Sequence[Type]) -> Type:
    value, other = inner_of(given[0]), inner_of(given[1])
    if not accepts(value, other):
        raise ValueError(f"the value is of type {value}, and this is of type {other}")
    return joined([value, other])


def _unwrapped(items: list[Any]) -> list[Any]:
    if not all(isinstance(item, Optional) for item in items):
        raise EvaluationError("no such overload: a list of what is no optional")
    return [item.value for item in items if item.is_set]


def _unwrapped_type(given: Sequence[Type]) -> Type:
    item = given[0].parameters[0] if given[0].parameters else DYN
    if not (is_optional(item) or item == DYN):
        raise ValueError(f"it is for a list of optionals, not for a {given[0]}")
    return list_of(inner_of(item))


_UNWRAP = Overload((LIST,), LIST, _unwrapped, _unwrapped_type)

FUNCTIONS = tuple(
    Function(name, doc, (overload,), is_global, not is_global)
    for name, doc, is_global, overload in (
        ("optional.of", "a value that is there", True,
         Overload((DYN,), OPTIONAL, lambda value: Optional(value, True),
                  lambda given: optional_of(given[0]))),
        ("optional.ofNonZeroValue", "a value, if it is not empty or zero", True,
         Overload((DYN,), OPTIONAL, _of_non_zero, lambda given: optional_of(given[0]))),
        ("optional.none", "no value", True, Overload((), OPTIONAL, lambda: NONE)),
        ("optional.unwrap", "the values of optionals that have one", True, _UNWRAP),
        ("unwrapOpt", "the values of optionals that have one", False, _UNWRAP),
        ("hasValue", "whether there is a value", False,
         Overload((OPTIONAL,), BOOL, lambda of: of.is_set)),
        ("value", "the value", False,
         Overload((OPTIONAL,), DYN, _value, lambda given: inner_of(given[0]))),
        ("orValue", "the value, or another one", False,
         Overload((OPTIONAL, DYN), DYN, lambda of, other: of.value if of.is_set else other,
                  _of_both)),
        ("or", "the optional, or another one", False,
         Overload((OPTIONAL, OPTIONAL), OPTIONAL, lambda of, other: of if of.is_set else other,
                  lambda given: optional_of(_of_both(given)))),
    )
)  # fmt: skip
