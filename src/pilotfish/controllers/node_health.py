"""What a node's silence and its conditions mean: its status, its taints, its Pods.

"Nodes: Node controller" and "Taint based Evictions" in the Kubernetes
documentation.
"""

from __future__ import annotations

from pilotfish.controllers.tolerations import (
    DISK_PRESSURE,
    MEMORY_PRESSURE,
    NETWORK_UNAVAILABLE,
    NOT_READY,
    PID_PRESSURE,
    UNREACHABLE,
    UNSCHEDULABLE,
    toleration_time_s,
)
from pilotfish.objects.conditions import condition
from pilotfish.objects.meta import Object
from pilotfish.objects.times import age_s, now

_PRESSURES = {
    "MemoryPressure": MEMORY_PRESSURE,
    "DiskPressure": DISK_PRESSURE,
    "PIDPressure": PID_PRESSURE,
    "NetworkUnavailable": NETWORK_UNAVAILABLE,
}
_MANAGED = frozenset({*_PRESSURES.values(), NOT_READY, UNREACHABLE, UNSCHEDULABLE})
_REPORTED = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")


def silent_conditions(node: Object) -> list[Object]:
    """The conditions of a node that has stopped reporting: nobody knows."""
    known = {
        entry.get("type"): dict(entry)
        for entry in (node.get("status") or {}).get("conditions") or ()
    }
    for type_ in _REPORTED:
        entry = known.get(type_)
        if entry is None:
            known[type_] = {
                "type": type_,
                "status": "Unknown",
                "reason": "NodeStatusNeverUpdated",
                "message": "Kubelet never posted node status.",
                "lastHeartbeatTime": node["metadata"].get("creationTimestamp", now()),
                "lastTransitionTime": now(),
            }
        elif entry["status"] != "Unknown":
            entry.update(
                status="Unknown",
                reason="NodeStatusUnknown",
                message="Kubelet stopped posting node status.",
                lastTransitionTime=now(),
            )
    return list(known.values())


def wanted_taints(node: Object) -> list[Object]:
    """The node's taints with those that follow from its conditions; others are kept.

    A taint that is there already keeps the time it was added: tolerations
    count from it.
    """
    spec = node.get("spec") or {}
    present = list(spec.get("taints") or ())
    ready = (condition(node, "Ready") or {}).get("status", "Unknown")
    wanted: list[tuple[str, str]] = []
    if ready == "False":
        wanted += [(NOT_READY, "NoSchedule"), (NOT_READY, "NoExecute")]
    elif ready != "True":
        wanted += [(UNREACHABLE, "NoSchedule"), (UNREACHABLE, "NoExecute")]
    for type_, key in _PRESSURES.items():
        if (condition(node, type_) or {}).get("status") == "True":
            wanted.append((key, "NoSchedule"))
    if spec.get("unschedulable"):
        wanted.append((UNSCHEDULABLE, "NoSchedule"))
    kept = [
        taint
        for taint in present
        if taint["key"] not in _MANAGED or (taint["key"], taint["effect"]) in wanted
    ]
    have = {(taint["key"], taint["effect"]) for taint in kept}
    for key, effect in wanted:
        if (key, effect) not in have:
            taint = {"key": key, "effect": effect}
            if effect == "NoExecute":
                taint["timeAdded"] = now()
            kept.append(taint)
    return kept


def evicted_in_s(pod: Object, node: Object) -> float | None:
    """Seconds until the Pod must leave the node; 0 for at once, None when it may stay."""
    tolerations = pod["spec"].get("tolerations") or ()
    waits = []
    for taint in (node.get("spec") or {}).get("taints") or ():
        if taint.get("effect") != "NoExecute":
            continue
        limit_s = toleration_time_s(tolerations, taint)
        if limit_s is None:
            continue
        passed_s = age_s(taint["timeAdded"]) if taint.get("timeAdded") else 0.0
        waits.append(max(0.0, limit_s - passed_s) if limit_s else 0.0)
    return min(waits, default=None)


def unready_condition(pod: Object) -> Object | None:
    """The Ready condition for a Pod of a silent node; None when it is not ready anyway."""
    ready = condition(pod, "Ready")
    if ready is None or ready["status"] != "True":
        return None
    return {**ready, "status": "False", "lastTransitionTime": now()}
