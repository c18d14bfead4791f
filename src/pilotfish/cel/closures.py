"""What nodes become: closures from scopes to values."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from pilotfish.cel.environment import Scope
from pilotfish.cel.errors import EvaluationError, TooLongError
from pilotfish.cel.functions import Overload
from pilotfish.cel.optional_value import Optional
from pilotfish.cel.types import ORDERED, Type
from pilotfish.cel.values import Uint, equal, type_of

Run = Callable[[Scope], Any]
Condition = Callable[[Scope], bool]
UNKNOWN = object()
_ORDERED = frozenset(kind.name for kind in ORDERED)


class Typed(NamedTuple):
    """What a node became.

    Attributes:
        type: of its values.
        run: its value in a scope; raises EvaluationError.
        constant: that value, where it is always the same.
        values: the only values that it has; empty: any.
    """

    type: Type
    run: Run
    constant: Any = UNKNOWN
    values: tuple[str, ...] = ()

    @property
    def is_constant(self) -> bool:
        """Whether its value is known."""
        return self.constant is not UNKNOWN


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


def constant(kind: Type, value: Any) -> Typed:
    """What is always the same."""
    return Typed(kind, lambda _: value, value)


def binary(run: Callable[[Any, Any], Any], left: Typed, right: Typed) -> Run:
    of_left, of_right = left.run, right.run
    if right.is_constant:
        value = right.constant
        if run is operator.eq:
            return lambda scope: of_left(scope) == value
        return lambda scope: run(of_left(scope), value)
    return lambda scope: run(of_left(scope), of_right(scope))


def calling(run: Callable[..., Any], arguments: list[Typed]) -> Run:
    if len(arguments) == 1:
        of = arguments[0].run
        return lambda scope: run(of(scope))
    if len(arguments) == 2:
        return binary(run, *arguments)
    runs = [argument.run for argument in arguments]
    return lambda scope: run(*[each(scope) for each in runs])


def chosen_late(overloads: list[Overload], runs: list[Run]) -> Run:
    """The overload that fits the values."""
    by_names = [([kind.name for kind in each.parameters], each.run) for each in overloads]

    def call(scope: Scope) -> Any:
        values = [run(scope) for run in runs]
        names = [type_of(value).name for value in values]
        for wanted, run in by_names:
            if all(each in ("dyn", name) for each, name in zip(wanted, names, strict=True)):
                return run(*values)
        raise EvaluationError(f"no such overload: {', '.join(names)}")

    return call


def both(left: Condition, right: Condition) -> Condition:
    """`left && right`: false if either is, even where the other one is an error."""

    def run(scope: Scope) -> bool:
        try:
            if not left(scope):
                return False
        except EvaluationError:
            if right(scope):
                raise
            return False
        return right(scope)

    return run


def either(left: Condition, right: Condition) -> Condition:
    """`left || right`: true if either is, even where the other one is an error."""

    def run(scope: Scope) -> bool:
        try:
            if left(scope):
                return True
        except EvaluationError:
            if not right(scope):
                raise
            return True
        return right(scope)

    return run


def chain(runs: list[Condition], decisive: bool) -> Condition:
    """A chain of && (`decisive` is False) or || (True): one decisive value is enough."""

    def run(scope: Scope) -> bool:
        error: EvaluationError | None = None
        for each in runs:
            try:
                if each(scope) is decisive:
                    break
            except EvaluationError as raised:
                error = raised
        else:
            if error is not None:
                raise error
            return not decisive
        return decisive

    return run


def unequal(left: Any, right: Any) -> bool:
    return not equal(left, right)


def key_of(value: Any) -> Any:
    if type(value) in (str, int, bool, Uint):
        return value
    raise EvaluationError("a key is an int, a uint, a bool or a string")


def list_maker(runs: list[tuple[bool, Run]]) -> Run:
    """`[item, ?optional, …]`; each item says whether it is an optional."""

    def make(scope: Scope) -> list[Any]:
        made: list[Any] = []
        for is_optional, run in runs:
            value = run(scope)
            if not is_optional:
                made.append(value)
            elif _optional(value).is_set:
                made.append(value.value)
        return made

    return make


def map_maker(runs: list[tuple[Run, bool, Run]]) -> Run:
    """`{key: value, ?key: optional, …}`; each value says whether it is an optional."""

    def make(scope: Scope) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        for key, is_optional, run in runs:
            at, value = key_of(key(scope)), run(scope)
            if at in made:
                raise EvaluationError("a key is there twice")
            if not is_optional:
                made[at] = value
            elif _optional(value).is_set:
                made[at] = value.value
        return made

    return make


def _optional(value: Any) -> Optional:
    if isinstance(value, Optional):
        return value
    raise EvaluationError("what follows ? is no optional")


def look_up(mapping: Run, key: Run) -> Run:
    def run(scope: Scope) -> Any:
        of, at = mapping(scope), key(scope)
        if is_key(at, of):
            return of[at]
        raise EvaluationError(f"no such key: {at}")

    return run


def item(items: Run, index: Run) -> Run:
    return lambda scope: _item_at(items(scope), index(scope))


def _item_at(items: Any, at: Any) -> Any:
    if type(at) in (int, Uint) and 0 <= at < len(items):
        return items[at]
    raise EvaluationError("there is no such index")


def index_any(operand: Run, key: Run) -> Run:
    def run(scope: Scope) -> Any:
        of, at = operand(scope), key(scope)
        if isinstance(of, list):
            return _item_at(of, at)
        if is_key(at, of):
            return of[at]
        raise EvaluationError(f"no such key: {at}")

    return run


def is_key(key: Any, mapping: Any) -> bool:
    if not isinstance(mapping, dict):
        raise EvaluationError("it has no keys")
    if isinstance(key, str):
        return key in mapping
    if isinstance(key, float) and key.is_integer():
        key = int(key)
    if type(key) not in (int, bool, Uint) or key not in mapping:
        return False
    # To Python, true is 1.
    return any(each == key and isinstance(each, bool) is isinstance(key, bool) for each in mapping)


def is_item(item: Any, items: Iterable[Any]) -> bool:
    return any(equal(item, each) for each in items)


def is_in_any(item: Any, among: Any) -> bool:
    if isinstance(among, list):
        return is_item(item, among)
    return is_key(item, among)


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


def mapping(items: Run, condition: Condition | None, made: Run) -> Run:
    if condition is None:
        return lambda scope: [made(scope) for _ in items(scope)]
    only = condition
    return lambda scope: [made(scope) for _ in items(scope) if only(scope)]


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
