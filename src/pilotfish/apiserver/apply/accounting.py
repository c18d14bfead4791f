"""Accounting: metadata.managedFields kept right by every create, update and patch.

Works on the trees of FieldsV1 as they are stored. Creating walks the object once; updating
walks only what differs, so that a small change to a large object stays cheap.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from pilotfish.apiserver.apply.fieldsets import (
    ANY,
    ASSOCIATIVE,
    UNOWNED,
    Path,
    elements,
    from_fields_v1,
    has_granular_items,
    is_granular,
    member,
    struct_of,
)
from pilotfish.apiserver.apply.presence import Presence, presence_of
from pilotfish.objects.meta import Object
from pilotfish.objects.schema import Field, Type, schema_for
from pilotfish.objects.times import now

# Beyond so many updaters the oldest are put together under one name, as kube-apiserver does.
_MOST_UPDATERS: Final = 10
_ANCIENT: Final = "ancient-changes"
# What a client writes to give the account up ("Clearing managedFields", Kubernetes).
_CLEARED: Final[list[Object]] = [{}]


def account_creation(obj: Object, schema: Type | None, manager: str, *, but_status: bool) -> None:
    """Give all fields of a new object to whoever creates it, in place.

    Args:
        but_status: the status is not the creator's to write.
    """
    tree = _struct_tree(obj, schema, (), _presence(obj))
    if but_status:
        tree.pop("f:status", None)
    if tree:
        entry = _entry(manager, obj["apiVersion"], "")
        obj["metadata"]["managedFields"] = [entry | {"fieldsV1": tree}]


def account_update(
    new: Object, old: Object, schema: Type | None, manager: str, subresource: str
) -> None:
    """Give the fields that an update changed to whoever made it, in place.

    An object without an account does not get one: nobody knows whose its other fields are.
    """
    before, metadata = old["metadata"].get("managedFields"), new["metadata"]
    given = metadata.pop("managedFields", None)
    if not before or given == _CLEARED:
        return
    changed: list[Path] = []
    gone: list[Path] = []
    _Comparison(changed, gone).structs(old, new, schema, (), _presence(new))
    known = given if given and all(map(_is_entry, given)) else before
    if not changed and not gone:
        metadata["managedFields"] = known
        return
    # The old object keeps its own account: the two are compared afterwards.
    entries: list[Object] = orjson.loads(orjson.dumps(known)) if known is before else known
    metadata["managedFields"] = _accounted(
        entries, changed, gone, _entry(manager, new["apiVersion"], subresource)
    )


def _accounted(
    entries: list[Object], changed: list[Path], gone: list[Path], updater: Object
) -> list[Object]:
    own = next((entry for entry in entries if _identity(entry) == _identity(updater)), None)
    for entry in entries:
        for path in gone:
            _remove(entry["fieldsV1"], path)
        if entry is not own:
            for path in changed:
                _remove(entry["fieldsV1"], path)
    if changed:
        if own is None:
            own = updater | {"fieldsV1": {}}
            entries.append(own)
        for path in changed:
            _insert(own["fieldsV1"], path)
        own["time"] = now()
    return _capped([entry for entry in entries if entry["fieldsV1"]])


def _entry(manager: str, api_version: str, subresource: str) -> Object:
    entry: Object = {
        "manager": manager,
        "operation": "Update",
        "apiVersion": api_version,
        "time": now(),
        "fieldsType": "FieldsV1",
    }
    return entry | {"subresource": subresource} if subresource else entry


def _identity(entry: Object) -> tuple[Any, ...]:
    return tuple(
        entry.get(name, "") for name in ("manager", "operation", "apiVersion", "subresource")
    )


def _is_entry(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("fieldsV1"), dict)


def _capped(entries: list[Object]) -> list[Object]:
    updaters = [entry for entry in entries if entry.get("operation") == "Update"]
    surplus = len(updaters) - _MOST_UPDATERS
    if surplus <= 0:
        return entries
    updaters.sort(key=lambda entry: (entry.get("manager") != _ANCIENT, entry.get("time", "")))
    bucket, *others = updaters[: surplus + 1]
    bucket["manager"] = _ANCIENT
    for other in others:
        for path in from_fields_v1(other["fieldsV1"]):
            _insert(bucket["fieldsV1"], path)
    return [entry for entry in entries if not any(entry is other for other in others)]


def _presence(obj: Object) -> Presence:
    kind = obj["kind"]
    is_custom = schema_for(obj["apiVersion"], kind) is None
    return presence_of(obj["apiVersion"], kind, is_custom=is_custom)


def _struct_tree(
    obj: Object, schema: Type | None, prefix: Path, there: Presence | None = None
) -> Object:
    """The FieldsV1 of all that an object says, and of what it adds to hold it.

    Args:
        there: what of it is there in any case; None within something new.
    """
    tree: Object = {}
    for name, value in obj.items():
        segment = f"f:{name}"
        if len(prefix) < 2 and (*prefix, segment) in UNOWNED:
            continue
        field = member(schema, name)
        place = (*prefix, segment) if len(prefix) < 2 else prefix
        below = _tree(value, field, place, there.get(name) if there is not None else None)
        if below is not None:
            tree[segment] = below
    return tree


def _tree(value: Any, field: Field, prefix: Path, there: Presence | None) -> Object | None:
    """The FieldsV1 of a value; None where there is nothing to own."""
    if isinstance(value, dict) and is_granular(field):
        if field.type == "map":
            items = field.items or ANY
            found: Object = {}
            for key, item in value.items():
                below = _tree(item, items, prefix, None)
                found[f"f:{key}"] = below if below is not None else {}
        else:
            found = _struct_tree(value, struct_of(field), prefix, there)
    elif isinstance(value, list) and field.list_type in ASSOCIATIVE:
        found = {
            segment: _element_tree(items, field, prefix)
            for segment, items in elements(value, field).items()
        }
    else:
        return {}
    if there is not None:
        return found or None
    return {".": {}, **found} if found else {}


def _element_tree(items: list[Any], field: Field, prefix: Path) -> Object:
    """The FieldsV1 of a new element of a list; of duplicates nobody owns what is in them."""
    if len(items) > 1 or not has_granular_items(field):
        return {}
    if not isinstance(items[0], dict):
        return {}  # of a custom resource whose schema does not say what elements are
    return {".": {}, **_struct_tree(items[0], struct_of(field.items), prefix)}


class _Comparison:
    """Collects the paths that were set or changed, and those that are no more."""

    def __init__(self, changed: list[Path], gone: list[Path]) -> None:
        self._changed = changed
        self._gone = gone

    def structs(
        self, old: Object, new: Object, schema: Type | None, prefix: Path, there: Presence | None
    ) -> None:
        """Compare two objects of a type.

        Args:
            there: what of them is there in any case; None within something that was added.
        """
        for name in old.keys() | new.keys():
            before, after = old.get(name), new.get(name)
            if before == after and type(before) is type(after):
                continue
            path = (*prefix, f"f:{name}")
            if path in UNOWNED:
                continue
            field = member(schema, name)
            below = there.get(name) if there is not None else None
            if name not in new:
                self._gone.append(path)
            elif name not in old:
                self._add(after, field, path, below)
            else:
                self._values(before, after, field, path, below)

    def _add(self, value: Any, field: Field, path: Path, there: Presence | None) -> None:
        """Note what is new: each value, and whatever was added to hold it."""
        tree = _tree(value, field, path[:2], there)
        if tree is not None:
            self._changed.extend(from_fields_v1(tree, path) or {path})

    def _values(self, old: Any, new: Any, field: Field, path: Path, there: Presence | None) -> None:
        if isinstance(old, dict) and isinstance(new, dict) and is_granular(field):
            if field.type == "map":
                self._maps(old, new, field.items or ANY, path)
            else:
                self.structs(old, new, struct_of(field), path, there)
        elif isinstance(old, list) and isinstance(new, list) and field.list_type in ASSOCIATIVE:
            self._lists(old, new, field, path)
        elif isinstance(old, dict | list) or isinstance(new, dict | list):
            self._gone.append(path)
            self._add(new, field, path, there)
        else:
            self._changed.append(path)

    def _maps(self, old: Object, new: Object, items: Field, path: Path) -> None:
        for key in old.keys() | new.keys():
            below = (*path, f"f:{key}")
            if key not in new:
                self._gone.append(below)
            elif key not in old:
                self._add(new[key], items, below, None)
            elif old[key] != new[key]:
                self._values(old[key], new[key], items, below, None)

    def _lists(self, old: list[Any], new: list[Any], field: Field, path: Path) -> None:
        before, after = elements(old, field), elements(new, field)
        self._gone.extend((*path, segment) for segment in before.keys() - after.keys())
        for segment, items in after.items():
            place = (*path, segment)
            known = before.get(segment)
            if known == items:
                continue
            if known is not None and len(known) == len(items) == 1 and has_granular_items(field):
                self.structs(known[0], items[0], struct_of(field.items), place, None)
                continue
            if known is not None:
                self._gone.append(place)
            self._changed.append(place)
            tree = _element_tree(items, field, place[:2])
            self._changed.extend(from_fields_v1(tree, place) if tree else ())


def _remove(tree: Object, path: Path) -> None:
    """Take a path, and all below it, out of a tree, with the nodes that are empty without it."""
    nodes = [tree]
    for segment in path:
        below = nodes[-1].get(segment)
        if not isinstance(below, dict):
            return
        nodes.append(below)
    for node, segment in zip(reversed(nodes[:-1]), reversed(path), strict=True):
        del node[segment]
        if node:
            return


def _insert(tree: Object, path: Path) -> None:
    """Add a path to a tree; a node without anything below it stands for itself."""
    node, is_new = tree, True
    for segment in path:
        if not node and not is_new:
            node["."] = {}
        is_new = segment not in node
        node = node.setdefault(segment, {})
    if node:
        node["."] = {}
