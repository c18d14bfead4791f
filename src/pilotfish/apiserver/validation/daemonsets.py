"""Validation of DaemonSets."""

from __future__ import annotations

from typing import Any

from pilotfish.apiserver.validation.causes import Cause, invalid, not_supported
from pilotfish.apiserver.validation.rollouts import (
    is_zero,
    validate_not_above_all,
    validate_share,
)
from pilotfish.apiserver.validation.templates import validate_counts, validate_long_running
from pilotfish.objects.meta import Object

_STRATEGIES = ("OnDelete", "RollingUpdate")


def validate(obj: Object) -> list[Cause]:
    spec = obj["spec"]
    causes = validate_counts(spec, "minReadySeconds", "revisionHistoryLimit")
    causes += validate_long_running(spec, "DaemonSet", "daemonset")
    return causes + _validate_strategy(spec.get("updateStrategy") or {})


def _validate_strategy(strategy: dict[str, Any]) -> list[Cause]:
    kind = strategy.get("type")
    if kind not in _STRATEGIES:
        return [not_supported("spec.updateStrategy.type", kind, _STRATEGIES)]
    if kind == "OnDelete":
        return []
    at = "spec.updateStrategy.rollingUpdate"
    rolling = strategy.get("rollingUpdate") or {}
    less, more = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
    causes = validate_share(less, f"{at}.maxUnavailable") + validate_share(more, f"{at}.maxSurge")
    if is_zero(less) and is_zero(more):
        why = "cannot be 0 when maxSurge is 0"
        causes.append(invalid(f"{at}.maxUnavailable", less, why))
    elif not is_zero(less) and not is_zero(more):
        why = "may not be set when maxUnavailable is non-zero"
        causes.append(invalid(f"{at}.maxSurge", more, why))
    return causes + validate_not_above_all(less, f"{at}.maxUnavailable")
