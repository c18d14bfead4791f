"""ServiceCIDRs: ready as soon as they are there, and held while addresses are in use."""

from __future__ import annotations

from typing import Final

from pilotfish.objects.conditions import set_condition
from pilotfish.objects.meta import Object

FINALIZER: Final = "networking.k8s.io/service-cidr-finalizer"


def prepare_for_create(cidr: Object) -> None:
    """Give a new ServiceCIDR its finalizer and its condition, in place."""
    metadata = cidr["metadata"]
    kept = [name for name in metadata.get("finalizers") or () if name != FINALIZER]
    metadata["finalizers"] = [*kept, FINALIZER]
    conditions: list[Object] = []
    set_condition(conditions, "Ready", "True", "", "Kubernetes Service CIDR is ready")
    cidr["status"] = {"conditions": conditions}
