"""Quantities: `quantity("1.5Gi")` (Kubernetes' quantity library)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any, ClassVar, Final

from pilotfish.cel.errors import EvaluationError
from pilotfish.cel.functions import Function, Overload
from pilotfish.cel.types import BOOL, DOUBLE, INT, STRING, Type
from pilotfish.cel.values import MAX_INT, TypeName
from pilotfish.objects.quantities import parse_quantity

# More digits than a sum of quantities has: 19 before the point, 9 after it.
_EXACT: Final = Context(prec=100)
QUANTITY: Final = Type("kubernetes.Quantity")


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount of something."""

    cel_type: ClassVar = TypeName(QUANTITY.name)

    number: Decimal


def _quantity(text: str) -> Quantity:
    try:
        return Quantity(parse_quantity(text))
    except ValueError as error:
        raise EvaluationError(str(error)) from error


def _is_quantity(text: str) -> bool:
    try:
        parse_quantity(text)
    except ValueError:
        return False
    return True


def _as_integer(of: Quantity) -> int:
    if not _is_integer(of):
        raise EvaluationError("cannot convert value to integer")
    return int(of.number)


def _is_integer(of: Quantity) -> bool:
    # Larger numbers were cut to MAX_INT, so that it counts as none.
    return of.number == of.number.to_integral_value() and -MAX_INT <= of.number < MAX_INT


def _number(value: Any) -> Decimal:
    return value.number if isinstance(value, Quantity) else Decimal(int(value))


def _sign(value: Decimal) -> int:
    return (value > 0) - (value < 0)


def _method(name: str, doc: str, result: Type, run: Callable[..., Any], *more: Type) -> Function:
    overloads = tuple(Overload((QUANTITY, each), result, run) for each in more)
    overloads = overloads or (Overload((QUANTITY,), result, run),)
    return Function(name, doc, overloads, is_global=False, is_method=True)


FUNCTIONS: Final = (
    Function("quantity", "an amount", (Overload((STRING,), QUANTITY, _quantity),), has_syntax=True),
    Function(
        "isQuantity", "whether a string is an amount", (Overload((STRING,), BOOL, _is_quantity),)
    ),
    _method("sign", "1, 0 or -1", INT, lambda of: _sign(of.number)),
    _method("isInteger", "whether it is an int", BOOL, _is_integer),
    _method("asInteger", "as an int", INT, _as_integer),
    _method("asApproximateFloat", "as a double", DOUBLE, lambda of: float(of.number)),
    _method(
        "add",
        "the sum",
        QUANTITY,
        lambda of, other: Quantity(_EXACT.add(of.number, _number(other))),
        QUANTITY,
        INT,
    ),
    _method(
        "sub",
        "the difference",
        QUANTITY,
        lambda of, other: Quantity(_EXACT.subtract(of.number, _number(other))),
        QUANTITY,
        INT,
    ),
    _method(
        "isGreaterThan",
        "whether it is more",
        BOOL,
        lambda of, other: of.number > other.number,
        QUANTITY,
    ),
    _method(
        "isLessThan",
        "whether it is less",
        BOOL,
        lambda of, other: of.number < other.number,
        QUANTITY,
    ),
    _method(
        "compareTo",
        "1, 0 or -1: more, the same, less",
        INT,
        lambda of, other: (of.number > other.number) - (of.number < other.number),
        QUANTITY,
    ),
)
