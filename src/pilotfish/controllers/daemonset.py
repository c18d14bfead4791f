"""DaemonSet: one Pod on each node that wants one."""

from __future__ import annotations

import logging

from pilotfish.controllers.claims import candidates_of, claim, settle_claim
from pilotfish.controllers.controller import Context, Controller, together
from pilotfish.controllers.daemons import daemon_pod, plan_daemons
from pilotfish.controllers.pod_control import PodControl
from pilotfish.controllers.replicas import next_available_s
from pilotfish.controllers.revisions import (
    HASH_LABEL,
    REVISIONS,
    current_revision,
    delete_revisions,
    surplus_revisions,
)
from pilotfish.controllers.scheduler import node_facts
from pilotfish.controllers.written import Written
from pilotfish.objects.meta import (
    Object,
    controller_of,
    is_deleting,
    key_of,
    labels_of,
    namespace_of,
    uid_of,
)
from pilotfish.objects.selectors import label_selector

log = logging.getLogger(__name__)

RESOURCE = "daemonsets.apps"


class DaemonSetController(Controller):
    """Keeps the Pods of every DaemonSet."""

    name = "daemonset-controller"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._owners = self.informer(RESOURCE)
        self._pods = self.informer("pods")
        self._nodes = self.informer("nodes")
        self._revisions = self.informer(REVISIONS)
        self._written = Written(self._revisions)
        self._control = PodControl(self.client, self.events)
        self._owners.on_change(self._owner_changed)
        self._pods.on_change(self._pod_changed)
        self._nodes.on_change(self._node_changed)

    def _owner_changed(self, old: Object | None, new: Object | None) -> None:
        if new is not None:
            self.enqueue(new)
        elif old is not None:
            self._control.expected.forget(key_of(old))

    def _node_changed(self, old: Object | None, new: Object | None) -> None:
        if old is not None and new is not None and node_facts(old) == node_facts(new):
            return
        for owner in self._owners.values():
            self.enqueue(owner)

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        for pod, is_gone in ((old, new is None), (new, False)):
            reference = controller_of(pod) if pod else None
            if pod is None or reference is None or reference["kind"] != "DaemonSet":
                continue
            key = f"{namespace_of(pod)}/{reference['name']}"
            self._control.saw(key, pod, is_gone)
            self.queue.add(key)
        if new is not None and controller_of(new) is None and not is_deleting(new):
            for owner in self._owners.by_index("namespace", namespace_of(new)):
                if label_selector(owner["spec"].get("selector")).matches(labels_of(new)):
                    self.enqueue(owner)

    async def sync(self, key: str) -> None:
        owner = self._owners.get(key)
        if owner is None or is_deleting(owner):
            return
        selector = label_selector(owner["spec"].get("selector"))
        if not selector:
            log.warning("DaemonSet %s selects every Pod; it is left alone", key)
            return
        settled = self._control.expected.fulfilled(key)
        found = claim(owner, selector, candidates_of(self._pods, owner))
        pods = await settle_claim(self.client, "pods", owner, found)
        cached = self._revisions.by_index("owner", uid_of(owner))
        revisions = self._written.over(cached, uid_of(owner))
        current = await current_revision(self.client, owner, revisions)
        self._written.note(current)
        digest = labels_of(current)[HASH_LABEL]
        plan = plan_daemons(owner, list(self._nodes.values()), pods, digest)
        observed = {"observedGeneration": owner["metadata"].get("generation", 0)}
        await self.write_status(RESOURCE, owner, {**_kept(owner), **plan.status, **observed})
        if settled:
            await self._carry_out(key, owner, plan.create, plan.delete, digest)
            used = {digest, *(labels_of(pod).get(HASH_LABEL, "") for pod in pods)}
            limit = owner["spec"].get("revisionHistoryLimit", 10)
            await delete_revisions(self.client, surplus_revisions(revisions, used, limit))
        wait_s = next_available_s(pods, owner["spec"].get("minReadySeconds", 0))
        if wait_s is not None:
            self.queue.add_after(key, wait_s)

    async def _carry_out(
        self, key: str, owner: Object, nodes: list[str], doomed: list[Object], digest: str
    ) -> None:
        created = (daemon_pod(owner, node, digest) for node in nodes)
        await together(
            [
                *(self._control.create(key, owner, pod) for pod in created),
                *(self._control.delete(key, owner, pod) for pod in doomed),
            ]
        )


def _kept(owner: Object) -> Object:
    """The parts of the status that are not counted anew."""
    status = owner.get("status") or {}
    return {key: status[key] for key in ("collisionCount", "conditions") if key in status}
