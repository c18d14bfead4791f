"""What loops become: closures that go through the items of a list or map."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

from pilotfish.cel.closures import Condition, Run
from pilotfish.cel.environment import Scope
from pilotfish.cel.errors import EvaluationError, TooLongError
from pilotfish.cel.types import ORDERED
from pilotfish.cel.values import type_of

_ORDERED = frozenset(kind.name for kind in ORDERED)


class Steps:
    """How many steps the loops have left."""

    __slots__ = ("left", "most")

    def __init__(self, most: int) -> None:
        self.most = self.left = most

    def refill(self) -> None:
        """Another scope."""
        self.left = self.most

    def take(self) -> None:
        """One step."""
        self.left -= 1
        if self.left < 0:
            raise TooLongError("it loops for too long")


def stepping(source: Run, cell: list[Any], steps: Steps) -> Run:
    """Goes through the items, each in its turn in the cell."""

    def run(scope: Scope) -> Iterable[Any]:
        items = source(scope)
        if not isinstance(items, list | dict):
            raise EvaluationError("neither a list nor a map")
        for item in items:
            steps.take()
            cell[0] = item
            yield item

    return run


def stepping_pairs(source: Run, first: list[Any], second: list[Any], steps: Steps) -> Run:
    """Goes through index and item of a list, or key and value of a map, each in its cell."""

    def run(scope: Scope) -> Iterable[Any]:
        items = source(scope)
        if not isinstance(items, list | dict):
            raise EvaluationError("neither a list nor a map")
        for at, item in items.items() if isinstance(items, dict) else enumerate(items):
            steps.take()
            first[0], second[0] = at, item
            yield at

    return run


def mapping(items: Run, condition: Condition | None, made: Run) -> Run:
    if condition is None:
        return lambda scope: [made(scope) for _ in items(scope)]
    only = condition
    return lambda scope: [made(scope) for _ in items(scope) if only(scope)]


def mapping_entries(items: Run, condition: Condition | None, made: Run, *, merges: bool) -> Run:
    """A map of what is made at each key; `merges`: a map is made, and all become one."""

    def run(scope: Scope) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for at in items(scope):
            if condition is not None and not condition(scope):
                continue
            value = made(scope)
            for key, each in value.items() if merges else ((at, value),):
                if key in found:
                    raise EvaluationError(f"insert failed: key {key} already exists")
                found[key] = each
        return found

    return run


def sorting(items: Run, key: Run) -> Run:
    """The items by their keys, those of equal keys in their order."""

    def run(scope: Scope) -> list[Any]:
        pairs = [(key(scope), item) for item in items(scope)]
        one_kind([of for of, _ in pairs])
        return [item for _, item in sorted(pairs, key=operator.itemgetter(0))]

    return run


def one_kind(items: list[Any]) -> list[Any]:
    """The items, all of one type that has an order.

    Raises:
        EvaluationError: they are not.
    """
    kinds = {type_of(item).name for item in items}
    if len(kinds) > 1:
        raise EvaluationError("no such overload: items of several types")
    if kinds - _ORDERED:
        raise EvaluationError(f"no such overload: {kinds.pop()} has no order")
    return items


def filtering(items: Run, condition: Condition) -> Run:
    return lambda scope: [item for item in items(scope) if condition(scope)]


def exactly_one(items: Run, condition: Condition) -> Condition:
    return lambda scope: sum(condition(scope) for _ in items(scope)) == 1


def quantifier(items: Run, condition: Condition, decisive: bool) -> Condition:
    """`exists` (True decides) or `all` (False does): errors count only where nothing decides."""

    def run(scope: Scope) -> bool:
        error: EvaluationError | None = None
        for _ in items(scope):
            try:
                if condition(scope) is decisive:
                    break
            except EvaluationError as raised:
                error = raised
        else:
            if error is not None:
                raise error
            return not decisive
        return decisive

    return run
