"""How many Pods an owner of interchangeable replicas has, lacks and should lose.

The core of ReplicaSet and ReplicationController, without I/O.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pilotfish.objects.conditions import condition
from pilotfish.objects.meta import Object, annotations_of, is_deleting, labels_of, uid_of
from pilotfish.objects.pods import host_node, is_ready, is_terminal
from pilotfish.objects.times import age_s, now

_DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASE_RANK = {"Pending": 0, "Unknown": 1, "Running": 2}


@dataclass(slots=True)
class ReplicaPlan:
    """The step towards the wanted number: Pods to create, or Pods to delete."""

    create: int = 0
    delete: list[Object] = field(default_factory=list)


def is_active(pod: Object) -> bool:
    """Whether the Pod counts as a replica: neither finished nor on its way out."""
    return not is_terminal(pod) and not is_deleting(pod)


def plan_replicas(wanted: int, active: Sequence[Object], related: Iterable[Object]) -> ReplicaPlan:
    """The step from the active Pods to the wanted number.

    Args:
        wanted: `spec.replicas`.
        active: the owner's active Pods.
        related: active Pods of the same workload (all ReplicaSets of a
            Deployment), which tell on which nodes Pods are doubled up.
    """
    surplus = len(active) - wanted
    if surplus <= 0:
        return ReplicaPlan(create=-surplus)
    return ReplicaPlan(delete=_least_useful(active, surplus, related))


def _least_useful(active: Iterable[Object], number: int, related: Iterable[Object]) -> list[Object]:
    """The Pods to delete, in order.

    With each Pod chosen its node is less crowded, so that the rest stays spread:
    a rank that was computed on a fuller node is computed again before it counts.
    """
    per_node = Counter(host_node(pod) for pod in related)
    ranked = [(deletion_rank(pod, per_node), index, pod) for index, pod in enumerate(active)]
    heapq.heapify(ranked)
    chosen: list[Object] = []
    while len(chosen) < number:
        rank, index, pod = heapq.heappop(ranked)
        present = deletion_rank(pod, per_node)
        if present > rank:
            heapq.heappush(ranked, (present, index, pod))
            continue
        chosen.append(pod)
        per_node[host_node(pod)] -= 1
    return chosen


def deletion_rank(pod: Object, per_node: Mapping[str, int]) -> tuple[Any, ...]:
    """Sort key: what goes first when there are too many ("ReplicaSet: Scaling a ReplicaSet").

    Unassigned, then pending, then unready Pods; the lower deletion cost; those
    on the node with more Pods of the workload; the shorter ready, the more
    often restarted, the younger. Ages count by order of magnitude, so that
    among Pods of about one age the choice falls anywhere.
    """
    node = host_node(pod)
    status = pod.get("status") or {}
    ready = is_ready(pod)
    ready_since = (condition(pod, "Ready") or {}).get("lastTransitionTime") if ready else None
    restarts = max(
        (entry.get("restartCount", 0) for entry in status.get("containerStatuses") or ()),
        default=0,
    )
    return (
        bool(node),
        _PHASE_RANK.get(status.get("phase", ""), 0),
        ready,
        _deletion_cost(pod),
        -per_node.get(node, 0) if node else 0,
        _magnitude(ready_since),
        -restarts,
        _magnitude(pod["metadata"].get("creationTimestamp")),
        uid_of(pod),
    )


def _deletion_cost(pod: Object) -> int:
    try:
        return int(annotations_of(pod).get(_DELETION_COST, "0"))
    except ValueError:
        return 0  # the API server refuses other text; an older object counts as without cost


def _magnitude(since: str | None) -> int:
    if since is None:
        return 0
    return int(math.log2(max(age_s(since), 0) + 1))


def available_in_s(pod: Object, min_ready_s: float) -> float | None:
    """Seconds until the Pod counts as available; 0 when it does, None while it is unready."""
    ready = condition(pod, "Ready")
    if ready is None or ready.get("status") != "True":
        return None
    since = ready.get("lastTransitionTime")
    if not min_ready_s or since is None:
        return 0.0
    return max(0.0, min_ready_s - age_s(since))


def replica_status(owner: Object, active: Sequence[Object], failure: str = "") -> Object:
    """The status of the owner of these active Pods.

    Args:
        owner: the ReplicaSet or ReplicationController.
        active: its active Pods.
        failure: what the last attempt to create or delete Pods was refused
            with; "" when it succeeded.
    """
    spec, observed = owner["spec"], owner.get("status") or {}
    min_ready_s = spec.get("minReadySeconds", 0)
    template_labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    counts = {
        "fullyLabeledReplicas": sum(
            template_labels.items() <= labels_of(pod).items() for pod in active
        ),
        "readyReplicas": sum(is_ready(pod) for pod in active),
        "availableReplicas": sum(available_in_s(pod, min_ready_s) == 0 for pod in active),
    }
    status: Object = {
        "replicas": len(active),
        "observedGeneration": owner["metadata"].get("generation", 0),
    }
    status.update({name: count for name, count in counts.items() if count})
    conditions = [
        dict(entry)
        for entry in observed.get("conditions") or ()
        if entry.get("type") != "ReplicaFailure"
    ]
    if failure:
        before = condition(owner, "ReplicaFailure")
        conditions.append(before if before else _failure_condition(owner, active, failure))
    if conditions:
        status["conditions"] = conditions
    return status


def _failure_condition(owner: Object, active: Sequence[Object], failure: str) -> Object:
    lacking = len(active) < owner["spec"].get("replicas", 1)
    return {
        "type": "ReplicaFailure",
        "status": "True",
        "reason": "FailedCreate" if lacking else "FailedDelete",
        "message": failure,
        "lastTransitionTime": now(),
    }


def next_available_s(active: Iterable[Object], min_ready_s: float) -> float | None:
    """Seconds until the next Pod becomes available by age alone, or None."""
    waits = (available_in_s(pod, min_ready_s) for pod in active)
    return min((wait for wait in waits if wait), default=None)
