"""Validation of PodDisruptionBudgets."""

from __future__ import annotations

from pilotfish.apiserver.validation.causes import Cause, invalid
from pilotfish.apiserver.validation.rollouts import validate_not_above_all, validate_share
from pilotfish.objects.meta import Object

_LIMITS = ("minAvailable", "maxUnavailable")


def validate(obj: Object) -> list[Cause]:
    spec = obj.get("spec") or {}
    causes: list[Cause] = []
    if all(spec.get(field) is not None for field in _LIMITS):
        why = "minAvailable and maxUnavailable cannot be both set"
        causes.append(invalid("spec", spec, why))
    for field in _LIMITS:
        if spec.get(field) is not None:
            causes += validate_share(spec[field], f"spec.{field}")
            causes += validate_not_above_all(spec[field], f"spec.{field}")
    return causes
