"""Lists whose order does not matter: `x-kubernetes-list-type` set and map, as CEL sees them."""

from __future__ import annotations

from typing import Any, ClassVar

from pilotfish.cel.values import TypeName, equal


class UniqueList(list[Any]):
    """A list that is a set: equal in any order, and `+` adds what is not there."""

    cel_type: ClassVar = TypeName("list")
    __hash__ = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, list) or len(self) != len(other):
            return False
        return all(any(equal(mine, each) for each in other) for mine in self)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __add__(self, other: list[Any]) -> UniqueList:
        new = [each for each in other if not any(equal(each, mine) for mine in self)]
        return UniqueList([*self, *new])


class KeyedList(list[Any]):
    """A list that merges by keys: equal in any order, and `+` replaces items of the same keys."""

    cel_type: ClassVar = TypeName("list")
    __hash__ = None

    def __init__(self, items: list[Any], keys: tuple[str, ...]) -> None:
        super().__init__(items)
        self._keys = keys

    def _by_key(self, items: list[Any]) -> dict[tuple[Any, ...], Any]:
        return {tuple(item.get(key) for key in self._keys): item for item in items}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, list) or len(self) != len(other):
            return False
        mine, others = self._by_key(self), self._by_key(other)
        return mine.keys() == others.keys() and all(equal(mine[at], others[at]) for at in mine)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __add__(self, other: list[Any]) -> KeyedList:
        return KeyedList([*(self._by_key(self) | self._by_key(other)).values()], self._keys)
