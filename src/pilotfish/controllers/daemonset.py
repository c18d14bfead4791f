"""DaemonSet: one Pod on each node that wants one."""

from __future__ import annotations

import logging

from pilotfish.controllers.claims import candidates_of, claim, settle_claim
from pilotfish.controllers.controller import Context
from pilotfish.controllers.daemons import daemon_pod, plan_daemons
from pilotfish.controllers.replicas import next_available_s
from pilotfish.controllers.revisioned import RevisionedController
from pilotfish.controllers.revisions import (
    HASH_LABEL,
    current_revision,
    delete_revisions,
    surplus_revisions,
)
from pilotfish.controllers.scheduler import node_facts
from pilotfish.objects.meta import (
    Object,
    is_deleting,
    labels_of,
    uid_of,
)
from pilotfish.objects.selectors import label_selector

log = logging.getLogger(__name__)


class DaemonSetController(RevisionedController):
    """Keeps the Pods of every DaemonSet."""

    name = "daemonset-controller"
    resource = "daemonsets.apps"
    kind = "DaemonSet"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._nodes = self.informer("nodes")
        self._nodes.on_change(self._node_changed)

    def wants(self, owner: Object, orphan: Object) -> bool:
        return label_selector(owner["spec"].get("selector")).matches(labels_of(orphan))

    def _node_changed(self, old: Object | None, new: Object | None) -> None:
        if old is not None and new is not None and node_facts(old) == node_facts(new):
            return
        for owner in self._owners.values():
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
        await self.write_status(self.resource, owner, {**_kept(owner), **plan.status, **observed})
        if settled:
            created = (daemon_pod(owner, node, digest) for node in plan.create)
            await self._carry_out(key, owner, created, plan.delete)
            used = {digest, *(labels_of(pod).get(HASH_LABEL, "") for pod in pods)}
            limit = owner["spec"].get("revisionHistoryLimit", 10)
            await delete_revisions(self.client, surplus_revisions(revisions, used, limit))
        wait_s = next_available_s(pods, owner["spec"].get("minReadySeconds", 0))
        if wait_s is not None:
            self.queue.add_after(key, wait_s)


def _kept(owner: Object) -> Object:
    """The parts of the status that are not counted anew."""
    status = owner.get("status") or {}
    return {key: status[key] for key in ("collisionCount", "conditions") if key in status}
