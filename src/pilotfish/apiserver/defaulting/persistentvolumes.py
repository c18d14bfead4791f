"""Defaults of PersistentVolumes."""

from __future__ import annotations

from pilotfish.apiserver.defaulting.quantities import canonicalize
from pilotfish.objects.meta import Object


def apply_defaults(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    if not spec.get("persistentVolumeReclaimPolicy"):
        spec["persistentVolumeReclaimPolicy"] = "Retain"
    spec.setdefault("volumeMode", "Filesystem")
    if spec.get("hostPath") is not None:
        spec["hostPath"].setdefault("type", "")
    canonicalize(spec.get("capacity"))
    obj.setdefault("status", {}).setdefault("phase", "Pending")
