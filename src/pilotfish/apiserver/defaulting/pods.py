"""Defaults of Pods, beyond those that pod templates get too."""

from __future__ import annotations

from typing import Any

from pilotfish.apiserver.defaulting.containers import default_requests_from_limits
from pilotfish.apiserver.defaulting.podtemplates import default_pod_spec
from pilotfish.objects.meta import Object


def apply_defaults(obj: Object) -> None:
    spec: dict[str, Any] = obj.setdefault("spec", {})
    default_pod_spec(spec)
    spec.setdefault("enableServiceLinks", True)
    host_network = spec.get("hostNetwork")
    for group in ("initContainers", "containers"):
        for container in spec.get(group) or ():
            default_requests_from_limits(container["resources"])
            if host_network:
                for port in container.get("ports") or ():
                    if not port.get("hostPort"):
                        port["hostPort"] = port.get("containerPort")
    if spec.get("resources"):
        default_requests_from_limits(spec["resources"])
