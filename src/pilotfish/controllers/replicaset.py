"""ReplicaSet and ReplicationController: keep the wanted number of Pods in being.

Both kinds mean the same; they differ in the form of their selector alone.
Pods are created in parallel, in batches that double while the API server
accepts them, so that a refusal (a quota, a bad template) costs a few requests
and not one per replica.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from pilotfish.client.errors import ApiError
from pilotfish.controllers.claims import candidates_of, claim, settle_claim
from pilotfish.controllers.controller import Context, Controller, together
from pilotfish.controllers.pod_control import PodControl
from pilotfish.controllers.pod_template import replica_from_template
from pilotfish.controllers.replicas import (
    ReplicaPlan,
    is_active,
    next_available_s,
    plan_replicas,
    replica_status,
)
from pilotfish.objects.meta import (
    Object,
    controller_of,
    is_deleting,
    key_of,
    labels_of,
    namespace_of,
    uid_of,
)
from pilotfish.objects.selectors import LabelSelector, label_selector, match_labels

log = logging.getLogger(__name__)

FIRST_BATCH = 8
# A Pod that only turns ready or unready changes counts in the status. They give way to the
# EndpointSlice of the same change, and take several changes together.
STATUS_DELAY_S = 0.01


class ReplicaSetController(Controller):
    """Keeps the Pods of every ReplicaSet."""

    name = "replicaset-controller"
    resource = "replicasets.apps"
    kind = "ReplicaSet"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._owners = self.informer(self.resource)
        self._pods = self.informer("pods")
        self._control = PodControl(self.client, self.events)
        self._failures: dict[str, str] = {}
        self._owners.on_change(self._owner_changed)
        self._pods.on_change(self._pod_changed)

    def selector(self, owner: Object) -> LabelSelector:
        """Which Pods the owner counts."""
        return label_selector(owner["spec"].get("selector"))

    def _owner_changed(self, old: Object | None, new: Object | None) -> None:
        obj = new or old
        if obj is None:
            return
        if new is None:
            self._control.expected.forget(key_of(obj))
            self._failures.pop(key_of(obj), None)
            return
        self.enqueue(obj)

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        before = self._owner_key(old) if old else None
        after = self._owner_key(new) if new else None
        if new is not None and after is not None:
            self._control.saw(after, new)
            if before == after and old is not None and is_active(old) == is_active(new):
                self.queue.add_after(after, STATUS_DELAY_S)
            else:
                self.queue.add(after)
        if old is not None and before is not None and before != after:
            self._control.saw(before, old, is_gone=True)
            self.queue.add(before)
        if new is not None and controller_of(new) is None and not is_deleting(new):
            for owner in self._owners.by_index("namespace", namespace_of(new)):
                if self.selector(owner).matches(labels_of(new)):
                    self.enqueue(owner)

    def _owner_key(self, pod: Object) -> str | None:
        reference = controller_of(pod)
        if reference is None or reference.get("kind") != self.kind:
            return None
        key = f"{namespace_of(pod)}/{reference['name']}"
        owner = self._owners.get(key)
        return key if owner is not None and uid_of(owner) == reference["uid"] else None

    async def sync(self, key: str) -> None:
        owner = self._owners.get(key)
        if owner is None:
            return
        selector = self.selector(owner)
        if not selector:
            log.warning("%s %s selects every Pod; it is left alone", self.kind, key)
            return
        settled = self._control.expected.fulfilled(key)
        pods = [pod for pod in candidates_of(self._pods, owner) if is_active(pod)]
        active = await settle_claim(self.client, "pods", owner, claim(owner, selector, pods))
        refusal: ApiError | None = None
        if settled and not is_deleting(owner):
            plan = plan_replicas(owner["spec"].get("replicas", 1), active, self._related(owner))
            refusal = await self._carry_out(key, owner, plan)
        status = replica_status(owner, active, self._failures.get(key, ""))
        await self.write_status(self.resource, owner, status)
        if refusal is not None:
            raise refusal  # the queue tries again, later and later
        wait_s = next_available_s(active, owner["spec"].get("minReadySeconds", 0))
        if wait_s is not None:
            self.queue.add_after(key, wait_s)

    def _related(self, owner: Object) -> Iterator[Object]:
        parent = controller_of(owner)
        siblings = self._owners.by_index("owner", parent["uid"]) if parent else [owner]
        for sibling in siblings:
            for pod in self._pods.by_index("owner", uid_of(sibling)):
                if is_active(pod):
                    yield pod

    async def _carry_out(self, key: str, owner: Object, plan: ReplicaPlan) -> ApiError | None:
        try:
            if plan.create:
                await self._create(key, owner, plan.create)
            elif plan.delete:
                await together(self._control.delete(key, owner, pod) for pod in plan.delete)
        except ApiError as error:
            self._failures[key] = error.message
            return error
        self._failures.pop(key, None)
        return None

    async def _create(self, key: str, owner: Object, number: int) -> None:
        batch = FIRST_BATCH
        while number > 0:
            pods = [
                replica_from_template(owner["spec"]["template"], owner)
                for _ in range(min(batch, number))
            ]
            await together(self._control.create(key, owner, pod) for pod in pods)
            number -= len(pods)
            batch *= 2


class ReplicationControllerController(ReplicaSetController):
    """Keeps the Pods of every ReplicationController."""

    name = "replication-controller"
    resource = "replicationcontrollers"
    kind = "ReplicationController"

    def selector(self, owner: Object) -> LabelSelector:
        """Which Pods the owner counts."""
        return match_labels(owner["spec"].get("selector"))
