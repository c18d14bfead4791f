"""A node without containers: it reports Ready and says of every Pod that it runs.

    async with hollow_node(client, "node-1"): ...

For tests of what happens around the kubelet: controllers, scheduler, proxy.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import IPv4Address
from typing import Any

from pilotfish.client.api import Client
from pilotfish.client.errors import AlreadyExists, Conflict, NotFound
from pilotfish.client.informer import Informer
from pilotfish.client.workqueue import WorkQueue
from pilotfish.objects.meta import Object, is_deleting, key_of, name_of, namespace_of
from pilotfish.objects.times import now, now_micro

LEASES = "leases.coordination.k8s.io"
HEARTBEAT_S = 0.5

FIRST_ADDRESS = IPv4Address("10.244.0.2")
_numbers = itertools.count()


class HollowNode:
    """One such node; Pods with the label `test/unready` do not turn ready on it."""

    def __init__(self, client: Client, name: str, labels: dict[str, str] | None = None) -> None:
        self.name = name
        self._client = client
        self._labels = {"kubernetes.io/hostname": name, **(labels or {})}
        self._pods = Informer(client, "pods", field_selector=f"spec.nodeName={name}")
        self._queue = WorkQueue(f"hollow {name}")
        self._pods.on_change(self._changed)

    def _changed(self, _old: Object | None, new: Object | None) -> None:
        if new is not None:
            self._queue.add(key_of(new))

    async def register(self, capacity: dict[str, str] | None = None) -> None:
        """Create the Node, Ready, and its Lease."""
        resources = {"cpu": "4", "memory": "8Gi", "pods": "110", **(capacity or {})}
        node: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": self.name, "labels": self._labels},
        }
        with contextlib.suppress(AlreadyExists):
            await self._client.create("nodes", node)
        ready = {
            "type": "Ready",
            "status": "True",
            "reason": "KubeletReady",
            "message": "kubelet is posting ready status",
            "lastHeartbeatTime": now(),
            "lastTransitionTime": now(),
        }
        status = {"capacity": resources, "allocatable": resources, "conditions": [ready]}
        await self._client.patch("nodes", self.name, {"status": status}, subresource="status")
        lease = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": self.name, "namespace": "kube-node-lease"},
            "spec": {"holderIdentity": self.name, "renewTime": now_micro()},
        }
        with contextlib.suppress(AlreadyExists):
            await self._client.create(LEASES, lease)

    async def run(self) -> None:
        """Answer for the Pods until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._pods.run())
            group.create_task(self._queue.run(self._sync, workers=16))
            while True:
                await asyncio.sleep(HEARTBEAT_S)
                patch = {"spec": {"renewTime": now_micro()}}
                await self._client.patch(LEASES, self.name, patch, "kube-node-lease")

    async def _sync(self, key: str) -> None:
        pod = self._pods.get(key)
        if pod is None:
            return
        with contextlib.suppress(NotFound, Conflict):
            if is_deleting(pod):
                await self._client.delete("pods", name_of(pod), namespace_of(pod), grace_period_s=0)
            elif (pod.get("status") or {}).get("phase") in (None, "Pending"):
                ready = "test/unready" not in (pod["metadata"].get("labels") or {})
                await set_ready(self._client, pod, ready, str(FIRST_ADDRESS + next(_numbers)))


async def set_ready(client: Client, pod: Object, ready: bool, address: str = "") -> None:
    """Say of a Pod that it runs, and whether it is ready."""
    conditions = [
        {"type": type_, "status": str(ready), "lastTransitionTime": now()}
        for type_ in ("Ready", "ContainersReady")
    ]
    status: dict[str, Any] = {"phase": "Running", "conditions": conditions}
    if address:
        status |= {"podIP": address, "podIPs": [{"ip": address}]}
    await client.patch(
        "pods", name_of(pod), {"status": status}, namespace_of(pod), "strategic", "status"
    )


async def finish(client: Client, pod: Object, phase: str) -> None:
    """Say of a Pod that it has come to its end: `Succeeded` or `Failed`."""
    status = {"status": {"phase": phase}}
    await client.patch("pods", name_of(pod), status, namespace_of(pod), "merge", "status")


@asynccontextmanager
async def hollow_node(
    client: Client, name: str, labels: dict[str, str] | None = None, **capacity: str
) -> AsyncIterator[HollowNode]:
    """A registered hollow node that answers for its Pods while the block lasts."""
    node = HollowNode(client, name, labels)
    await node.register(capacity)
    task = asyncio.create_task(node.run(), name=name)
    try:
        yield node
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
