"""Taints and tolerations: what a node repels and what a Pod puts up with.

"Taints and Tolerations" in the Kubernetes documentation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pilotfish.objects.meta import Object

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
MEMORY_PRESSURE = "node.kubernetes.io/memory-pressure"
DISK_PRESSURE = "node.kubernetes.io/disk-pressure"
PID_PRESSURE = "node.kubernetes.io/pid-pressure"
NETWORK_UNAVAILABLE = "node.kubernetes.io/network-unavailable"


def tolerates(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    """Whether one toleration covers one taint."""
    if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    match toleration.get("operator") or "Equal":
        case "Exists":
            return True
        case "Equal":
            return bool((toleration.get("value") or "") == (taint.get("value") or ""))
    return False


def untolerated(
    tolerations: Iterable[Mapping[str, Any]], taints: Iterable[Object], effects: Iterable[str]
) -> Object | None:
    """The first taint of these effects that no toleration covers, or None."""
    wanted, known = frozenset(effects), tuple(tolerations)
    for taint in taints:
        if taint.get("effect") in wanted and not any(tolerates(t, taint) for t in known):
            return taint
    return None


def toleration_time_s(
    tolerations: Iterable[Mapping[str, Any]], taint: Mapping[str, Any]
) -> float | None:
    """How long a NoExecute taint is put up with: 0 not at all, None for ever.

    Of several tolerations that cover the taint, the shortest time counts.
    """
    covering = [toleration for toleration in tolerations if tolerates(toleration, taint)]
    if not covering:
        return 0.0
    limits = [
        max(0.0, float(toleration["tolerationSeconds"]))
        for toleration in covering
        if toleration.get("tolerationSeconds") is not None
    ]
    return min(limits, default=None)
