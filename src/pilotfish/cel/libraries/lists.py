"""Lists: order, sums and positions (Kubernetes' list library)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Final

from pilotfish.cel.errors import EvaluationError
from pilotfish.cel.functions import Function, Overload
from pilotfish.cel.operators import OPERATORS
from pilotfish.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    LIST,
    STRING,
    TIMESTAMP,
    UINT,
    Type,
)
from pilotfish.cel.values import equal, type_of

_ORDERED: Final = (INT, UINT, DOUBLE, BOOL, DURATION, TIMESTAMP, STRING, BYTES, DYN)
_SUMMED: Final = (INT, UINT, DOUBLE, DURATION, DYN)


def _item_type(allowed: tuple[Type, ...]) -> Callable[[Sequence[Type]], Type]:
    def result(given: Sequence[Type]) -> Type:
        item = given[0].parameters[0] if given[0].parameters else DYN
        if item not in allowed:
            raise ValueError(f"it is not for a {given[0]}")
        return item

    return result


def _one_kind(items: list[Any]) -> list[Any]:
    if len({type_of(item) for item in items}) > 1:
        raise EvaluationError("no such overload: items of several types")
    return items


def _is_sorted(items: list[Any]) -> bool:
    _one_kind(items)
    return all(left <= right for left, right in pairwise(items))


def _least(items: list[Any]) -> Any:
    if not items:
        raise EvaluationError("min called on empty list")
    return min(_one_kind(items))


def _greatest(items: list[Any]) -> Any:
    if not items:
        raise EvaluationError("max called on empty list")
    return max(_one_kind(items))


def _sum(items: list[Any]) -> Any:
    if not items:
        return 0
    total, *rest = items
    for item in rest:
        total = _added(total, item)
    return total


def _added(left: Any, right: Any) -> Any:
    names = (type_of(left).name, type_of(right).name)
    for overload in OPERATORS["+"]:
        if tuple(kind.name for kind in overload.parameters) == names:
            return overload.run(left, right)
    raise EvaluationError(f"no such overload: {names[0]} + {names[1]}")


def _index_of(items: list[Any], wanted: Any) -> int:
    return next((at for at, item in enumerate(items) if equal(item, wanted)), -1)


def _last_index_of(items: list[Any], wanted: Any) -> int:
    return next((at for at in range(len(items) - 1, -1, -1) if equal(items[at], wanted)), -1)


def _method(name: str, doc: str, overload: Overload) -> Function:
    return Function(name, doc, (overload,), is_global=False, is_method=True)


def _sorted_type(given: Sequence[Type]) -> Type:
    _item_type(_ORDERED)(given)
    return BOOL


FUNCTIONS: Final = (
    _method(
        "isSorted", "whether the items ascend", Overload((LIST,), BOOL, _is_sorted, _sorted_type)
    ),
    _method("sum", "the sum of the items", Overload((LIST,), DYN, _sum, _item_type(_SUMMED))),
    _method("min", "the least item", Overload((LIST,), DYN, _least, _item_type(_ORDERED))),
    _method("max", "the greatest item", Overload((LIST,), DYN, _greatest, _item_type(_ORDERED))),
    _method("indexOf", "where an item is first, or -1", Overload((LIST, DYN), INT, _index_of)),
    _method(
        "lastIndexOf", "where an item is last, or -1", Overload((LIST, DYN), INT, _last_index_of)
    ),
)
