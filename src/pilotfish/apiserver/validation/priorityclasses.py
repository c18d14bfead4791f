"""Validation of PriorityClasses."""

from __future__ import annotations

from pilotfish.apiserver.validation.causes import Cause, forbidden
from pilotfish.objects.meta import Object

_HIGHEST_USER_PRIORITY = 1_000_000_000
_SYSTEM_PREFIX = "system-"
_SYSTEM_CLASSES = ("system-cluster-critical", "system-node-critical")


def validate(obj: Object) -> list[Cause]:
    name = obj["metadata"].get("name", "")
    if name in _SYSTEM_CLASSES:
        return []
    causes: list[Cause] = []
    if name.startswith(_SYSTEM_PREFIX):
        why = (
            "priority class names with 'system-' prefix are reserved for system use only. "
            f"error: {name} is not a known system priority class"
        )
        causes.append(forbidden("metadata.name", why))
    if obj.get("value", 0) > _HIGHEST_USER_PRIORITY:
        why = f"maximum allowed value of a user defined priority is {_HIGHEST_USER_PRIORITY}"
        causes.append(forbidden("value", why))
    return causes


def validate_update(new: Object, old: Object) -> list[Cause]:
    if new.get("value", 0) == old.get("value", 0):
        return []
    return [forbidden("value", "may not be changed in an update.")]
