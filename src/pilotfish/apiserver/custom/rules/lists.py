"""Lists whose order does not matter: `x-kubernetes-list-type` set and map, as CEL sees them."""

from __future__ import annotations

from typing import Any, ClassVar

from pilotfish.cel.errors import EvaluationError
from pilotfish.cel.item_set import ItemSet
from pilotfish.cel.values import TypeName, equal


class UniqueList(list[Any]):
    """A list that is a set: equal in any order, and `+` adds what is not there."""

    cel_type: ClassVar = TypeName("list")
    __hash__ = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, list) or len(self) != len(other):
            return False
        others = ItemSet(other)
        return all(mine in others for mine in self)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __add__(self, other: list[Any]) -> UniqueList:
        known = ItemSet(self)
        return UniqueList([*self, *(each for each in other if each not in known)])


class KeyedList(list[Any]):
    """A list that merges by keys: equal in any order, and `+` replaces items of the same keys."""

    cel_type: ClassVar = TypeName("list")
    __hash__ = None

    def __init__(self, items: list[Any], keys: tuple[str, ...]) -> None:
        super().__init__(items)
        self._keys = keys

    def _by_key(self, items: list[Any]) -> dict[tuple[Any, ...], Any]:
        if not all(map(self._has_keys, items)):
            raise EvaluationError("no such overload: items without the keys of the list")
        return {tuple(item.get(key) for key in self._keys): item for item in items}

    def _has_keys(self, item: Any) -> bool:
        """Whether an item, which a rule may have made itself, is an object with scalar keys."""
        return isinstance(item, dict) and not any(
            isinstance(item.get(key), dict | list) for key in self._keys
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, list) or len(self) != len(other):
            return False
        if not all(map(self._has_keys, other)):
            return False
        mine, others = self._by_key(self), self._by_key(other)
        return mine.keys() == others.keys() and all(equal(mine[at], others[at]) for at in mine)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __add__(self, other: list[Any]) -> KeyedList:
        return KeyedList([*(self._by_key(self) | self._by_key(other)).values()], self._keys)
