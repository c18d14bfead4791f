"""Defaults of IngressClasses."""

from __future__ import annotations

from pilotfish.objects.meta import Object


def apply_defaults(obj: Object) -> None:
    parameters = (obj.get("spec") or {}).get("parameters")
    if parameters:
        parameters.setdefault("scope", "Cluster")
