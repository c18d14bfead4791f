"""Validation of HorizontalPodAutoscalers."""

from __future__ import annotations

from pilotfish.apiserver.validation.causes import Cause, invalid, required
from pilotfish.objects.meta import Object


def validate(obj: Object) -> list[Cause]:
    spec = obj.get("spec") or {}
    causes: list[Cause] = []
    least, most = spec.get("minReplicas", 1), spec.get("maxReplicas", 0)
    if least < 1:
        causes.append(invalid("spec.minReplicas", least, "must be greater than or equal to 1"))
    if most < 1:
        causes.append(invalid("spec.maxReplicas", most, "must be greater than 0"))
    if most < least:
        why = "must be greater than or equal to `minReplicas`"
        causes.append(invalid("spec.maxReplicas", most, why))
    target = spec.get("scaleTargetRef") or {}
    return causes + [
        required(f"spec.scaleTargetRef.{field}")
        for field in ("kind", "name")
        if not target.get(field)
    ]
