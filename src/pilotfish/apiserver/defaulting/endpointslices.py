"""Defaults of EndpointSlices."""

from __future__ import annotations

from pilotfish.objects.meta import Object


def apply_defaults(obj: Object) -> None:
    for port in obj.get("ports") or ():
        port.setdefault("name", "")
        port.setdefault("protocol", "TCP")
    if obj.get("endpoints") is None:
        obj["endpoints"] = []
