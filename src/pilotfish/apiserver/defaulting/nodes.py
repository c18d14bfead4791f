"""Defaults of Nodes: all of the capacity is allocatable unless the kubelet says less."""

from __future__ import annotations

from pilotfish.apiserver.defaulting.quantities import canonicalize
from pilotfish.objects.meta import Object


def apply_defaults(obj: Object) -> None:
    obj.setdefault("spec", {})
    status = obj.get("status")
    if status and status.get("capacity"):
        canonicalize(status["capacity"])
        if not status.get("allocatable"):
            status["allocatable"] = dict(status["capacity"])
        canonicalize(status["allocatable"])
