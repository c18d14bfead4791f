"""ServiceCIDRs: ready as soon as they are there, and held while addresses are in use."""

from __future__ import annotations

from typing import Final

from pilotfish.objects.meta import Object
from pilotfish.objects.times import now

FINALIZER: Final = "networking.k8s.io/service-cidr-finalizer"


def prepare_for_create(cidr: Object) -> None:
    """Give a new ServiceCIDR its finalizer and its condition, in place."""
    metadata = cidr["metadata"]
    kept = [name for name in metadata.get("finalizers") or () if name != FINALIZER]
    metadata["finalizers"] = [*kept, FINALIZER]
    ready = {
        "type": "Ready",
        "status": "True",
        "lastTransitionTime": now(),
        "reason": "",  # a field that conditions of meta/v1 must have, even if it says nothing
        "message": "Kubernetes Service CIDR is ready",
    }
    cidr["status"] = {"conditions": [ready]}
