"""A Pod's quality of service class, and what the kernel's OOM killer is told because of it.

https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/
"""

from __future__ import annotations

from collections.abc import Iterator

from pilotfish.objects.meta import Object
from pilotfish.objects.quantities import parse_quantity

# The oom_score_adj of Guaranteed Pods and of what a cluster cannot do without.
SPARED = -997


def _all_containers(pod: Object) -> Iterator[Object]:
    spec = pod.get("spec", {})
    yield from spec.get("initContainers") or []
    yield from spec.get("containers") or []


def qos_class(pod: Object) -> str:
    """Guaranteed, Burstable or BestEffort."""
    guaranteed, anything = True, False
    for container in _all_containers(pod):
        resources = container.get("resources") or {}
        limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
        for name in ("cpu", "memory"):
            limit = limits.get(name)
            request = requests.get(name, limit)
            anything = anything or limit is not None or request is not None
            if limit is None or parse_quantity(str(limit)) != parse_quantity(str(request)):
                guaranteed = False
    if not anything:
        return "BestEffort"
    return "Guaranteed" if guaranteed else "Burstable"


def oom_score_adj(pod: Object, container: Object, node_memory_bytes: int) -> int:
    """What the container's processes get: the more memory was requested, the safer."""
    quality = qos_class(pod)
    if pod.get("spec", {}).get("priorityClassName") in (
        "system-node-critical",
        "system-cluster-critical",
    ):
        return SPARED
    if quality == "Guaranteed":
        return SPARED
    if quality == "BestEffort":
        return 1000
    resources = container.get("resources") or {}
    request = (resources.get("requests") or {}).get("memory") or (
        resources.get("limits") or {}
    ).get("memory", "0")
    share = 1000 - int(1000 * parse_quantity(str(request)) / max(node_memory_bytes, 1))
    return min(max(share, 3), 999)
