"""JSON paths of printer columns: what an object has at `.status.conditions[0].type`.

Users choose the paths and the objects that they lead through, so that each search looks at a
limited number of values.
Source: k8s.io/client-go, util/jsonpath/jsonpath.go.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from pilotfish.apiserver.custom import jsonpath_steps as steps
from pilotfish.apiserver.custom.jsonpath_parser import parse
from pilotfish.apiserver.custom.jsonpath_steps import JsonPathError, Path

# `..` in front of `..` looks at the square of what there is, and so on.
_MOST_VALUES: Final = 10_000
_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
}


class _TooManyValuesError(JsonPathError):
    """A search that would take too long."""


@lru_cache(maxsize=1024)
def readable(path: str) -> Path | None:
    """The steps of a path; None if it cannot be read."""
    try:
        return parse(path)
    except JsonPathError:
        return None


def values_at(obj: Any, path: Path) -> list[Any]:
    """What an object has at a path; several values where the path leads to several.

    Raises:
        JsonPathError: the path does not fit the object: an index is out of a list's bounds,
            a filter stands at a map, or values of different types are compared.
    """
    return _Search().follow([obj], path)


class _Search:
    """One search, which ends when it has looked at too much."""

    def __init__(self) -> None:
        self._left = _MOST_VALUES

    def follow(self, values: list[Any], path: Path) -> list[Any]:
        """What the steps of a path lead to from some values."""
        for step in path:
            values = self._step(values, step)
            self._charge(1 + len(values))
        return values

    def _charge(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise _TooManyValuesError(f"the path leads to more than {_MOST_VALUES} values")

    def _step(self, values: list[Any], step: steps.Step) -> list[Any]:
        match step:
            case steps.Key(name):
                return [each[name] for each in values if isinstance(each, dict) and name in each]
            case steps.Elements():
                return self._elements(values, step)
            case steps.All():
                return [child for each in values for child in self._children(each)]
            case steps.Filter():
                return self._filter(values, step)
            case steps.Union(paths):
                return [found for path in paths for found in self.follow(values, path)]
            case steps.Descendants():
                return self._descendants(values)
            case steps.Text(text):
                return [text]
            case steps.Constant(value):
                return [value] * len(values)
        raise JsonPathError(f"unrecognized identifier {step.name}")

    def _children(self, value: Any) -> list[Any]:
        found: Collection[Any] = ()
        if isinstance(value, dict):
            found = value.values()
        elif isinstance(value, list):
            found = value
        elif isinstance(value, str):
            # Go's strings are lists of bytes.
            found = value.encode()
        self._charge(len(found))
        return list(found)

    def _descendants(self, values: list[Any]) -> list[Any]:
        found: list[Any] = []
        waiting = values[::-1]
        while waiting:
            value = waiting.pop()
            if value and isinstance(value, dict | list | str):
                self._charge(1)
                found.append(value)
                if not isinstance(value, str):
                    waiting += self._children(value)[::-1]
        return found

    def _elements(self, values: list[Any], step: steps.Elements) -> list[Any]:
        found: list[Any] = []
        for value in values:
            if value is None:
                continue
            if not isinstance(value, list):
                raise JsonPathError("no list where the path has an index")
            length = len(value)
            start, end = step.start or 0, length if step.end is None else step.end
            if start < 0:
                start += length
            if end < 0 or (end == 0 and step.is_one):
                end += length
            if start == end:
                return found
            if not (0 <= start < length and 0 <= end <= length and start <= end):
                raise JsonPathError(f"array index out of bounds: {start} of {length}")
            if step.step is not None and step.step <= 0:
                raise JsonPathError("step must be > 0")
            found += value[start : end : step.step or 1]
        return found

    def _filter(self, values: list[Any], step: steps.Filter) -> list[Any]:
        found: list[Any] = []
        for value in values:
            if not isinstance(value, list):
                raise JsonPathError("no list where the path has a filter")
            self._charge(len(value))
            keeps = self._exists if step.operator == "exists" else self._compares
            found += [item for item in value if keeps(item, step)]
        return found

    def _exists(self, item: Any, step: steps.Filter) -> bool:
        try:
            return bool(self.follow([item], step.left))
        except _TooManyValuesError:
            raise
        except JsonPathError:
            # kubectl counts what it had found before the step that failed.
            return True

    def _compares(self, item: Any, step: steps.Filter) -> bool:
        left, right = (_only(self.follow([item], path)) for path in (step.left, step.right))
        if not left or not right:
            return False
        compare = _COMPARISONS.get(step.operator)
        if compare is None:
            raise JsonPathError(f"unrecognized filter operator {step.operator}")
        kind = type(left[0])
        if kind is not type(right[0]) or kind not in (bool, float, int, str):
            raise JsonPathError("values of these types cannot be compared")
        if kind is bool and step.operator not in ("==", "!="):
            raise JsonPathError("booleans have no order")
        return compare(left[0], right[0])


def _only(found: Iterable[Any]) -> list[Any]:
    listed = list(found)
    if len(listed) > 1:
        raise JsonPathError("can only compare one element at a time")
    return listed
