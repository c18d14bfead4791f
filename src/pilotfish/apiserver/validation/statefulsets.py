"""Validation of StatefulSets."""

from __future__ import annotations

from pilotfish.apiserver.validation.causes import (
    Cause,
    forbidden,
    invalid,
    not_supported,
)
from pilotfish.apiserver.validation.formats import NOT_NEGATIVE
from pilotfish.apiserver.validation.templates import validate_counts, validate_long_running
from pilotfish.objects.meta import Object

_STRATEGIES = ("OnDelete", "RollingUpdate")
_POD_MANAGEMENT = ("OrderedReady", "Parallel")
_MAY_CHANGE = (
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
)


def validate(obj: Object) -> list[Cause]:
    spec = obj["spec"]
    causes = validate_counts(spec, "replicas", "minReadySeconds", "revisionHistoryLimit")
    management = spec.get("podManagementPolicy")
    if management not in _POD_MANAGEMENT:
        causes.append(not_supported("spec.podManagementPolicy", management, _POD_MANAGEMENT))
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type") not in _STRATEGIES:
        shown = strategy.get("type", "")
        causes.append(not_supported("spec.updateStrategy.type", shown, _STRATEGIES))
    partition = (strategy.get("rollingUpdate") or {}).get("partition", 0)
    if partition < 0:
        at = "spec.updateStrategy.rollingUpdate.partition"
        causes.append(invalid(at, partition, NOT_NEGATIVE))
    claims = [
        (claim.get("metadata") or {}).get("name", "")
        for claim in spec.get("volumeClaimTemplates") or ()
    ]
    return causes + validate_long_running(spec, "StatefulSet", "statefulset", claims)


def validate_update(new: Object, old: Object) -> list[Cause]:
    after, before = new["spec"], old["spec"]
    fields = (after.keys() | before.keys()).difference(_MAY_CHANGE)
    if all(after.get(field) == before.get(field) for field in fields):
        return []
    *most, last = (f"'{field}'" for field in _MAY_CHANGE)
    named = f"{', '.join(most)} and {last}"
    why = f"updates to statefulset spec for fields other than {named} are forbidden"
    return [forbidden("spec", why)]
