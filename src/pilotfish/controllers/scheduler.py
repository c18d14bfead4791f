"""Scheduler: give every Pod a node.

Choosing is a pure function of the cluster's state (`scheduling`), and takes no
turn of the event loop; a chosen place counts at once, while the binding is
still on its way to the API server. Pods that no node can take wait until
something changes that may help them.
"""

from __future__ import annotations

import logging

from pilotfish.client.errors import ApiError, Conflict, NotFound
from pilotfish.controllers.controller import Context, Controller
from pilotfish.controllers.node_info import ClusterState
from pilotfish.controllers.scheduling import choose_node
from pilotfish.objects.conditions import condition
from pilotfish.objects.meta import (
    Object,
    is_deleting,
    key_of,
    labels_of,
    name_of,
    namespace_of,
    uid_of,
)
from pilotfish.objects.pods import host_node, is_terminal
from pilotfish.objects.times import now

log = logging.getLogger(__name__)

SCHEDULER = "default-scheduler"


class Scheduler(Controller):
    """Binds Pods of the default scheduler to nodes."""

    name = SCHEDULER
    workers = 32

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._pods = self.informer("pods")
        self._nodes = self.informer("nodes")
        self._namespaces = self.informer("namespaces")
        self._state = ClusterState()
        self._waiting: set[str] = set()
        self._pods.on_change(self._pod_changed)
        self._nodes.on_change(self._node_changed)

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        self._state.pod_changed(old, new)
        if new is not None and wants_scheduling(new):
            self.enqueue(new)
            return
        pod = new or old
        if pod is not None:
            self._waiting.discard(key_of(pod))
        was_placed = old is not None and host_node(old) and not is_terminal(old)
        is_placed = new is not None and host_node(new) and not is_terminal(new)
        if bool(was_placed) != bool(is_placed):
            # Room was made, or a Pod came that others want to be near.
            self._reconsider()

    def _node_changed(self, old: Object | None, new: Object | None) -> None:
        self._state.node_changed(old, new)
        if new is not None and (old is None or node_facts(old) != node_facts(new)):
            self._reconsider()

    def _reconsider(self) -> None:
        for key in self._waiting:
            self.queue.add(key)
        self._waiting.clear()

    async def sync(self, key: str) -> None:
        pod = self._pods.get(key)
        if pod is None or not wants_scheduling(pod) or self._state.is_placed(pod):
            return
        if pod["spec"].get("schedulingGates"):
            await self._refuse(
                pod, "SchedulingGated", "Scheduling is blocked due to non-empty scheduling gates"
            )
            return
        namespaces = {name_of(entry): entry for entry in self._namespaces.values()}
        choice = choose_node(pod, self._state.available(), namespaces)
        if not choice.node:
            self._waiting.add(key)
            await self._refuse(pod, "Unschedulable", choice.message)
            return
        self._state.place(pod, choice.node)
        try:
            await self.client.create("pods", binding(pod, choice.node), subresource="binding")
        except (NotFound, Conflict) as error:
            self._state.forget(pod)
            log.info("Pod %s was not bound to %s: %s", key, choice.node, error)
            return
        except BaseException as error:
            self._state.forget(pod)
            if isinstance(error, ApiError):
                self.events.record(pod, "Warning", "FailedScheduling", error.message)
            raise
        message = f"Successfully assigned {key} to {choice.node}"
        self.events.record(pod, "Normal", "Scheduled", message)

    async def _refuse(self, pod: Object, reason: str, message: str) -> None:
        before = condition(pod, "PodScheduled")
        if before and (before.get("reason"), before.get("message")) == (reason, message):
            return
        if reason == "Unschedulable":
            self.events.record(pod, "Warning", "FailedScheduling", message)
        entry = {
            "type": "PodScheduled",
            "status": "False",
            "reason": reason,
            "message": message,
            "lastTransitionTime": (before or {}).get("lastTransitionTime") or now(),
        }
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
            log.debug("Pod %s went before it was scheduled", key_of(pod))


def wants_scheduling(pod: Object) -> bool:
    """Whether the Pod waits for this scheduler."""
    return (
        not host_node(pod)
        and not is_terminal(pod)
        and not is_deleting(pod)
        and pod["spec"].get("schedulerName", SCHEDULER) == SCHEDULER
    )


def binding(pod: Object, node: str) -> Object:
    """The Binding that puts the Pod on the node."""
    return {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {
            "name": name_of(pod),
            "namespace": namespace_of(pod),
            "uid": uid_of(pod),
        },
        "target": {"apiVersion": "v1", "kind": "Node", "name": node},
    }


def node_facts(node: Object) -> tuple[object, ...]:
    """All of a node that scheduling depends on, which is little beside its heartbeats."""
    spec, status = node.get("spec") or {}, node.get("status") or {}
    return (
        spec.get("taints"),
        spec.get("unschedulable"),
        labels_of(node),
        status.get("allocatable"),
        (condition(node, "Ready") or {}).get("status"),
    )
