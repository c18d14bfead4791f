"""Pruning: fields that a structural schema does not name are dropped.

"Field pruning" in the documentation of CustomResourceDefinitions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_ALWAYS: Final = frozenset({"apiVersion", "kind", "metadata"})
_NOTHING: Final[Mapping[str, Any]] = {}


def prune(value: Any, schema: Mapping[str, Any], *, is_root: bool = True) -> list[str]:
    """Drop from a value, in place, what the schema does not name.

    Returns:
        The paths of what was dropped: `spec.foo`.
    """
    dropped: list[str] = []
    _prune(value, schema, "", is_root, dropped)
    return dropped


def _prune(
    value: Any, schema: Mapping[str, Any], path: str, is_object: bool, dropped: list[str]
) -> None:
    if isinstance(value, list):
        items = schema.get("items")
        for index, item in enumerate(value):
            if items is not None:
                embedded = bool(items.get("x-kubernetes-embedded-resource"))
                _prune(item, items, f"{path}[{index}]", embedded, dropped)
        return
    if not isinstance(value, dict):
        return
    keeps = bool(schema.get("x-kubernetes-preserve-unknown-fields"))
    properties = schema.get("properties") or _NOTHING
    others = schema.get("additionalProperties")
    for name in list(value):
        if is_object and name in _ALWAYS:
            continue
        below = f"{path}.{name}" if path else name
        found = properties.get(name)
        if found is None and isinstance(others, Mapping):
            found = others
        if found is not None:
            embedded = bool(found.get("x-kubernetes-embedded-resource"))
            _prune(value[name], found, below, embedded, dropped)
        elif not keeps and not others:
            del value[name]
            dropped.append(below)
