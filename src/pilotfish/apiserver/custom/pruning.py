"""Pruning: fields that a structural schema does not name are dropped.

"Field pruning" in the documentation of CustomResourceDefinitions; and
k8s.io/apiextensions-apiserver, pkg/apiserver/schema/pruning.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pilotfish.apiserver.custom.keywords import EMBEDS, IDENTITY, PRESERVES

_NOTHING: Final[Mapping[str, Any]] = {}
Schema = Mapping[str, Any]


def prune(value: Any, schema: Schema, *, is_root: bool = True) -> list[str]:
    """Drop from a value, in place, what the schema does not name.

    Returns:
        The paths of what was dropped, sorted: `spec.foo`.
    """
    dropped: list[str] = []
    _prune(value, schema, "", is_root, dropped)
    return sorted(dropped)


def _prune(value: Any, schema: Schema, path: str, is_object: bool, dropped: list[str]) -> None:
    if schema.get(PRESERVES):
        _keep(value, schema, path, is_object, dropped)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _below(item, schema.get("items"), f"{path}[{index}]", dropped)
    elif isinstance(value, dict):
        for name in list(value):
            if is_object and name in IDENTITY:
                continue
            at = f"{path}.{name}" if path else name
            if _names(schema, name):
                _below(value[name], _named(schema, name), at, dropped)
            else:
                del value[name]
                dropped.append(at)


def _keep(value: Any, schema: Schema, path: str, is_object: bool, dropped: list[str]) -> None:
    """Prune only below the fields that a schema names, where it keeps all others."""
    if isinstance(value, list):
        items = schema.get("items")
        for index, item in enumerate(value):
            if isinstance(items, Mapping):
                _keep(item, items, f"{path}[{index}]", bool(items.get(EMBEDS)), dropped)
    elif isinstance(value, dict):
        for name in value:
            if _names(schema, name) and not (is_object and name in IDENTITY):
                at = f"{path}.{name}" if path else name
                _below(value[name], _named(schema, name), at, dropped)


def _below(value: Any, schema: Any, path: str, dropped: list[str]) -> None:
    if isinstance(schema, Mapping):
        _prune(value, schema, path, bool(schema.get(EMBEDS)), dropped)
    else:
        _empty(value, path, dropped)


def _empty(value: Any, path: str, dropped: list[str]) -> None:
    """Drop what is in the maps of a value of which a schema says only that it may be there.

    Without recursion: nothing bounds the depth of such a value but its size.
    """
    waiting = [iter([(value, path)])]
    while waiting:
        found = next(waiting[-1], None)
        if found is None:
            waiting.pop()
            continue
        each, at = found
        if isinstance(each, list):
            waiting.append(_elements(each, at))
        elif isinstance(each, dict):
            dropped += [f"{at}.{name}" for name in each]
            each.clear()


def _elements(values: list[Any], path: str) -> Iterator[tuple[Any, str]]:
    for index, value in enumerate(values):
        yield value, f"{path}[{index}]"


def _names(schema: Schema, name: str) -> bool:
    in_properties = name in (schema.get("properties") or _NOTHING)
    return in_properties or schema.get("additionalProperties") is not None


def _named(schema: Schema, name: str) -> Any:
    return (schema.get("properties") or _NOTHING).get(name, schema.get("additionalProperties"))
