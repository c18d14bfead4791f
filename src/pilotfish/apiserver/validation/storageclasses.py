"""Validation of StorageClasses: what volumes were made by cannot change behind them."""

from __future__ import annotations

from pilotfish.apiserver.validation.causes import Cause, forbidden, not_supported, required
from pilotfish.objects.meta import Object

_RECLAIM_POLICIES = ("Delete", "Retain")
_BINDING_MODES = ("Immediate", "WaitForFirstConsumer")
_FIXED = ("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode")


def validate(obj: Object) -> list[Cause]:
    causes: list[Cause] = []
    if not obj.get("provisioner"):
        causes.append(required("provisioner"))
    for field, choices in (
        ("reclaimPolicy", _RECLAIM_POLICIES),
        ("volumeBindingMode", _BINDING_MODES),
    ):
        if obj.get(field) not in choices:
            causes.append(not_supported(field, obj.get(field, ""), choices))
    return causes


def validate_update(new: Object, old: Object) -> list[Cause]:
    return [
        forbidden(field, f"updates to {field} are forbidden.")
        for field in _FIXED
        if (new.get(field) or None) != (old.get(field) or None)
    ]
