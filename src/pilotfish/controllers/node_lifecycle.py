"""Node lifecycle: notice nodes that fall silent, mark them, and move their Pods.

A node reports by renewing its Lease in kube-node-lease. What counts is when
the renewal was seen here, not the time it claims: clocks differ, and a
controller that was away must not condemn every node on its return.
"""

from __future__ import annotations

import asyncio
import logging

from pilotfish.client.errors import NotFound
from pilotfish.controllers.controller import Context, Controller, together
from pilotfish.controllers.node_health import (
    evicted_in_s,
    silent_conditions,
    unready_condition,
    wanted_taints,
)
from pilotfish.objects.conditions import condition
from pilotfish.objects.meta import Object, is_deleting, key_of, name_of, namespace_of, uid_of
from pilotfish.objects.pods import host_node, is_terminal

log = logging.getLogger(__name__)


class NodeLifecycleController(Controller):
    """Follows heartbeats; keeps the taints that conditions call for; evicts."""

    name = "node-controller"
    workers = 4

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._nodes = self.informer("nodes")
        self._leases = self.informer("leases.coordination.k8s.io")
        self._pods = self.informer("pods")
        self._slices = self.informer("endpointslices.discovery.k8s.io")
        self._heard: dict[str, float] = {}
        self._nodes.on_change(self._node_changed)
        self._leases.on_change(self._lease_changed)
        self._pods.on_change(self._pod_changed)

    def _node_changed(self, old: Object | None, new: Object | None) -> None:
        if new is None:
            if old is not None:
                self._heard.pop(name_of(old), None)
                for pod in self._pods.by_index("node", name_of(old)):
                    self.queue.add(f"pod|{key_of(pod)}")
                self.queue.add(f"node|{name_of(old)}")
            return
        if old is None or _heartbeat(old) != _heartbeat(new):
            self._hear(name_of(new))
        self.queue.add(f"node|{name_of(new)}")
        if old is not None and _taints(old) != _taints(new):
            for pod in self._pods.by_index("node", name_of(new)):
                self.queue.add(f"pod|{key_of(pod)}")

    def _lease_changed(self, _old: Object | None, new: Object | None) -> None:
        if new is not None:
            self._hear(name_of(new))

    def _hear(self, node: str) -> None:
        self._heard[node] = asyncio.get_running_loop().time()

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        if new is not None and host_node(new) and (old is None or not host_node(old)):
            node = self._nodes.get(host_node(new))
            if node is None or _taints(node):
                self.queue.add(f"pod|{key_of(new)}")

    async def sync(self, key: str) -> None:
        kind, _, name = key.partition("|")
        try:
            await (self._sync_node(name) if kind == "node" else self._sync_pod(name))
        except NotFound:
            log.debug("%s went meanwhile", key)

    async def _sync_node(self, name: str) -> None:
        node = self._nodes.get(name)
        if node is None:
            await self._remove_slices(name)
            return
        silent_s = asyncio.get_running_loop().time() - self._heard.get(name, 0.0)
        left_s = self.config.node_grace_s - silent_s
        if left_s <= 0:
            node = await self._mark_silent(node)
        else:
            self.queue.add_after(f"node|{name}", left_s + 0.01)
        taints = wanted_taints(node)
        if taints != _taints(node):
            version = node["metadata"]["resourceVersion"]
            patch = {"metadata": {"resourceVersion": version}, "spec": {"taints": taints or None}}
            await self.client.patch("nodes", name, patch)

    async def _mark_silent(self, node: Object) -> Object:
        before = condition(node, "Ready")
        if before is None or before["status"] != "Unknown":
            log.warning("Node %s has stopped reporting", name_of(node))
            message = f"Node {name_of(node)} status is now: NodeNotReady"
            self.events.record(node, "Normal", "NodeNotReady", message)
            patch = {"status": {"conditions": silent_conditions(node)}}
            node = await self.client.patch("nodes", name_of(node), patch, subresource="status")
            await self._remove_slices(name_of(node))
        await together(
            self._mark_unready(pod) for pod in self._pods.by_index("node", name_of(node))
        )
        return node

    async def _remove_slices(self, node: str) -> None:
        """Take the node's own processes, such as its DNS, out of their Services.

        They are no Pods that could turn unready; who of them lives says again that it is there.
        """
        for each in self._slices.values():
            if _is_of_processes(each, node):
                log.info("deleting EndpointSlice %s: node %s is gone", key_of(each), node)
                await self.client.delete(
                    "endpointslices.discovery.k8s.io",
                    name_of(each),
                    namespace_of(each),
                    uid=uid_of(each),
                )

    async def _mark_unready(self, pod: Object) -> None:
        """Take a Pod of a silent node out of its Services."""
        entry = None if is_terminal(pod) else unready_condition(pod)
        if entry is None:
            return
        try:
            await self.client.patch(
                "pods",
                name_of(pod),
                {"status": {"conditions": [entry]}},
                namespace_of(pod),
                kind="strategic",
                subresource="status",
            )
        except NotFound:
            return
        self.events.record(pod, "Warning", "NodeNotReady", "Node is not ready")

    async def _sync_pod(self, key: str) -> None:
        pod = self._pods.get(key)
        if pod is None or not host_node(pod):
            return
        node = self._nodes.get(host_node(pod))
        if node is None:
            await self._collect(pod)
            return
        left_s = None if is_terminal(pod) else evicted_in_s(pod, node)
        if left_s is None or is_deleting(pod):
            return
        if left_s > 0:
            self.queue.add_after(f"pod|{key}", left_s)
            return
        message = f"Marking for deletion Pod {key}"
        self.events.record(pod, "Normal", "TaintManagerEviction", message)
        await self.client.delete("pods", name_of(pod), namespace_of(pod), uid=uid_of(pod))

    async def _collect(self, pod: Object) -> None:
        """Remove a Pod whose node does not exist: no kubelet will ever confirm its end."""
        try:
            await self.client.get("nodes", host_node(pod))
        except NotFound:
            log.info("deleting Pod %s: its node %s is gone", key_of(pod), host_node(pod))
            await self.client.delete(
                "pods", name_of(pod), namespace_of(pod), grace_period_s=0, uid=uid_of(pod)
            )


def _is_of_processes(endpoint_slice: Object, node: str) -> bool:
    """Whether all endpoints are processes of that node, and no Pods."""
    endpoints = endpoint_slice.get("endpoints") or ()
    return bool(endpoints) and all(
        each.get("nodeName") == node and not each.get("targetRef") for each in endpoints
    )


def _taints(node: Object) -> list[Object]:
    return list((node.get("spec") or {}).get("taints") or ())


def _heartbeat(node: Object) -> tuple[str | None, ...]:
    """What moves when the node itself reports its status."""
    conditions = (node.get("status") or {}).get("conditions") or ()
    return tuple(entry.get("lastHeartbeatTime") for entry in conditions)
