"""The tables of storage: PersistentVolumes, their claims and classes, CSI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pilotfish.apiserver.tables.durations import age
from pilotfish.apiserver.tables.printer import UNSET, Cells, KindTable, columns

_MODES = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def _modes(listed: list[str] | None) -> str:
    present = set(listed or ())
    return ",".join(short for mode, short in _MODES.items() if mode in present)


def _volume_cells(obj: Mapping[str, Any]) -> Cells:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    claim = spec.get("claimRef")
    deleting = "deletionTimestamp" in obj["metadata"]
    return [
        obj["metadata"]["name"],
        str((spec.get("capacity") or {}).get("storage", "")),
        _modes(spec.get("accessModes")),
        spec.get("persistentVolumeReclaimPolicy", ""),
        "Terminating" if deleting else status.get("phase", ""),
        f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "",
        spec.get("storageClassName", ""),
        spec.get("volumeAttributesClassName") or UNSET,
        status.get("reason", ""),
        age(obj),
        spec.get("volumeMode") or UNSET,
    ]


def _claim_cells(obj: Mapping[str, Any]) -> Cells:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    bound = bool(spec.get("volumeName"))
    return [
        obj["metadata"]["name"],
        "Terminating" if "deletionTimestamp" in obj["metadata"] else status.get("phase", ""),
        spec.get("volumeName", ""),
        str((status.get("capacity") or {}).get("storage", "")) if bound else "",
        _modes(status.get("accessModes")) if bound else "",
        spec.get("storageClassName", ""),
        spec.get("volumeAttributesClassName") or UNSET,
        age(obj),
        spec.get("volumeMode") or UNSET,
    ]


def _class_cells(obj: Mapping[str, Any]) -> Cells:
    name = obj["metadata"]["name"]
    if (obj["metadata"].get("annotations") or {}).get(_DEFAULT_CLASS) == "true":
        name = f"{name} (default)"
    return [
        name,
        obj.get("provisioner", ""),
        obj.get("reclaimPolicy", "Delete"),
        obj.get("volumeBindingMode") or UNSET,
        bool(obj.get("allowVolumeExpansion")),
        age(obj),
    ]


def _driver_cells(obj: Mapping[str, Any]) -> Cells:
    spec = obj.get("spec") or {}
    requests = (request.get("audience", "") for request in spec.get("tokenRequests") or ())
    return [
        obj["metadata"]["name"],
        spec.get("attachRequired", True),
        spec.get("podInfoOnMount", False),
        spec.get("storageCapacity", False),
        ",".join(requests) or UNSET,
        spec.get("requiresRepublish", False),
        ",".join(spec.get("volumeLifecycleModes") or ()) or "<none>",
        age(obj),
    ]


def _csi_node_cells(obj: Mapping[str, Any]) -> Cells:
    drivers = (obj.get("spec") or {}).get("drivers") or ()
    return [obj["metadata"]["name"], len(drivers), age(obj)]


def _attachment_cells(obj: Mapping[str, Any]) -> Cells:
    spec = obj.get("spec") or {}
    return [
        obj["metadata"]["name"],
        spec.get("attacher", ""),
        (spec.get("source") or {}).get("persistentVolumeName", ""),
        spec.get("nodeName", ""),
        bool((obj.get("status") or {}).get("attached")),
        age(obj),
    ]


PERSISTENT_VOLUMES = KindTable(
    columns(
        "Name | Capacity | Access Modes | Reclaim Policy | Status | Claim | StorageClass "
        "| VolumeAttributesClass | Reason | Age | VolumeMode+"
    ),
    _volume_cells,
)
PERSISTENT_VOLUME_CLAIMS = KindTable(
    columns(
        "Name | Status | Volume | Capacity | Access Modes | StorageClass "
        "| VolumeAttributesClass | Age | VolumeMode+"
    ),
    _claim_cells,
)
STORAGE_CLASSES = KindTable(
    columns("Name | Provisioner | ReclaimPolicy | VolumeBindingMode | AllowVolumeExpansion? | Age"),
    _class_cells,
)
CSI_DRIVERS = KindTable(
    columns(
        "Name | AttachRequired? | PodInfoOnMount? | StorageCapacity? | TokenRequests "
        "| RequiresRepublish? | Modes | Age"
    ),
    _driver_cells,
)
CSI_NODES = KindTable(columns("Name | Drivers# | Age"), _csi_node_cells)
VOLUME_ATTACHMENTS = KindTable(
    columns("Name | Attacher | PV | Node | Attached? | Age"), _attachment_cells
)
