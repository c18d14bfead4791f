"""Which nodes run a DaemonSet's Pod, and which of its Pods should go or be replaced.

The thinking of the DaemonSet controller, without I/O ("DaemonSet" and "Perform
a Rolling Update on a DaemonSet" in the Kubernetes documentation).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pilotfish.controllers.pod_template import pod_from_template, random_suffix
from pilotfish.controllers.replicas import available_in_s
from pilotfish.controllers.revisions import HASH_LABEL
from pilotfish.controllers.rollout import scaled
from pilotfish.controllers.tolerations import (
    DISK_PRESSURE,
    MEMORY_PRESSURE,
    NETWORK_UNAVAILABLE,
    NOT_READY,
    PID_PRESSURE,
    UNREACHABLE,
    UNSCHEDULABLE,
    untolerated,
)
from pilotfish.objects.meta import Object, is_deleting, labels_of, name_of
from pilotfish.objects.node_affinity import matches_node
from pilotfish.objects.pods import host_node, is_ready, is_terminal

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


@dataclass(slots=True)
class DaemonPlan:
    """Nodes that need a Pod, Pods that must go, and the counts for the status."""

    create: list[str] = field(default_factory=list)
    delete: list[Object] = field(default_factory=list)
    status: dict[str, int] = field(default_factory=dict)


def daemon_tolerations(host_network: bool) -> list[Object]:
    """What daemons put up with of themselves: they belong to the node, whatever its state."""
    lasting = [(NOT_READY, "NoExecute"), (UNREACHABLE, "NoExecute")]
    starting = [(key, "NoSchedule") for key in (DISK_PRESSURE, MEMORY_PRESSURE, PID_PRESSURE)]
    starting.append((UNSCHEDULABLE, "NoSchedule"))
    if host_network:
        starting.append((NETWORK_UNAVAILABLE, "NoSchedule"))
    return [
        {"key": key, "operator": "Exists", "effect": effect} for key, effect in lasting + starting
    ]


def daemon_pod(daemon_set: Object, node: str, digest: str) -> Object:
    """The Pod of a DaemonSet for one node: the scheduler can choose that node alone."""
    prefix = f"{name_of(daemon_set)}-"
    template = daemon_set["spec"]["template"]
    pod = pod_from_template(template, daemon_set, f"{prefix[:57]}{random_suffix()}", prefix)
    pod["metadata"].setdefault("labels", {})[HASH_LABEL] = digest
    spec = pod["spec"]
    known = spec.get("tolerations") or []
    own = daemon_tolerations(bool(spec.get("hostNetwork")))
    spec["tolerations"] = [*known, *(entry for entry in own if entry not in known)]
    field_term = {"key": "metadata.name", "operator": "In", "values": [node]}
    affinity = spec.setdefault("affinity", {}).setdefault("nodeAffinity", {})
    terms = (affinity.get(_REQUIRED) or {}).get("nodeSelectorTerms") or [{}]
    affinity[_REQUIRED] = {
        "nodeSelectorTerms": [{**term, "matchFields": [field_term]} for term in terms]
    }
    return pod


def belongs_on(daemon_set: Object, node: Object) -> tuple[bool, bool]:
    """Whether a Pod should be started on the node, and whether one there may stay."""
    template = daemon_set["spec"]["template"]
    spec = template["spec"]
    if not matches_node({"spec": spec}, node):
        return False, False
    own = daemon_tolerations(bool(spec.get("hostNetwork")))
    tolerations = [*(spec.get("tolerations") or ()), *own]
    taints = (node.get("spec") or {}).get("taints") or ()
    # A node that is not ready yet gets its daemons all the same: it may need them to become so.
    tolerations.append({"key": NOT_READY, "operator": "Exists"})
    tolerations.append({"key": UNREACHABLE, "operator": "Exists"})
    if untolerated(tolerations, taints, ("NoExecute",)):
        return False, False
    return untolerated(tolerations, taints, ("NoSchedule",)) is None, True


def plan_daemons(
    daemon_set: Object, nodes: Sequence[Object], pods: Sequence[Object], digest: str
) -> DaemonPlan:
    """The step towards one Pod of the present template on each node that wants one.

    Args:
        daemon_set: the DaemonSet.
        nodes: all nodes.
        pods: the DaemonSet's Pods.
        digest: `controller-revision-hash` of the present template.
    """
    plan = DaemonPlan()
    per_node: dict[str, list[Object]] = {}
    for pod in pods:
        per_node.setdefault(target_node(pod), []).append(pod)
    wanted: dict[str, Object | None] = {}
    counts = dict.fromkeys(
        ("desiredNumberScheduled", "currentNumberScheduled", "numberMisscheduled"), 0
    )
    for node in nodes:
        start, stay = belongs_on(daemon_set, node)
        present = per_node.pop(name_of(node), [])
        ended = [pod for pod in present if is_terminal(pod) and not is_deleting(pod)]
        plan.delete += ended
        alive = [pod for pod in present if not is_terminal(pod) and not is_deleting(pod)]
        alive.sort(key=lambda pod: (not is_ready(pod), pod["metadata"]["creationTimestamp"]))
        if not stay:
            counts["numberMisscheduled"] += bool(alive)
            plan.delete += alive
            continue
        if start or alive:
            counts["desiredNumberScheduled"] += bool(start)
            counts["currentNumberScheduled"] += bool(alive)
            plan.delete += alive[1:]
            wanted[name_of(node)] = alive[0] if alive else None
            # A name is free once the Pod on its way out is gone; so is the node's place.
            if start and not present:
                plan.create.append(name_of(node))
    for strays in per_node.values():
        plan.delete += (pod for pod in strays if not is_deleting(pod))
    current = [pod for pod in wanted.values() if pod is not None]
    plan.delete += _replaced(daemon_set, wanted, digest)
    plan.status = counts | _health(daemon_set, current, digest, counts["desiredNumberScheduled"])
    return plan


def target_node(pod: Object) -> str:
    """The node that the Pod is on, or is meant for."""
    if host_node(pod):
        return host_node(pod)
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    for term in (affinity.get(_REQUIRED) or {}).get("nodeSelectorTerms") or ():
        for entry in term.get("matchFields") or ():
            if entry["key"] == "metadata.name" and entry.get("values"):
                return str(entry["values"][0])
    return ""


def _replaced(daemon_set: Object, wanted: Mapping[str, Object | None], digest: str) -> list[Object]:
    """Pods of an older template to delete now, within `maxUnavailable`."""
    strategy = daemon_set["spec"].get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return []
    rolling = strategy.get("rollingUpdate") or {}
    limit = max(1, scaled(rolling.get("maxUnavailable", 1), len(wanted), math.ceil))
    old = [
        pod
        for pod in wanted.values()
        if pod is not None and labels_of(pod).get(HASH_LABEL) != digest
    ]
    broken = [pod for pod in old if not _is_available(daemon_set, pod)]
    down = sum(pod is None or not _is_available(daemon_set, pod) for pod in wanted.values())
    # Pods that are down already cost nothing to replace.
    room = max(0, limit - down)
    whole = [pod for pod in old if pod not in broken]
    return broken + whole[:room]


def _is_available(daemon_set: Object, pod: Object) -> bool:
    return available_in_s(pod, daemon_set["spec"].get("minReadySeconds", 0)) == 0


def _health(
    daemon_set: Object, current: Sequence[Object], digest: str, desired: int
) -> dict[str, int]:
    available = sum(_is_available(daemon_set, pod) for pod in current)
    counts = {
        "numberReady": sum(is_ready(pod) for pod in current),
        "numberAvailable": available,
        "numberUnavailable": max(0, desired - available),
        "updatedNumberScheduled": sum(labels_of(pod).get(HASH_LABEL) == digest for pod in current),
    }
    return {name: count for name, count in counts.items() if count or name == "numberReady"}
