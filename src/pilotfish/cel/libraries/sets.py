"""Lists as sets: `sets.contains`, `sets.equivalent`, `sets.intersects`."""

from __future__ import annotations

from typing import Any, Final

from pilotfish.cel.functions import Function, Overload
from pilotfish.cel.item_set import ItemSet
from pilotfish.cel.types import BOOL, LIST


def _contains(items: list[Any], others: list[Any]) -> bool:
    known = ItemSet(items)
    return all(each in known for each in others)


def _equivalent(items: list[Any], others: list[Any]) -> bool:
    return _contains(items, others) and _contains(others, items)


def _intersects(items: list[Any], others: list[Any]) -> bool:
    known = ItemSet(items)
    return any(each in known for each in others)


FUNCTIONS: Final = tuple(
    Function(f"sets.{name}", doc, (Overload((LIST, LIST), BOOL, run),))
    for name, doc, run in (
        ("contains", "whether the first list has every item of the second", _contains),
        ("equivalent", "whether each list has every item of the other", _equivalent),
        ("intersects", "whether they have an item in common", _intersects),
    )
)
