"""Strategic merge patch: a merge patch that knows which lists merge, and by which key.

The rules and directives (`$patch`, `$retainKeys`, `$setElementOrder/…`,
`$deleteFromPrimitiveList/…`) are those of "Strategic Merge Patch" in the Kubernetes
contributors' documentation; merge keys and strategies come from the schema table.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any, Final

import orjson

from pilotfish.apiserver.patches.errors import PatchError
from pilotfish.objects.schema import Field, Type, type_named

_PATCH: Final = "$patch"
_RETAIN_KEYS: Final = "$retainKeys"
_ORDER: Final = "$setElementOrder/"
_DELETE_PRIMITIVES: Final = "$deleteFromPrimitiveList/"
# In the place of an element that a patch has deleted.
_GONE: Final = object()


def strategic_merge_patch(
    target: dict[str, Any], patch: dict[str, Any], schema: Type | None
) -> dict[str, Any]:
    """The target with the patch merged in; the target may be changed and shared.

    Args:
        schema: the target's type; None below what the schema describes, where objects merge
            and lists replace.

    Raises:
        PatchError: for a directive that cannot be followed, or an element without its key.
    """
    directive = patch.get(_PATCH)
    if directive == "replace":
        return {key: _clean(value) for key, value in patch.items() if not key.startswith("$")}
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise PatchError(f"Unknown patch type: {directive}")
    if _RETAIN_KEYS in patch:
        _retain_keys(target, patch)
    fields = schema.fields if schema is not None else {}
    live = {
        name: list(target[name])
        for name in (key.removeprefix(_ORDER) for key in patch if key.startswith(_ORDER))
        if isinstance(target.get(name), list)
    }
    for key, value in patch.items():
        if key.startswith("$"):
            continue
        field = fields.get(key)
        if value is None:
            target.pop(key, None)
        elif isinstance(value, list) and field is not None and _merges(field):
            live_list = target.get(key)
            live_list = live_list if isinstance(live_list, list) else []
            target[key] = _merge_list(key, live_list, value, field)
        elif isinstance(value, dict):
            target[key] = _merge_object(target.get(key), value, field)
        else:
            target[key] = value
    _follow_list_directives(target, patch, fields, live)
    return target


def _merge_object(target: Any, patch: dict[str, Any], field: Field | None) -> Any:
    if field is not None and "replace" in field.patch_strategy:
        return _clean(patch)
    return strategic_merge_patch(target if isinstance(target, dict) else {}, patch, _type_of(field))


def _type_of(field: Field | None) -> Type | None:
    return type_named(field.ref) if field is not None and field.type == "object" else None


def _merges(field: Field) -> bool:
    return field.type == "array" and "merge" in field.patch_strategy


def _merge_list(name: str, target: list[Any], patch: list[Any], field: Field) -> list[Any]:
    if not field.merge_key:
        known = {_comparable(value) for value in target}
        merged = target + [value for value in patch if _comparable(value) not in known]
        return _ordered(merged, patch, "", target)
    schema = _type_of(field.items)
    for item in patch:
        if not isinstance(item, dict):
            raise PatchError(f"expected an object with the merge key {field.merge_key}: {item}")
    if any(item.get(_PATCH) == "replace" for item in patch):
        return [_clean(item) for item in patch if item.get(_PATCH) != "replace"]
    merged = list[Any](target)
    places: dict[Any, list[int]] = {}
    for index, old in enumerate(merged):
        places.setdefault(_comparable(old.get(field.merge_key)), []).append(index)
    for item in patch:
        if field.merge_key not in item:
            raise PatchError(f"map: {item} does not contain declared merge key: {field.merge_key}")
        found = places.setdefault(_comparable(item[field.merge_key]), [])
        if item.get(_PATCH) == "delete":
            for index in found:
                merged[index] = _GONE
            found.clear()
        elif not found:
            found.append(len(merged))
            merged.append(strategic_merge_patch({}, item, schema))
        else:
            place = _closest(name, merged, found, item)
            merged[place] = strategic_merge_patch(merged[place], item, schema)
    left = [item for item in merged if item is not _GONE]
    named = [item for item in patch if item.get(_PATCH) != "delete"]
    return _ordered(left, named, field.merge_key, target)


def _comparable(value: Any) -> Any:
    """A value that can be looked up: what is no single value, as text; true is not 1."""
    if isinstance(value, dict | list):
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return (value,) if isinstance(value, bool) else value


def _closest(name: str, merged: list[Any], places: list[int], item: dict[str, Any]) -> int:
    """Which of several elements of one merge key is meant.

    Ports of one number and two protocols share a merge key; the one of the same protocol is
    meant, the first where none is (as in Kubernetes, where that is a known trap).
    """
    if name == "ports" and len(places) > 1:
        wanted = item.get("protocol", "TCP")
        for place in places:
            if merged[place].get("protocol", "TCP") == wanted:
                return place
    return places[0]


def _retain_keys(target: dict[str, Any], patch: dict[str, Any]) -> None:
    kept = patch[_RETAIN_KEYS]
    if not isinstance(kept, list):
        raise PatchError(f"{_RETAIN_KEYS} is a list of the keys that stay")
    stay = {key for key in kept if isinstance(key, str)}
    for key in [key for key in target if key not in stay]:
        del target[key]


def _follow_list_directives(
    target: dict[str, Any],
    patch: dict[str, Any],
    fields: dict[str, Field],
    live: dict[str, list[Any]],
) -> None:
    for key, value in patch.items():
        if key.startswith(_DELETE_PRIMITIVES):
            name = key.removeprefix(_DELETE_PRIMITIVES)
            if isinstance(target.get(name), list) and isinstance(value, list):
                gone = {_comparable(item) for item in value}
                target[name] = [item for item in target[name] if _comparable(item) not in gone]
    for key, value in patch.items():
        if key.startswith(_ORDER):
            name = key.removeprefix(_ORDER)
            if isinstance(target.get(name), list) and isinstance(value, list):
                field = fields.get(name)
                merge_key = field.merge_key if field is not None else ""
                target[name] = _ordered(target[name], value, merge_key, live.get(name, []))


def _ordered(items: list[Any], order: list[Any], merge_key: str, live: list[Any]) -> list[Any]:
    """Items that the patch names in its order, the others in theirs.

    Of the two, the one that came first in the live list comes first; where that is not known,
    the patch's: what is new comes to the front.
    """

    def identity(item: Any) -> Any:
        named = merge_key and isinstance(item, dict)
        return _comparable(item.get(merge_key) if named else item)

    wanted = _places(map(identity, order))
    before = _places(map(identity, live))
    named = [item for item in items if identity(item) in wanted]
    named.sort(key=lambda item: wanted[identity(item)])
    others = deque(item for item in items if identity(item) not in wanted)
    ordered: list[Any] = []
    for item in named:
        place = before.get(identity(item))
        while place is not None and others and before.get(identity(others[0]), place) < place:
            ordered.append(others.popleft())
        ordered.append(item)
    return [*ordered, *others]


def _places(identities: Iterable[Any]) -> dict[Any, int]:
    places: dict[Any, int] = {}
    for index, identity in enumerate(identities):
        places.setdefault(identity, index)
    return places


def _clean(value: Any) -> Any:
    """The value without directives and nulls: what a replacement is made of."""
    if isinstance(value, dict):
        return {
            key: _clean(item)
            for key, item in value.items()
            if item is not None and not key.startswith("$")
        }
    return [_clean(item) for item in value] if isinstance(value, list) else value
