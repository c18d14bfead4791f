"""Quality of service classes of Pods.

https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/
"""

from __future__ import annotations

from typing import Any

_COUNTED = ("cpu", "memory")


def qos_class(spec: dict[str, Any]) -> str:
    """Guaranteed, Burstable or BestEffort, for a defaulted PodSpec with canonical quantities."""
    anything, all_limited = False, True
    for group in ("containers", "initContainers"):
        for container in spec.get(group) or ():
            resources = container.get("resources") or {}
            limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
            for name in _COUNTED:
                limit, request = limits.get(name), requests.get(name)
                if _is_set(limit) or _is_set(request):
                    anything = True
                if not _is_set(limit) or request != limit:
                    all_limited = False
    if not anything:
        return "BestEffort"
    return "Guaranteed" if all_limited else "Burstable"


def _is_set(amount: Any) -> bool:
    return amount not in (None, "", "0", 0)
