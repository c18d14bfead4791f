"""Operators: for which types, and what they do ("List of Standard Definitions" of langdef.md)."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from pilotfish.cel.errors import EvaluationError
from pilotfish.cel.functions import Overload
from pilotfish.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    INT,
    LIST,
    STRING,
    TIMESTAMP,
    UINT,
    joined,
)
from pilotfish.cel.values import (
    MAX_SIZE,
    checked_duration,
    checked_int,
    checked_timestamp,
    checked_uint,
    divide,
    remainder,
)


def _divide_doubles(left: float, right: float) -> float:
    if right:
        return left / right
    if not left or math.isnan(left) or math.isnan(right):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def _joined(left: Any, right: Any) -> Any:
    if len(left) + len(right) > MAX_SIZE:
        raise EvaluationError("too large")
    return left + right


def _of(check: Callable[[int], int], run: Callable[[int, int], int]) -> Callable[[int, int], int]:
    return lambda left, right: check(run(left, right))


def _arithmetic(
    run: Callable[[int, int], int], doubles: Callable[[float, float], float] | None
) -> tuple[Overload, ...]:
    found = [
        Overload((INT, INT), INT, _of(checked_int, run)),
        Overload((UINT, UINT), UINT, _of(checked_uint, run)),
    ]
    if doubles is not None:
        found.append(Overload((DOUBLE, DOUBLE), DOUBLE, doubles))
    return tuple(found)


_ADD = operator.add
_SUBTRACT = operator.sub

OPERATORS: dict[str, tuple[Overload, ...]] = {
    "+": (
        *_arithmetic(_ADD, _ADD),
        Overload((STRING, STRING), STRING, _joined),
        Overload((BYTES, BYTES), BYTES, _joined),
        Overload((LIST, LIST), LIST, _joined, lambda given: joined(list(given))),
        Overload((TIMESTAMP, DURATION), TIMESTAMP, _of(checked_timestamp, _ADD)),
        Overload((DURATION, TIMESTAMP), TIMESTAMP, _of(checked_timestamp, _ADD)),
        Overload((DURATION, DURATION), DURATION, _of(checked_duration, _ADD)),
    ),
    "-": (
        *_arithmetic(_SUBTRACT, _SUBTRACT),
        Overload((TIMESTAMP, TIMESTAMP), DURATION, _of(checked_duration, _SUBTRACT)),
        Overload((TIMESTAMP, DURATION), TIMESTAMP, _of(checked_timestamp, _SUBTRACT)),
        Overload((DURATION, DURATION), DURATION, _of(checked_duration, _SUBTRACT)),
    ),
    "*": _arithmetic(operator.mul, operator.mul),
    "/": _arithmetic(divide, _divide_doubles),
    "%": _arithmetic(remainder, None),
}

_ORDERED = (BOOL, STRING, BYTES, TIMESTAMP, DURATION)
_NUMBERS = (INT, UINT, DOUBLE)
for _sign, _compare in {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}.items():
    # Numbers of different types lie on one line.
    OPERATORS[_sign] = (
        *(Overload((left, right), BOOL, _compare) for left in _NUMBERS for right in _NUMBERS),
        *(Overload((each, each), BOOL, _compare) for each in _ORDERED),
    )

NEGATIONS = (
    Overload((INT,), INT, lambda value: checked_int(-value)),
    Overload((DOUBLE,), DOUBLE, operator.neg),
)
