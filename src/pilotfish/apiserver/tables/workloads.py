"""The tables of what keeps Pods running: ReplicaSets, Deployments and their like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pilotfish.apiserver.tables import words
from pilotfish.apiserver.tables.durations import age
from pilotfish.apiserver.tables.printer import Cells, KindTable, columns


def _replica_set_cells(obj: Mapping[str, Any]) -> Cells:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    return [
        obj["metadata"]["name"],
        spec.get("replicas", 0),
        status.get("replicas", 0),
        status.get("readyReplicas", 0),
        age(obj),
        *words.containers(spec.get("template")),
        words.selector(spec.get("selector")),
    ]


def _replication_controller_cells(obj: Mapping[str, Any]) -> Cells:
    cells = _replica_set_cells(obj)
    cells[-1] = words.labels((obj.get("spec") or {}).get("selector"))
    return cells


def _deployment_cells(obj: Mapping[str, Any]) -> Cells:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    return [
        obj["metadata"]["name"],
        f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}",
        status.get("updatedReplicas", 0),
        status.get("availableReplicas", 0),
        age(obj),
        *words.containers(spec.get("template")),
        words.selector(spec.get("selector")),
    ]


def _stateful_set_cells(obj: Mapping[str, Any]) -> Cells:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    return [
        obj["metadata"]["name"],
        f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}",
        age(obj),
        *words.containers(spec.get("template")),
    ]


def _daemon_set_cells(obj: Mapping[str, Any]) -> Cells:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    template = spec.get("template") or {}
    return [
        obj["metadata"]["name"],
        status.get("desiredNumberScheduled", 0),
        status.get("currentNumberScheduled", 0),
        status.get("numberReady", 0),
        status.get("updatedNumberScheduled", 0),
        status.get("numberAvailable", 0),
        words.labels((template.get("spec") or {}).get("nodeSelector")),
        age(obj),
        *words.containers(template),
        words.selector(spec.get("selector")),
    ]


def _pod_template_cells(obj: Mapping[str, Any]) -> Cells:
    template = obj.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels")
    return [obj["metadata"]["name"], *words.containers(template), words.labels(labels)]


def _controller_revision_cells(obj: Mapping[str, Any]) -> Cells:
    owners = obj["metadata"].get("ownerReferences") or ()
    controllers = [owner for owner in owners if owner.get("controller")]
    group = controllers[0]["apiVersion"].rpartition("/")[0] if controllers else ""
    owner = (
        f"{controllers[0].get('kind', '').lower()}.{group}/{controllers[0]['name']}"
        if controllers
        else "<none>"
    )
    return [obj["metadata"]["name"], owner, obj.get("revision", 0), age(obj)]


_REPLICA_COLUMNS = columns(
    "Name | Desired# | Current# | Ready# | Age | Containers+ | Images+ | Selector+"
)
REPLICA_SETS = KindTable(_REPLICA_COLUMNS, _replica_set_cells)
REPLICATION_CONTROLLERS = KindTable(_REPLICA_COLUMNS, _replication_controller_cells)
DEPLOYMENTS = KindTable(
    columns(
        "Name | Ready | Up-to-date# | Available# | Age | Containers+ | Images+ | Selector+",
    ),
    _deployment_cells,
)
STATEFUL_SETS = KindTable(
    columns("Name | Ready | Age | Containers+ | Images+"), _stateful_set_cells
)
DAEMON_SETS = KindTable(
    columns(
        "Name | Desired# | Current# | Ready# | Up-to-date# | Available# | Node Selector | Age "
        "| Containers+ | Images+ | Selector+"
    ),
    _daemon_set_cells,
)
POD_TEMPLATES = KindTable(columns("Name | Containers | Images | Pod Labels"), _pod_template_cells)
CONTROLLER_REVISIONS = KindTable(
    columns("Name | Controller | Revision# | Age"), _controller_revision_cells
)
