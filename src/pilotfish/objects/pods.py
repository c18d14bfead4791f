"""What Services and controllers ask of a Pod: readiness, addresses, ports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pilotfish.objects.conditions import condition
from pilotfish.objects.meta import Object, controller_of, labels_of


def is_ready(pod: Mapping[str, Any]) -> bool:
    """Whether the Pod's Ready condition is True."""
    entry = condition(pod, "Ready")
    return entry is not None and entry.get("status") == "True"


def is_terminal(pod: Mapping[str, Any]) -> bool:
    """Whether the Pod has run to its end: phase Succeeded or Failed."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def pod_ips(pod: Mapping[str, Any]) -> list[str]:
    """The Pod's addresses, primary first; empty before it has any."""
    status = pod.get("status") or {}
    addresses = [entry["ip"] for entry in status.get("podIPs") or () if entry.get("ip")]
    if not addresses and status.get("podIP"):
        addresses = [status["podIP"]]
    return addresses


def host_node(pod: Mapping[str, Any]) -> str:
    """The name of the node that the Pod is bound to; "" while unscheduled."""
    name: str = (pod.get("spec") or {}).get("nodeName", "")
    return name


def workload(pod: Mapping[str, Any]) -> tuple[str, str] | None:
    """(kind, name) of what the Pod belongs to: the Deployment rather than its ReplicaSet."""
    owner = controller_of(pod)
    if owner is None:
        return None
    kind, name = owner["kind"], owner["name"]
    # Only the Deployment controller sets this label, and it names its ReplicaSets by it.
    template = labels_of(pod).get("pod-template-hash", "")
    if kind == "ReplicaSet" and template and name.endswith(f"-{template}"):
        return "Deployment", name.removesuffix(f"-{template}")
    return kind, name


def serving_containers(pod: Mapping[str, Any]) -> Iterator[Object]:
    """The containers whose ports others reach: ordinary ones and restartable init ones."""
    spec = pod.get("spec") or {}
    yield from spec.get("containers") or ()
    for container in spec.get("initContainers") or ():
        if container.get("restartPolicy") == "Always":
            yield container


def target_port(service_port: Mapping[str, Any], pod: Mapping[str, Any]) -> int | None:
    """The number of the Pod's port that a Service port leads to.

    A named targetPort is looked up among the container ports of the same
    protocol; None means that this Pod has no such port.
    """
    target = service_port.get("targetPort")
    if target is None or target in ("", 0):
        return int(service_port["port"])
    if isinstance(target, int):
        return target
    protocol = service_port.get("protocol", "TCP")
    for container in serving_containers(pod):
        for port in container.get("ports") or ():
            if port.get("name") == target and port.get("protocol", "TCP") == protocol:
                return int(port["containerPort"])
    return None
