"""Defaults of Secrets."""

from __future__ import annotations

from pilotfish.objects.meta import Object


def apply_defaults(obj: Object) -> None:
    if not obj.get("type"):
        obj["type"] = "Opaque"
