"""Kubernetes' resource requests and limits as the cgroup settings of an OCI bundle.

runc turns the v1 spelling used here (shares, quota, limit) into cgroup v2's by itself.
"""

from __future__ import annotations

from pilotfish.objects.meta import Object
from pilotfish.objects.quantities import parse_quantity

_CPU_PERIOD_US = 100_000
_MIN_QUOTA_US = 1_000
_MIN_SHARES, _MAX_SHARES = 2, 262_144
# A fork bomb ends in its container. No limit of Kubernetes' own is in the Pod: the kubelet's
# podPidsLimit is a node's setting.
MAX_PIDS = 4096


def _milli(quantity: object) -> int:
    return int(parse_quantity(str(quantity)) * 1000)


def linux_resources(container: Object, privileged: bool) -> Object:
    """The `linux.resources` of config.json."""
    resources = container.get("resources") or {}
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    cpu: Object = {}
    request = requests.get("cpu", limits.get("cpu"))
    shares = _milli(request) * 1024 // 1000 if request is not None else _MIN_SHARES
    cpu["shares"] = min(max(shares, _MIN_SHARES), _MAX_SHARES)
    if "cpu" in limits and _milli(limits["cpu"]) > 0:
        quota = _milli(limits["cpu"]) * _CPU_PERIOD_US // 1000
        cpu["quota"] = max(quota, _MIN_QUOTA_US)
        cpu["period"] = _CPU_PERIOD_US
    result: Object = {
        "cpu": cpu,
        "devices": [{"allow": privileged, "access": "rwm"}],
        "pids": {"limit": MAX_PIDS},
    }
    if "memory" in limits:
        result["memory"] = {"limit": int(parse_quantity(str(limits["memory"])))}
    return result
