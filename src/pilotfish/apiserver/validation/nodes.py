"""Validation of Nodes."""

from __future__ import annotations

from pilotfish.apiserver.validation.causes import (
    Cause,
    duplicate,
    forbidden,
    invalid,
    not_supported,
    required,
)
from pilotfish.apiserver.validation.formats import label_value, qualified_name
from pilotfish.objects.meta import Object

_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def validate(obj: Object) -> list[Cause]:
    causes: list[Cause] = []
    seen: set[tuple[str, str]] = set()
    for index, taint in enumerate((obj.get("spec") or {}).get("taints") or ()):
        at = f"spec.taints[{index}]"
        key, value, effect = (taint.get(field, "") for field in ("key", "value", "effect"))
        why = qualified_name(key)
        if why:
            causes.append(invalid(f"{at}.key", key, why))
        why = label_value(value)
        if why:
            causes.append(invalid(f"{at}.value", value, why))
        if not effect:
            causes.append(required(f"{at}.effect"))
        elif effect not in _EFFECTS:
            causes.append(not_supported(f"{at}.effect", effect, _EFFECTS))
        if (key, effect) in seen:
            causes.append(duplicate(at, taint))
        seen.add((key, effect))
    return causes


def validate_update(new: Object, old: Object) -> list[Cause]:
    after, before = new.get("spec") or {}, old.get("spec") or {}
    causes: list[Cause] = []
    if before.get("podCIDR") and after.get("podCIDR") != before["podCIDR"]:
        why = 'node updates may not change podCIDR except from "" to valid'
        causes.append(forbidden("spec.podCIDRs", why))
    if before.get("providerID") and after.get("providerID") != before["providerID"]:
        why = 'node updates may not change providerID except from "" to valid'
        causes.append(forbidden("spec.providerID", why))
    return causes
