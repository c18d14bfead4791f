"""Validation of IPAddresses, whose name is the address."""

from __future__ import annotations

from pilotfish.apiserver.validation.causes import Cause, immutable, invalid, required
from pilotfish.apiserver.validation.formats import BAD_ADDRESS, family
from pilotfish.objects.meta import Object


def validate(obj: Object) -> list[Cause]:
    causes: list[Cause] = []
    name = obj["metadata"].get("name", "")
    if not family(name):
        causes.append(invalid("metadata.name", name, BAD_ADDRESS))
    parent = (obj.get("spec") or {}).get("parentRef")
    if parent is None:
        return [*causes, required("spec.parentRef")]
    return causes + [
        required(f"spec.parentRef.{field}")
        for field in ("resource", "name")
        if not parent.get(field)
    ]


def validate_update(new: Object, old: Object) -> list[Cause]:
    after = (new.get("spec") or {}).get("parentRef")
    if after == (old.get("spec") or {}).get("parentRef"):
        return []
    return [immutable("spec.parentRef", after)]
