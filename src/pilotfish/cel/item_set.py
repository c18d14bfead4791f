"""Sets of values as CEL compares them: 1 is 1.0, but not true.

Comparing each item with each other one takes the square of their number, and their number is a
stranger's choice. A hash for what is equal takes one step an item.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

from pilotfish.cel.values import equal, type_of


class ItemSet:
    """Values, each once."""

    def __init__(self, items: Iterable[Any] = ()) -> None:
        self._hashed: set[Hashable] = set()
        # Lists that say themselves what makes them equal, as those of a set or of a keyed list.
        self._others: list[Any] = []
        for item in items:
            self.add(item)

    def __contains__(self, item: Any) -> bool:
        try:
            return _identity(item) in self._hashed
        except _NoHashError:
            return any(equal(item, other) for other in self._others)

    def add(self, item: Any) -> bool:
        """Add a value; returns whether it was not there."""
        if item in self:
            return False
        try:
            self._hashed.add(_identity(item))
        except _NoHashError:
            self._others.append(item)
        return True


class _NoHashError(Exception):
    """A value has no hash that equal ones share."""


def _identity(value: Any) -> Hashable:
    """What two values have in common exactly when CEL's == is true of them."""
    kind = type_of(value).name
    if kind in ("int", "uint", "double"):
        return value if value == value else object()  # NaN equals nothing
    if kind == "list":
        if type(value) is not list:
            raise _NoHashError
        return kind, tuple(map(_identity, value))
    if kind == "map":
        return kind, frozenset((_key(key), _identity(each)) for key, each in value.items())
    try:
        hash(value)
    except TypeError as error:
        raise _NoHashError from error
    return kind, value


def _key(key: Any) -> Hashable:
    return type_of(key).name, key
