"""Validation of Deployments."""

from __future__ import annotations

from typing import Any

from pilotfish.apiserver.validation.causes import Cause, forbidden, invalid, not_supported
from pilotfish.apiserver.validation.rollouts import (
    is_zero,
    validate_not_above_all,
    validate_share,
)
from pilotfish.apiserver.validation.templates import validate_counts, validate_long_running
from pilotfish.objects.meta import Object

_STRATEGIES = ("Recreate", "RollingUpdate")


def validate(obj: Object) -> list[Cause]:
    spec = obj["spec"]
    causes = validate_counts(
        spec, "replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"
    )
    causes += _validate_strategy(spec.get("strategy") or {})
    deadline_s = spec.get("progressDeadlineSeconds")
    if deadline_s is not None and deadline_s <= spec.get("minReadySeconds", 0):
        why = "must be greater than minReadySeconds"
        causes.append(invalid("spec.progressDeadlineSeconds", deadline_s, why))
    return causes + validate_long_running(spec, "Deployment", "deployment")


def _validate_strategy(strategy: dict[str, Any]) -> list[Cause]:
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    if kind == "Recreate":
        if rolling is None:
            return []
        why = "may not be specified when strategy `type` is 'Recreate'"
        return [forbidden("spec.strategy.rollingUpdate", why)]
    if kind != "RollingUpdate":
        return [not_supported("spec.strategy.type", kind, _STRATEGIES)]
    at = "spec.strategy.rollingUpdate"
    less, more = (rolling or {}).get("maxUnavailable", 0), (rolling or {}).get("maxSurge", 0)
    causes = validate_share(less, f"{at}.maxUnavailable")
    causes += validate_share(more, f"{at}.maxSurge")
    if is_zero(less) and is_zero(more):
        why = "may not be 0 when `maxSurge` is 0"
        causes.append(invalid(f"{at}.maxUnavailable", less, why))
    return causes + validate_not_above_all(less, f"{at}.maxUnavailable")
