"""Validation of keyed data, as ConfigMaps and Secrets hold it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pilotfish.apiserver.validation.causes import Cause, forbidden, invalid, too_long
from pilotfish.apiserver.validation.formats import config_key
from pilotfish.objects.meta import Object

MAX_BYTES = 1024 * 1024


def validate_keys(data: Mapping[str, Any] | None, field: str) -> list[Cause]:
    causes: list[Cause] = []
    for key in data or ():
        why = config_key(key)
        if why:
            causes.append(invalid(f"{field}[{key}]", key, why))
    return causes


def validate_size(size: int, field: str) -> list[Cause]:
    return [too_long(field, MAX_BYTES)] if size > MAX_BYTES else []


def validate_frozen(new: Object, old: Object, *fields: str) -> list[Cause]:
    """What `immutable: true` has frozen, that mark included."""
    if not old.get("immutable"):
        return []
    why = "field is immutable when `immutable` is set"
    causes = [] if new.get("immutable") else [forbidden("immutable", why)]
    return causes + [
        forbidden(field, why)
        for field in fields
        if (new.get(field) or {}) != (old.get(field) or {})
    ]
