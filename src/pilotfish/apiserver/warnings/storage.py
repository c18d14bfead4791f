"""Warnings about volumes, claims and their classes.

The conditions and words are those of Kubernetes' pkg/api/persistentvolume, persistentvolumeclaim
and storage.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from pilotfish.apiserver.warnings.amounts import fraction_warnings
from pilotfish.apiserver.warnings.node_labels import expression_warnings, renamed
from pilotfish.objects.meta import Object, annotations_of

_CLASS: Final = "volume.beta.kubernetes.io/storage-class"
_OPTIONS: Final = "volume.beta.kubernetes.io/mount-options"
_RECYCLE: Final = (
    "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the "
    "recommended approach is to use dynamic provisioning."
)
# The kinds of volumes that Kubernetes no longer has, and since when.
_REMOVED: Final = {
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "flocker": "deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
    "quobyte": "deprecated in v1.22, non-functional in v1.25+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+",
    "storageos": "deprecated in v1.22, non-functional in v1.25+",
}


def volume_warnings(volume: Object) -> Iterator[str]:
    """Warn about a PersistentVolume."""
    yield from _class_warnings(volume)
    if _OPTIONS in annotations_of(volume):
        why = 'deprecated since v1.31; use "mountOptions" attribute instead'
        yield f"metadata.annotations[{_OPTIONS}]: {why}"
    spec: dict[str, Any] = volume.get("spec") or {}
    required = (spec.get("nodeAffinity") or {}).get("required") or {}
    for index, term in enumerate(required.get("nodeSelectorTerms") or ()):
        at = f"spec.nodeAffinity.required.nodeSelectorTerms[{index}]"
        yield from expression_warnings(term, at)
    if spec.get("persistentVolumeReclaimPolicy") == "Recycle":
        yield _RECYCLE
    yield from removed_warnings(spec, "spec")


def removed_warnings(source: dict[str, Any], at: str) -> Iterator[str]:
    """Warn about the kind of a volume, of a Pod or a PersistentVolume, at a path."""
    for kind, why in _REMOVED.items():
        if source.get(kind) is not None:
            # Kubernetes writes this one name in another way than its field.
            yield f"{at}.{'storageOS' if kind == 'storageos' else kind}: {why}"


def claim_warnings(claim: Object) -> Iterator[str]:
    """Warn about a PersistentVolumeClaim."""
    yield from _class_warnings(claim)
    yield from claim_spec_warnings(claim.get("spec") or {}, "spec")


def claim_spec_warnings(spec: dict[str, Any], at: str) -> Iterator[str]:
    """Warn about the spec of a claim, or of a Pod's claim template, at a path."""
    resources = spec.get("resources") or {}
    for field in ("requests", "limits"):
        yield from fraction_warnings(resources, field, "storage", f"{at}.resources")


def class_warnings(storage_class: Object) -> Iterator[str]:
    """Warn about a StorageClass."""
    for index, topology in enumerate(storage_class.get("allowedTopologies") or ()):
        for nth, expression in enumerate(topology.get("matchLabelExpressions") or ()):
            if why := renamed(expression.get("key", "")):
                yield f"allowedTopologies[{index}].matchLabelExpressions[{nth}].key: {why}"


def capacity_warnings(capacity: Object) -> Iterator[str]:
    """Warn about a CSIStorageCapacity."""
    topology = capacity.get("nodeTopology") or {}
    yield from expression_warnings(topology, "nodeTopology")
    for label in topology.get("matchLabels") or ():
        if why := renamed(label):
            yield f"nodeTopology.matchLabels.{label}: {why}"


def _class_warnings(obj: Object) -> Iterator[str]:
    if _CLASS in annotations_of(obj):
        why = 'deprecated since v1.8; use "storageClassName" attribute instead'
        yield f"metadata.annotations[{_CLASS}]: {why}"
