"""The table of Nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pilotfish.apiserver.tables.durations import age
from pilotfish.apiserver.tables.printer import NONE, UNKNOWN, Cells, KindTable, columns
from pilotfish.objects.conditions import condition

_ROLE_PREFIX = "node-role.kubernetes.io/"
_ROLE = "kubernetes.io/role"


def _cells(node: Mapping[str, Any]) -> Cells:
    status = node.get("status") or {}
    info = status.get("nodeInfo") or {}
    return [
        node["metadata"]["name"],
        _status(node),
        _roles(node["metadata"].get("labels") or {}),
        age(node),
        info.get("kubeletVersion", ""),
        _address(status, "InternalIP"),
        _address(status, "ExternalIP"),
        info.get("osImage") or UNKNOWN,
        info.get("kernelVersion") or UNKNOWN,
        info.get("containerRuntimeVersion") or UNKNOWN,
    ]


def _status(node: Mapping[str, Any]) -> str:
    ready = condition(node, "Ready")
    word = "Unknown" if ready is None else "Ready" if ready.get("status") == "True" else "NotReady"
    unschedulable = (node.get("spec") or {}).get("unschedulable")
    return f"{word},SchedulingDisabled" if unschedulable else word


def _roles(labels: Mapping[str, str]) -> str:
    roles = {key.removeprefix(_ROLE_PREFIX) for key in labels if key.startswith(_ROLE_PREFIX)}
    roles.add(labels.get(_ROLE, ""))
    return ",".join(sorted(filter(None, roles))) or NONE


def _address(status: Mapping[str, Any], kind: str) -> str:
    for address in status.get("addresses") or ():
        if address.get("type") == kind:
            return str(address.get("address", ""))
    return NONE


NODES = KindTable(
    columns(
        "Name | Status | Roles | Age | Version | Internal-IP+ | External-IP+ | OS-Image+ "
        "| Kernel-Version+ | Container-Runtime+"
    ),
    _cells,
)
