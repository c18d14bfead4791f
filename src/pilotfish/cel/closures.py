"""What nodes become: closures from scopes to values."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from pilotfish.cel.environment import Scope
from pilotfish.cel.errors import EvaluationError
from pilotfish.cel.functions import Overload
from pilotfish.cel.optional_value import Optional
from pilotfish.cel.types import Type
from pilotfish.cel.values import Uint, equal, type_of

Run = Callable[[Scope], Any]
Condition = Callable[[Scope], bool]
UNKNOWN = object()


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
