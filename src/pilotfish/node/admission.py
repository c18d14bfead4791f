"""Whether a node can take a Pod that was bound to it: the kubelet's own look.

A Pod with a nodeName that its author chose has not been seen by a scheduler, and two schedulers
may choose at the same time. A Pod that does not fit fails at once, and whoever made it makes
another one. The reasons are those of Kubernetes' kubelet (pkg/kubelet/lifecycle/predicate.go).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pilotfish.objects.meta import Object
from pilotfish.objects.node_affinity import matches_node
from pilotfish.objects.pod_resources import amount, host_ports, lacking, pod_requests, ports_clash
from pilotfish.objects.pods import is_terminal


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a Pod does not run here: `status.reason` and `status.message` of the failed Pod."""

    reason: str
    message: str


def rejection(pod: Object, others: Sequence[Object], node: Object) -> Rejection | None:
    """Why the node does not take the Pod; None when it does.

    Args:
        others: the Pods that the node has already.
        node: the Node object.
    """
    running = [other for other in others if not is_terminal(other)]
    return _short_of(pod, running, node) or _misplaced(pod, running, node)


def _short_of(pod: Object, running: Sequence[Object], node: Object) -> Rejection | None:
    status = node.get("status") or {}
    stated = status.get("allocatable") or status.get("capacity")
    if not stated:
        return None  # the node has just registered, and has yet to say what it has
    have = {name: amount(name, str(quantity)) for name, quantity in stated.items()}
    taken: Counter[str] = Counter()
    for other in running:
        taken.update(pod_requests(other))
    for resource, wanted in lacking(pod_requests(pod), taken, len(running), have):
        used = len(running) if resource == "pods" else taken[resource]
        return _rejected(
            f"OutOf{resource}",
            f"Node didn't have enough resource: {resource}, requested: {wanted}, used: {used}, "
            f"capacity: {have.get(resource, 0)}",
        )
    return None


def _misplaced(pod: Object, running: Sequence[Object], node: Object) -> Rejection | None:
    if not matches_node(pod, node):
        return _predicate("NodeAffinity", "node(s) didn't match Pod's node affinity/selector")
    ports = [port for other in running for port in host_ports(other)]
    if any(ports_clash(wanted, port) for wanted in host_ports(pod) for port in ports):
        return _predicate("NodePorts", "node(s) didn't have free ports for the requested pod ports")
    return None


def _predicate(name: str, why: str) -> Rejection:
    return _rejected(name, f"Predicate {name} failed: {why}")


def _rejected(reason: str, message: str) -> Rejection:
    return Rejection(reason, f"Pod was rejected: {message}")
