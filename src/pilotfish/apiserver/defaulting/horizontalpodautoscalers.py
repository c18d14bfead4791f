"""Defaults of HorizontalPodAutoscalers."""

from __future__ import annotations

from pilotfish.objects.meta import Object

DEFAULT_CPU_UTILIZATION = 80


def apply_defaults(obj: Object) -> None:
    """A target of CPU use is assumed, in the shape of the version (v1 has no metrics)."""
    spec = obj.setdefault("spec", {})
    spec.setdefault("minReplicas", 1)
    if obj.get("apiVersion") == "autoscaling/v1":
        spec.setdefault("targetCPUUtilizationPercentage", DEFAULT_CPU_UTILIZATION)
    elif not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": DEFAULT_CPU_UTILIZATION}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
