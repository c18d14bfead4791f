"""Validation of how many Pods a rolling update may take away or add: numbers or percents."""

from __future__ import annotations

from typing import Any

from pilotfish.apiserver.validation.causes import Cause, invalid
from pilotfish.apiserver.validation.formats import NOT_NEGATIVE, is_percent

_BAD_PERCENT = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or "
    "'93%', regex used for validation is '[0-9]+%')"
)


def validate_share(value: Any, at: str) -> list[Cause]:
    """A number of Pods, or their share in percent."""
    if isinstance(value, str):
        return [] if is_percent(value) else [invalid(at, value, _BAD_PERCENT)]
    return [invalid(at, value, NOT_NEGATIVE)] if value < 0 else []


def validate_not_above_all(value: Any, at: str) -> list[Cause]:
    if is_percent(value) and int(value[:-1]) > 100:
        return [invalid(at, value, "must not be greater than 100%")]
    return []


def is_zero(value: Any) -> bool:
    return value in (0, "0%")
