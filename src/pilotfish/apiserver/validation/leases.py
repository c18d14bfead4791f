"""Validation of Leases."""

from __future__ import annotations

from pilotfish.apiserver.validation.causes import Cause, invalid
from pilotfish.apiserver.validation.formats import NOT_NEGATIVE
from pilotfish.objects.meta import Object


def validate(obj: Object) -> list[Cause]:
    spec = obj.get("spec") or {}
    causes: list[Cause] = []
    lasts_s = spec.get("leaseDurationSeconds")
    if lasts_s is not None and lasts_s <= 0:
        causes.append(invalid("spec.leaseDurationSeconds", lasts_s, "must be greater than 0"))
    if spec.get("leaseTransitions", 0) < 0:
        causes.append(invalid("spec.leaseTransitions", spec["leaseTransitions"], NOT_NEGATIVE))
    return causes
