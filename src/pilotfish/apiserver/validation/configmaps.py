"""Validation of ConfigMaps."""

from __future__ import annotations

from pilotfish.apiserver.validation.causes import Cause, invalid
from pilotfish.apiserver.validation.keyed import validate_frozen, validate_keys, validate_size
from pilotfish.objects.meta import Object


def validate(obj: Object) -> list[Cause]:
    data, binary = obj.get("data") or {}, obj.get("binaryData") or {}
    causes = validate_keys(data, "data") + validate_keys(binary, "binaryData")
    causes += [
        invalid(f"data[{key}]", key, "duplicate of key present in binaryData")
        for key in data.keys() & binary.keys()
    ]
    size = sum(len(text.encode()) for text in data.values())
    size += sum(len(text) * 3 // 4 for text in binary.values())
    return causes + validate_size(size, "[]")


def validate_update(new: Object, old: Object) -> list[Cause]:
    return validate_frozen(new, old, "data", "binaryData")
