"""What runs on each node and what it leaves free, kept up to date Pod by Pod."""

from __future__ import annotations

from collections import Counter

from pilotfish.controllers.tolerations import NOT_READY
from pilotfish.objects.conditions import condition
from pilotfish.objects.meta import Object, name_of, uid_of
from pilotfish.objects.pod_resources import HostPort, amount, host_ports, pod_requests
from pilotfish.objects.pods import host_node, is_terminal


class NodeInfo:
    """A node, its Pods and the sums over them.

    Attributes:
        node: the Node object; None while only its Pods are known.
        pods: Pods bound to it that have not finished, by uid.
        requested: what they ask for together.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.node: Object | None = None
        self.pods: dict[str, Object] = {}
        self.requested: Counter[str] = Counter()
        self.ports: Counter[HostPort] = Counter()
        self.owners: Counter[str] = Counter()
        self.with_anti_affinity: dict[str, Object] = {}

    def add(self, pod: Object) -> None:
        """Count a Pod, or the new state of one."""
        self.remove(pod)
        self.pods[uid_of(pod)] = pod
        self.requested.update(pod_requests(pod))
        self.ports.update(host_ports(pod))
        self.owners.update(_owner(pod))
        if (pod["spec"].get("affinity") or {}).get("podAntiAffinity"):
            self.with_anti_affinity[uid_of(pod)] = pod

    def remove(self, pod: Object) -> None:
        """Forget a Pod, if it was counted."""
        counted = self.pods.pop(uid_of(pod), None)
        if counted is None:
            return
        self.requested.subtract(pod_requests(counted))
        self.ports.subtract(host_ports(counted))
        self.ports += Counter()  # drops what fell to zero
        self.owners.subtract(_owner(counted))
        self.with_anti_affinity.pop(uid_of(pod), None)

    def taints(self) -> list[Object]:
        """The node's taints; an unready node repels Pods even before it is marked so."""
        if self.node is None:
            return []
        taints = list(self.node["spec"].get("taints") or ()) if self.node.get("spec") else []
        ready = condition(self.node, "Ready")
        if (ready is None or ready["status"] != "True") and not any(
            taint["effect"] == "NoSchedule" and taint["key"].startswith("node.kubernetes.io/")
            for taint in taints
        ):
            taints.append({"key": NOT_READY, "effect": "NoSchedule"})
        return taints

    def allocatable(self) -> dict[str, int]:
        """What the node has for Pods."""
        status = (self.node or {}).get("status") or {}
        have = status.get("allocatable") or status.get("capacity") or {}
        return {name: amount(name, str(quantity)) for name, quantity in have.items()}


def _owner(pod: Object) -> tuple[str, ...]:
    for reference in pod["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            return (reference["uid"],)
    return ()


class ClusterState:
    """All nodes with their Pods, including Pods whose binding is still under way."""

    def __init__(self) -> None:
        self.nodes: dict[str, NodeInfo] = {}
        self._placed: dict[str, str] = {}

    def available(self) -> list[NodeInfo]:
        """The nodes that exist."""
        return [info for info in self.nodes.values() if info.node is not None]

    def node_changed(self, old: Object | None, new: Object | None) -> None:
        """A node came, changed or went."""
        if new is not None:
            self._info(name_of(new)).node = new
        elif old is not None:
            info = self._info(name_of(old))
            info.node = None
            if not info.pods:
                del self.nodes[name_of(old)]

    def pod_changed(self, old: Object | None, new: Object | None) -> None:
        """A Pod came, changed or went; an assumed place holds until the watch shows another."""
        if old is not None and (new is None or uid_of(old) != uid_of(new)):
            self.forget(old)
        if new is None:
            return
        if is_terminal(new):
            self.forget(new)
            return
        node = host_node(new)
        if node:
            self.place(new, node)

    def place(self, pod: Object, node: str) -> None:
        """Count the Pod on that node, and nowhere else."""
        before = self._placed.get(uid_of(pod))
        if before is not None and before != node:
            self.forget(pod)
        self._placed[uid_of(pod)] = node
        self._info(node).add(pod)

    def forget(self, pod: Object) -> None:
        """Count the Pod nowhere."""
        node = self._placed.pop(uid_of(pod), None)
        if node is None:
            return
        info = self._info(node)
        info.remove(pod)
        if info.node is None and not info.pods:
            del self.nodes[node]

    def is_placed(self, pod: Object) -> bool:
        """Whether the Pod has a place, be it only an assumed one."""
        return uid_of(pod) in self._placed

    def _info(self, name: str) -> NodeInfo:
        info = self.nodes.get(name)
        if info is None:
            info = self.nodes[name] = NodeInfo(name)
        return info
