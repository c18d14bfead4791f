"""Defaults of HorizontalPodAutoscalers."""

from __future__ import annotations

from pilotfish.objects.meta import Object

DEFAULT_CPU_UTILIZATION = 80


def apply_defaults(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("minReplicas", 1)
    if not spec.get("metrics") and obj.get("apiVersion") == "autoscaling/v2":
        target = {"type": "Utilization", "averageUtilization": DEFAULT_CPU_UTILIZATION}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
