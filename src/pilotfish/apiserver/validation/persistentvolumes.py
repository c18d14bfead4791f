"""Validation of PersistentVolumes: how large, for whom, and exactly one source."""

from __future__ import annotations

from pilotfish.apiserver.validation.accessmodes import validate_access_modes
from pilotfish.apiserver.validation.causes import (
    Cause,
    forbidden,
    not_supported,
    required,
)
from pilotfish.objects.meta import Object

_RECLAIM_POLICIES = ("Delete", "Recycle", "Retain")
_NOT_SOURCES = {
    "accessModes",
    "capacity",
    "claimRef",
    "mountOptions",
    "nodeAffinity",
    "persistentVolumeReclaimPolicy",
    "storageClassName",
    "volumeAttributesClassName",
    "volumeMode",
}


def validate(obj: Object) -> list[Cause]:
    spec = obj["spec"]
    causes = validate_access_modes(spec.get("accessModes") or ())
    capacity = spec.get("capacity") or {}
    if not capacity:
        causes.append(required("spec.capacity"))
    elif list(capacity) != ["storage"]:
        causes.append(not_supported("spec.capacity", next(iter(capacity)), ("storage",)))
    policy = spec.get("persistentVolumeReclaimPolicy", "")
    if policy not in _RECLAIM_POLICIES:
        at = "spec.persistentVolumeReclaimPolicy"
        causes.append(not_supported(at, policy, _RECLAIM_POLICIES))
    sources = [field for field in spec if field not in _NOT_SOURCES]
    if not sources:
        causes.append(required("spec", "must specify a volume type"))
    return causes + [
        forbidden(f"spec.{field}", "may not specify more than 1 volume type")
        for field in sources[1:]
    ]
