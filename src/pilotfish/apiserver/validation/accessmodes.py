"""Validation of how a volume may be mounted, as volumes and claims say it."""

from __future__ import annotations

from collections.abc import Iterable

from pilotfish.apiserver.validation.causes import Cause, not_supported, required

_ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")


def validate_access_modes(modes: Iterable[str]) -> list[Cause]:
    if not modes:
        return [required("spec.accessModes", "at least 1 access mode is required")]
    return [
        not_supported("spec.accessModes", mode, _ACCESS_MODES)
        for mode in modes
        if mode not in _ACCESS_MODES
    ]
