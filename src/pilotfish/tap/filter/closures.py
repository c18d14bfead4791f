"""What nodes of a filter become: closures from entries to values."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from pilotfish.tap.filter.errors import EvaluationError
from pilotfish.tap.filter.functions import Overload
from pilotfish.tap.filter.shapes import Entry
from pilotfish.tap.filter.types import Type
from pilotfish.tap.filter.values import Uint, equal, type_of

# Steps that all loops of a filter may take for one entry.
MAX_STEPS = 20_000

Run = Callable[[Entry], Any]
Condition = Callable[[Entry], bool]
UNKNOWN = object()


class Typed(NamedTuple):
    """What a node became.

    Attributes:
        type: of its values.
        run: its value for an entry; raises EvaluationError.
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

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MAX_STEPS

    def refill(self) -> None:
        """Another entry."""
        self.left = MAX_STEPS

    def take(self) -> None:
        """One step."""
        self.left -= 1
        if self.left < 0:
            raise EvaluationError("the filter loops for too long")


def binary(run: Callable[[Any, Any], Any], left: Typed, right: Typed) -> Run:
    of_left, of_right = left.run, right.run
    if right.is_constant:
        value = right.constant
        if run is operator.eq:
            return lambda entry: of_left(entry) == value
        return lambda entry: run(of_left(entry), value)
    return lambda entry: run(of_left(entry), of_right(entry))


def calling(run: Callable[..., Any], arguments: list[Typed]) -> Run:
    if len(arguments) == 1:
        of = arguments[0].run
        return lambda entry: run(of(entry))
    if len(arguments) == 2:
        return binary(run, *arguments)
    runs = [argument.run for argument in arguments]
    return lambda entry: run(*[each(entry) for each in runs])


def chosen_late(overloads: list[Overload], runs: list[Run]) -> Run:
    """The overload that fits the values."""
    by_names = [([kind.name for kind in each.parameters], each.run) for each in overloads]

    def call(entry: Entry) -> Any:
        values = [run(entry) for run in runs]
        names = [type_of(value).name for value in values]
        for wanted, run in by_names:
            if all(each in ("dyn", name) for each, name in zip(wanted, names, strict=True)):
                return run(*values)
        raise EvaluationError(f"no such overload: {', '.join(names)}")

    return call


def both(left: Condition, right: Condition) -> Condition:
    """`left && right`: false if either is, even where the other one is an error."""

    def run(entry: Entry) -> bool:
        try:
            if not left(entry):
                return False
        except EvaluationError:
            if right(entry):
                raise
            return False
        return right(entry)

    return run


def either(left: Condition, right: Condition) -> Condition:
    """`left || right`: true if either is, even where the other one is an error."""

    def run(entry: Entry) -> bool:
        try:
            if left(entry):
                return True
        except EvaluationError:
            if not right(entry):
                raise
            return True
        return right(entry)

    return run


def chain(runs: list[Condition], decisive: bool) -> Condition:
    """A chain of && (`decisive` is False) or || (True): one decisive value is enough."""

    def run(entry: Entry) -> bool:
        error: EvaluationError | None = None
        for each in runs:
            try:
                if each(entry) is decisive:
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


def look_up(mapping: Run, key: Run) -> Run:
    def run(entry: Entry) -> Any:
        of, at = mapping(entry), key(entry)
        if is_key(at, of):
            return of[at]
        raise EvaluationError(f"no such key: {at}")

    return run


def item(items: Run, index: Run) -> Run:
    return lambda entry: _item_at(items(entry), index(entry))


def _item_at(items: Any, at: Any) -> Any:
    if type(at) in (int, Uint) and 0 <= at < len(items):
        return items[at]
    raise EvaluationError("there is no such index")


def index_any(operand: Run, key: Run) -> Run:
    def run(entry: Entry) -> Any:
        of, at = operand(entry), key(entry)
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


def stepping(source: Run, cell: list[Any], steps: Steps) -> Run:
    """Goes through the items, each in its turn in the cell."""

    def run(entry: Entry) -> Iterable[Any]:
        items = source(entry)
        if not isinstance(items, list | dict):
            raise EvaluationError("neither a list nor a map")
        for item in items:
            steps.take()
            cell[0] = item
            yield item

    return run


def mapping(items: Run, condition: Condition | None, made: Run) -> Run:
    if condition is None:
        return lambda entry: [made(entry) for _ in items(entry)]
    only = condition
    return lambda entry: [made(entry) for _ in items(entry) if only(entry)]


def filtering(items: Run, condition: Condition) -> Run:
    return lambda entry: [item for item in items(entry) if condition(entry)]


def exactly_one(items: Run, condition: Condition) -> Condition:
    return lambda entry: sum(condition(entry) for _ in items(entry)) == 1


def quantifier(items: Run, condition: Condition, decisive: bool) -> Condition:
    """`exists` (True decides) or `all` (False does): errors count only where nothing decides."""

    def run(entry: Entry) -> bool:
        error: EvaluationError | None = None
        for _ in items(entry):
            try:
                if condition(entry) is decisive:
                    break
            except EvaluationError as raised:
                error = raised
        else:
            if error is not None:
                raise error
            return not decisive
        return decisive

    return run
