"""StatefulSet: Pods with numbers, names that last and an order of coming and going."""

from __future__ import annotations

import logging

from pilotfish.controllers.claims import candidates_of, claim, settle_claim
from pilotfish.controllers.ordinals import (
    numbered_pod,
    ordinal_of,
    ordinal_status,
    plan_ordinals,
)
from pilotfish.controllers.replicas import next_available_s
from pilotfish.controllers.revisioned import RevisionedController
from pilotfish.controllers.revisions import (
    HASH_LABEL,
    current_revision,
    delete_revisions,
    revision_template,
    surplus_revisions,
)
from pilotfish.objects.meta import (
    Object,
    is_deleting,
    labels_of,
    name_of,
    uid_of,
)
from pilotfish.objects.selectors import label_selector

log = logging.getLogger(__name__)


class StatefulSetController(RevisionedController):
    """Keeps the Pods of every StatefulSet."""

    name = "statefulset-controller"
    resource = "statefulsets.apps"
    kind = "StatefulSet"

    def wants(self, owner: Object, orphan: Object) -> bool:
        return ordinal_of(owner, orphan) is not None

    async def sync(self, key: str) -> None:
        owner = self._owners.get(key)
        if owner is None or is_deleting(owner):
            return
        selector = label_selector(owner["spec"].get("selector"))
        if not selector:
            log.warning("StatefulSet %s selects every Pod; it is left alone", key)
            return
        settled = self._control.expected.fulfilled(key)
        candidates = candidates_of(self._pods, owner)
        mine = [pod for pod in candidates if ordinal_of(owner, pod) is not None]
        pods = await settle_claim(self.client, "pods", owner, claim(owner, selector, mine))
        cached = self._revisions.by_index("owner", uid_of(owner))
        revisions = self._written.over(cached, uid_of(owner))
        updated = await current_revision(self.client, owner, revisions)
        self._written.note(updated)
        update = name_of(updated)
        templates = {name_of(entry): revision_template(entry) for entry in revisions}
        current = (owner.get("status") or {}).get("currentRevision") or update
        if current not in templates:
            current = update
        await self.write_status(self.resource, owner, ordinal_status(owner, pods, current, update))
        if settled:
            templates[update] = owner["spec"]["template"]
            plan = plan_ordinals(owner, pods, current, update)
            created = (
                numbered_pod(owner, templates[revision], number, revision)
                for number, revision in plan.create
            )
            await self._carry_out(key, owner, created, plan.delete)
            await self._trim(owner, revisions, pods, current, update)
        wait_s = next_available_s(pods, owner["spec"].get("minReadySeconds", 0))
        if wait_s is not None:
            self.queue.add_after(key, wait_s)

    async def _trim(
        self, owner: Object, revisions: list[Object], pods: list[Object], current: str, update: str
    ) -> None:
        names = {current, update, *(labels_of(pod).get(HASH_LABEL, "") for pod in pods)}
        # Pods of a StatefulSet carry the revision's name, its own label carries the hash.
        used = {name.removeprefix(f"{name_of(owner)}-") for name in names}
        limit = owner["spec"].get("revisionHistoryLimit", 10)
        await delete_revisions(self.client, surplus_revisions(revisions, used, limit))
