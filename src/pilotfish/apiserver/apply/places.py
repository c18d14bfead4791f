"""Places: what an object has at a path of a field set, and taking it away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from pilotfish.apiserver.apply.fieldsets import (
    ANY,
    ASSOCIATIVE,
    Path,
    elements,
    member,
    segment_of,
    struct_of,
    whole,
)
from pilotfish.objects.meta import Object
from pilotfish.objects.schema import Field, Type

MISSING: Final = object()
# In a tree of paths: one of them ends here.
_HERE: Final = "."
# Paths by their segments.
_Tree = dict[str, Any]


class Duplicates(list[Any]):
    """Several elements of a list that have one name; nothing is at a path inside of them."""


class Places:
    """The values of an object at paths; the object must not change meanwhile.

    The names of a list's elements are worked out once, however many paths lead there.
    """

    def __init__(self, obj: Object, schema: Type | None) -> None:
        self._obj = obj
        self._field = whole(schema)
        self._elements: dict[int, dict[str, list[Any]]] = {}

    def at(self, path: Path) -> Any:
        """A value, MISSING or Duplicates."""
        value: Any = self._obj
        field = self._field
        for segment in path:
            value, field = self._inside(value, segment, field), _field_at(segment, field)
            if value is MISSING:
                return MISSING
        return value

    def _inside(self, value: Any, segment: str, field: Field) -> Any:
        if segment.startswith("f:"):
            return value.get(segment[2:], MISSING) if isinstance(value, dict) else MISSING
        # Duplicates are made here, and of no list that stays.
        if type(value) is not list or field.list_type not in ASSOCIATIVE:
            return MISSING
        known = self._elements.get(id(value))
        if known is None:
            known = self._elements[id(value)] = elements(value, field)
        found = known.get(segment, [])
        if len(found) > 1:
            return Duplicates(found)
        return found[0] if found else MISSING


def remove_all(obj: Object, paths: Iterable[Path], schema: Type | None) -> None:
    """Take out what an object has at paths, and the objects that are empty without it."""
    tree: _Tree = {}
    for path in paths:
        node = tree
        for segment in path[:-1]:
            node = node.setdefault(segment, {})
        node.setdefault(path[-1], {})[_HERE] = {}
    _remove(obj, tree, whole(schema))


def _remove(value: Any, tree: _Tree, field: Field) -> bool:
    """Take out what a tree of paths leads to; whether there was something."""
    if isinstance(value, dict):
        removed = False
        for segment, below in tree.items():
            name = segment[2:]
            if not segment.startswith("f:") or name not in value:
                continue
            if _goes(value[name], below, _field_at(segment, field)):
                del value[name]
                removed = True
        return removed
    if not isinstance(value, list) or field.list_type not in ASSOCIATIVE:
        return False
    segments = [segment_of(item, field) for item in value]
    counts = Counter(segments)
    kept = []
    for item, segment in zip(value, segments, strict=True):
        below = tree.get(segment, {})
        # Nothing is at a path inside of duplicates.
        inside = counts[segment] == 1 and _goes(item, below, _field_at(segment, field))
        if not inside and _HERE not in below:
            kept.append(item)
    removed = len(kept) < len(value)
    value[:] = kept
    return removed


def _goes(value: Any, tree: _Tree, field: Field) -> bool:
    """Remove what the tree names inside a value; tell whether the value itself has to go.

    It goes when the tree names it, or when the removal leaves it empty.
    """
    return _HERE in tree or (_remove(value, tree, field) and not value)


def _field_at(segment: str, field: Field) -> Field:
    """The type of the part at a segment."""
    if not segment.startswith("f:") or field.type == "map":
        return field.items or ANY
    return member(struct_of(field), segment[2:])
