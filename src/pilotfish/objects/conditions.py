"""Conditions in an object's status: finding one, setting one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pilotfish.objects.meta import Object
from pilotfish.objects.times import now


def condition(obj: Mapping[str, Any], type_: str) -> Object | None:
    """The condition of that type in the object's status, or None."""
    for entry in (obj.get("status") or {}).get("conditions") or ():
        if entry.get("type") == type_:
            found: Object = entry
            return found
    return None


def set_condition(
    conditions: list[Object], type_: str, status: str, reason: str = "", message: str = ""
) -> bool:
    """Set a condition in a status' list, in place.

    `lastTransitionTime` moves only when `status` does (API conventions,
    "Typical status properties").

    Returns:
        Whether anything changed.
    """
    wanted = {"type": type_, "status": status}
    if reason:
        wanted["reason"] = reason
    if message:
        wanted["message"] = message
    for entry in conditions:
        if entry.get("type") != type_:
            continue
        said = {key: entry[key] for key in ("type", "status", "reason", "message") if key in entry}
        if said == wanted:
            return False
        if entry.get("status") != status:
            entry["lastTransitionTime"] = now()
        entry.pop("reason", None)
        entry.pop("message", None)
        entry.update(wanted)
        return True
    conditions.append({**wanted, "lastTransitionTime": now()})
    return True
