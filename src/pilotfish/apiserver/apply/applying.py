"""Apply: what a manager's whole intent makes of an object ("Server-Side Apply", Kubernetes)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import orjson

from pilotfish.apiserver.apply.fieldsets import Path, Paths, fields_of, shown
from pilotfish.apiserver.apply.managers import (
    Manager,
    managers_before_apply,
    write_managers,
)
from pilotfish.apiserver.apply.merging import merged
from pilotfish.apiserver.apply.places import Duplicates, Places, remove_all
from pilotfish.apiserver.errors import StatusError
from pilotfish.objects.meta import Object
from pilotfish.objects.resources import Resource
from pilotfish.objects.schema import Type
from pilotfish.objects.times import now

# Where kubectl writes what it has applied by itself.
LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"


def apply_configuration(
    live: Object,
    applied: Object,
    schema: Type | None,
    manager: str,
    *,
    subresource: str = "",
    force: bool = False,
    reset: frozenset[str] = frozenset(),
) -> Object:
    """The live object after an apply; it may be changed and shared.

    Args:
        reset: the top-level fields that this request does not write, and nobody owns by it.

    Raises:
        StatusError: 409 with one cause for each field that another manager owns and has at
            another value, unless forced.
    """
    managers = managers_before_apply(live, schema)
    applier = Manager(manager, "Apply", live["apiVersion"], subresource)
    others = [each for each in managers if not each.is_same(applier)]
    before = next((each.paths for each in managers if each.is_same(applier)), set())
    unwritten = {f"f:{name}" for name in reset}
    wanted = {path for path in fields_of(applied, schema) if path[0] not in unwritten}
    present, intended = Places(live, schema), Places(applied, schema)
    # Fields that hold owned fields: an applier that has them empty takes nothing away.
    holders = _holders(path for each in managers for path in each.paths)
    disputed = {
        path: other
        for other in others
        for path in wanted & other.paths
        if path not in holders and _is_changed(present, intended, path)
    }
    if disputed and not force and not _is_taken_over(live, schema, manager, disputed):
        raise _conflicts(disputed)
    for other in others:
        other.paths -= disputed.keys()
    result = merged(live, applied, schema)
    _remove_unwanted(result, before - _with_holders(wanted), others, schema)
    applier.paths, applier.time = wanted, now()
    write_managers(result, [*others, applier])
    annotations = result["metadata"].get("annotations") or {}
    if manager == "kubectl" and annotations.get(LAST_APPLIED):
        # So that kubectl can go back to applying by itself.
        annotations[LAST_APPLIED] = f"{orjson.dumps(applied).decode()}\n"
    return result


def _is_taken_over(
    live: Object, schema: Type | None, manager: str, disputed: dict[Path, Manager]
) -> bool:
    """Whether kubectl applies by the server what it has applied by itself before.

    What its annotation says and the object still has is kubectl's, under whatever name it was
    accounted for; other managers' names have to be forced ("Upgrading from client-side apply to
    server-side apply", Kubernetes).
    """
    annotations = live["metadata"].get("annotations") or {}
    if manager != "kubectl" or LAST_APPLIED not in annotations:
        return False
    try:
        before = orjson.loads(annotations[LAST_APPLIED])
    except orjson.JSONDecodeError:
        return False
    if not isinstance(before, dict):
        return False
    past, present = Places(before, schema), Places(live, schema)
    kept = {path for path in fields_of(before, schema) if past.at(path) == present.at(path)}
    return disputed.keys() <= kept


def _is_changed(live: Places, applied: Places, path: Path) -> bool:
    """Tell whether an apply changes what is at a path.

    A list element counts as changed only where several have its name: the apply leaves one.
    """
    now = live.at(path)
    if path[-1].startswith("f:"):
        return bool(now != applied.at(path))
    return isinstance(now, Duplicates)


def _holders(paths: Iterable[Path]) -> Paths:
    """The paths of all that holds what is at some paths."""
    return {path[:depth] for path in paths for depth in range(1, len(path))}


def _with_holders(paths: Paths) -> Paths:
    """Paths, and those of all that holds them."""
    return paths | _holders(paths)


def _remove_unwanted(
    obj: Object, given_up: Paths, others: list[Manager], schema: Type | None
) -> None:
    """Take out what the applier no longer lists and nobody else owns."""
    kept: Paths = set()
    for other in others:
        kept |= _with_holders(other.paths)
    remove_all(obj, given_up - kept, schema)


def _conflicts(disputed: dict[tuple[str, ...], Manager]) -> StatusError:
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": f'conflict with "{other.name}"'
            + (f" with subresource {other.subresource!r}" if other.subresource else "")
            + f" using {other.api_version}",
            "field": shown(path),
        }
        for path, other in sorted(disputed.items(), key=lambda item: item[0])
    ]
    if len(causes) == 1:
        what = f"1 conflict: {causes[0]['message']}: {causes[0]['field']}"
    else:
        by_manager: dict[str, list[str]] = {}
        for cause in causes:
            by_manager.setdefault(cause["message"], []).append(cause["field"])
        listed = "\n".join(
            f"{message}:\n" + "\n".join(f"- {field}" for field in fields)
            for message, fields in by_manager.items()
        )
        what = f"{len(causes)} conflicts: {listed}"
    message = f"Apply failed with {what}"
    return StatusError(409, "Conflict", message, {"causes": causes})


def check_applied(resource: Resource, applied: Object) -> str:
    """Why an object cannot be applied; "" when it can."""
    if (applied.get("apiVersion"), applied.get("kind")) != (resource.api_version, resource.kind):
        return (
            f"the applied object is a {applied.get('apiVersion')} {applied.get('kind')}, "
            f"not a {resource.api_version} {resource.kind}"
        )
    if (applied.get("metadata") or {}).get("managedFields"):
        return "metadata.managedFields must be nil"
    return ""
