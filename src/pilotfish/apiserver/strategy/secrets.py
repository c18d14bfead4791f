"""Secrets: the write-only plain text of stringData becomes data."""

from __future__ import annotations

from base64 import b64encode

from pilotfish.objects.meta import Object


def move_string_data(obj: Object) -> None:
    plain = obj.pop("stringData", None)
    if plain:
        data = obj.get("data") or {}
        data.update({key: b64encode(text.encode()).decode() for key, text in plain.items()})
        obj["data"] = data


def prepare_for_update(new: Object, _old: Object) -> None:
    move_string_data(new)
