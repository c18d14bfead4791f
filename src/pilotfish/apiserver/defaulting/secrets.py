"""Defaults of Secrets: opaque, and the write-only plain text of stringData becomes data."""

from __future__ import annotations

from base64 import b64encode

from pilotfish.objects.meta import Object


def apply_defaults(obj: Object) -> None:
    if not obj.get("type"):
        obj["type"] = "Opaque"
    plain = obj.pop("stringData", None)
    if plain:
        data = obj.get("data") or {}
        data.update({key: b64encode(text.encode()).decode() for key, text in plain.items()})
        obj["data"] = data
