"""Lists: order, sums, positions, parts.

Kubernetes' list library, and cel-go's (https://pkg.go.dev/github.com/google/cel-go/ext#Lists).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import pairwise
from typing import Any, Final

from pilotfish.cel.errors import EvaluationError
from pilotfish.cel.functions import Function, Overload
from pilotfish.cel.item_set import ItemSet
from pilotfish.cel.loops import one_kind
from pilotfish.cel.operators import OPERATORS
from pilotfish.cel.optional_value import NONE, Optional
from pilotfish.cel.optionals import OPTIONAL, optional_of
from pilotfish.cel.types import (
    BOOL,
    DURATION,
    DYN,
    INT,
    LIST,
    NUMBERS,
    ORDERED,
    Type,
    list_of,
)
from pilotfish.cel.values import MAX_SIZE, equal, type_of

_ORDERED: Final = ORDERED | {DYN}
_SUMMED: Final = NUMBERS | {DURATION, DYN}


def _item_type(allowed: Collection[Type]) -> Callable[[Sequence[Type]], Type]:
    def result(given: Sequence[Type]) -> Type:
        item = given[0].parameters[0] if given[0].parameters else DYN
        if item not in allowed:
            raise ValueError(f"it is not for a {given[0]}")
        return item

    return result


def _is_sorted(items: list[Any]) -> bool:
    one_kind(items)
    return all(left <= right for left, right in pairwise(items))


def _least(items: list[Any]) -> Any:
    if not items:
        raise EvaluationError("min called on empty list")
    return min(one_kind(items))


def _greatest(items: list[Any]) -> Any:
    if not items:
        raise EvaluationError("max called on empty list")
    return max(one_kind(items))


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


def _slice(items: list[Any], start: int, end: int) -> list[Any]:
    what = f"cannot slice({start}, {end})"
    if start < 0 or end < 0:
        raise EvaluationError(f"{what}, negative indexes not supported")
    if start > end:
        raise EvaluationError(f"{what}, start index must be less than or equal to end index")
    if end > len(items):
        raise EvaluationError(f"{what}, list is length {len(items)}")
    return items[start:end]


def _flatten(items: list[Any], depth: int = 1) -> list[Any]:
    """The items of lists within the list, `depth` levels down; without recursion."""
    if depth < 0:
        raise EvaluationError("level must be non-negative")
    flat: list[Any] = []
    waiting = [(iter(items), depth)]
    while waiting:
        level, left = waiting[-1]
        for item in level:
            if left and isinstance(item, list):
                waiting.append((iter(item), left - 1))
                break
            flat.append(item)
        else:
            waiting.pop()
    return flat


def _flat_type(given: Sequence[Type]) -> Type:
    item = given[0].parameters[0] if given[0].parameters else DYN
    return list_of(item.parameters[0] if item.name == "list" else item)


def _range(count: int) -> list[int]:
    if count > MAX_SIZE:
        raise EvaluationError(f"a range has at most {MAX_SIZE} numbers")
    return list(range(count))


def _distinct(items: list[Any]) -> list[Any]:
    seen = ItemSet()
    return [item for item in items if seen.add(item)]


def _sorted(items: list[Any]) -> list[Any]:
    return sorted(one_kind(items))


def _sortable(given: Sequence[Type]) -> Type:
    _item_type(_ORDERED)(given)
    return given[0]


def _optional_item(given: Sequence[Type]) -> Type:
    return optional_of(given[0].parameters[0] if given[0].parameters else DYN)


def _at(index: int) -> Callable[[list[Any]], Optional]:
    return lambda items: Optional(items[index], True) if items else NONE


def _same_type(given: Sequence[Type]) -> Type:
    return given[0]


def _index_of(items: list[Any], wanted: Any) -> int:
    return next((at for at, item in enumerate(items) if equal(item, wanted)), -1)


def _last_index_of(items: list[Any], wanted: Any) -> int:
    return next((at for at in range(len(items) - 1, -1, -1) if equal(items[at], wanted)), -1)


def _includes(whole: Any, wanted: Any) -> bool:
    items = whole if isinstance(whole, list) else [whole]
    return any(equal(item, wanted) for item in items)


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
    _method(
        "includes",
        "whether an item is in the list, or is the value itself",
        Overload((DYN, DYN), BOOL, _includes),
    ),
    _method(
        "slice",
        "the items from one position up to another one",
        Overload((LIST, INT, INT), LIST, _slice, _same_type),
    ),
    Function(
        "flatten",
        "the items of the lists within the list, one level down or as many as are asked for",
        (Overload((LIST,), LIST, _flatten, _flat_type), Overload((LIST, INT), LIST, _flatten)),
        is_global=False,
        is_method=True,
    ),
    Function("lists.range", "the numbers from 0", (Overload((INT,), list_of(INT), _range),)),
    _method(
        "distinct",
        "the items, each once",
        Overload((LIST,), LIST, _distinct, _same_type),
    ),
    _method(
        "reverse",
        "the items from the last to the first",
        Overload((LIST,), LIST, lambda items: items[::-1], _same_type),
    ),
    _method("sort", "the items in order", Overload((LIST,), LIST, _sorted, _sortable)),
    _method("first", "the first item", Overload((LIST,), OPTIONAL, _at(0), _optional_item)),
    _method("last", "the last item", Overload((LIST,), OPTIONAL, _at(-1), _optional_item)),
)
