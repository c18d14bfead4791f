"""Deployment: roll a template out over ReplicaSets.

The thinking is in `rollout` (which ReplicaSet, how large) and in
`deployment_status`; here it is carried out. Each pass takes one step and the
change it causes brings the next.
"""

from __future__ import annotations

import logging

from pilotfish.client.errors import AlreadyExists, ApiError, NotFound
from pilotfish.controllers.claims import candidates_of, claim, settle_claim
from pilotfish.controllers.controller import Context, Controller
from pilotfish.controllers.deployment_status import deadline_left_s, deployment_status, is_complete
from pilotfish.controllers.replicas import is_active
from pilotfish.controllers.rollout import (
    REVISION,
    bounds,
    find_new,
    is_recreate,
    make_replica_set,
    new_annotations,
    new_size,
    old_sizes,
    proportional_sizes,
    replicas_of,
    same_template,
    size_annotations,
    surplus_history,
    was_scaled,
)
from pilotfish.controllers.written import Written
from pilotfish.objects.meta import (
    Object,
    annotations_of,
    controller_of,
    is_deleting,
    key_of,
    labels_of,
    name_of,
    namespace_of,
    uid_of,
)
from pilotfish.objects.selectors import label_selector

log = logging.getLogger(__name__)


class DeploymentController(Controller):
    """Keeps the ReplicaSets of every Deployment."""

    name = "deployment-controller"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._deployments = self.informer("deployments.apps")
        self._replica_sets = self.informer("replicasets.apps")
        self._pods = self.informer("pods")
        self._written = Written(self._replica_sets)
        self._deployments.on_change(self._deployment_changed)
        self._replica_sets.on_change(self._replica_set_changed)
        self._pods.on_change(self._pod_changed)

    def _deployment_changed(self, _old: Object | None, new: Object | None) -> None:
        if new is not None:
            self.enqueue(new)

    def _replica_set_changed(self, old: Object | None, new: Object | None) -> None:
        for rs in (old, new):
            reference = controller_of(rs) if rs else None
            if rs is not None and reference is not None and reference["kind"] == "Deployment":
                self.queue.add(f"{namespace_of(rs)}/{reference['name']}")
        if new is not None and controller_of(new) is None:
            for deployment in self._deployments.by_index("namespace", namespace_of(new)):
                if label_selector(deployment["spec"].get("selector")).matches(labels_of(new)):
                    self.enqueue(deployment)

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        # Recreate waits for the last old Pod to be gone.
        if old is None or (new is not None and is_active(new)):
            return
        reference = controller_of(old)
        if reference is None or reference["kind"] != "ReplicaSet":
            return
        rs = self._replica_sets.get(f"{namespace_of(old)}/{reference['name']}")
        parent = controller_of(rs) if rs else None
        if parent is not None and parent["kind"] == "Deployment":
            key = f"{namespace_of(old)}/{parent['name']}"
            deployment = self._deployments.get(key)
            if deployment is not None and is_recreate(deployment):
                self.queue.add(key)

    async def sync(self, key: str) -> None:
        deployment = self._deployments.get(key)
        if deployment is None:
            return
        selector = label_selector(deployment["spec"].get("selector"))
        if not selector:
            log.warning("Deployment %s selects every Pod; it is left alone", key)
            return
        mine = candidates_of(self._replica_sets, deployment)
        found = claim(deployment, selector, self._written.over(mine, uid_of(deployment)))
        everyone = await settle_claim(self.client, "replicasets.apps", deployment, found)
        if is_deleting(deployment):
            await self._write_status(deployment, find_new(deployment, everyone), everyone)
            return
        await self._step(deployment, everyone)

    async def _step(self, deployment: Object, everyone: list[Object]) -> None:
        """One step of the rollout, then the status it leads to."""
        new = find_new(deployment, everyone)
        old = [rs for rs in everyone if rs is not new]
        created = False
        if deployment["spec"].get("paused") or was_scaled(deployment, everyone):
            if new is not None:
                new = await self._refresh(deployment, new, old)
            everyone = [*old, new] if new else old
            everyone = await self._resize(
                deployment, everyone, proportional_sizes(deployment, new, everyone)
            )
        else:
            if is_recreate(deployment) and any(replicas_of(rs) for rs in old):
                everyone = await self._resize(deployment, everyone, {name_of(rs): 0 for rs in old})
                await self._write_status(deployment, new, everyone)
                return
            if is_recreate(deployment) and self._has_pods(old):
                await self._write_status(deployment, new, everyone)
                return
            if new is None:
                new = await self._create(deployment, old)
                created = True
            else:
                new = await self._refresh(deployment, new, old)
            everyone = await self._roll(deployment, new, old)
        new = find_new(deployment, everyone)
        status = await self._write_status(deployment, new, everyone, created)
        if new is not None:
            await self._note_revision(deployment, new)
        if is_complete(deployment, status):
            await self._clean_up(deployment, [rs for rs in everyone if rs is not new])

    async def _roll(self, deployment: Object, new: Object, old: list[Object]) -> list[Object]:
        everyone = [*old, new]
        size = new_size(deployment, everyone, replicas_of(new))
        if replicas_of(new) > replicas_of(deployment):
            size = replicas_of(deployment)
        if size != replicas_of(new):
            return await self._resize(deployment, everyone, {name_of(new): size})
        return await self._resize(deployment, everyone, old_sizes(deployment, new, old))

    def _has_pods(self, replica_sets: list[Object]) -> bool:
        return any(
            (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")
            for rs in replica_sets
            for pod in self._pods.by_index("owner", uid_of(rs))
        )

    async def _create(self, deployment: Object, old: list[Object]) -> Object:
        collisions = (deployment.get("status") or {}).get("collisionCount", 0)
        annotations = new_annotations(deployment, None, old)
        total = sum(replicas_of(rs) for rs in old)
        room = replicas_of(deployment) + bounds(deployment).max_surge - total
        size = replicas_of(deployment)
        if not is_recreate(deployment):
            size = max(0, min(size, room))
        wanted = make_replica_set(deployment, annotations, collisions, size)
        try:
            new = await self.client.create("replicasets.apps", wanted)
        except AlreadyExists:
            new = await self._namesake(deployment, wanted, collisions)
        except ApiError as error:
            message = f"Failed to create new replica set {name_of(wanted)!r}: {error.message}"
            self.events.record(deployment, "Warning", "ReplicaSetCreateError", message)
            await self._write_status(deployment, None, old, failure=error.message)
            raise
        self._written.note(new)
        if size:
            message = f"Scaled up replica set {name_of(new)} from 0 to {size}"
            self.events.record(deployment, "Normal", "ScalingReplicaSet", message)
        return new

    async def _namesake(self, deployment: Object, wanted: Object, collisions: int) -> Object:
        """The ReplicaSet that has the wanted name: ours after all, or a collision of hashes."""
        present = await self.client.get(
            "replicasets.apps", name_of(wanted), namespace_of(deployment)
        )
        owner = controller_of(present)
        template = deployment["spec"]["template"]
        if (
            owner
            and owner["uid"] == uid_of(deployment)
            and same_template(present["spec"]["template"], template)
        ):
            return present
        log.warning(
            "Deployment %s: ReplicaSet name %s is taken; trying another hash",
            key_of(deployment),
            name_of(wanted),
        )
        await self.client.patch(
            "deployments.apps",
            name_of(deployment),
            {"status": {"collisionCount": collisions + 1}},
            namespace_of(deployment),
            subresource="status",
        )
        raise RuntimeError(f"the hash of Deployment {key_of(deployment)} collides; retrying")

    async def _refresh(self, deployment: Object, new: Object, old: list[Object]) -> Object:
        """Bring the annotations and minReadySeconds of the new ReplicaSet up to date."""
        patch: Object = {}
        annotations = new_annotations(deployment, new, old)
        # The size annotations change together with the size.
        annotations |= {
            key: value
            for key, value in annotations_of(new).items()
            if key in size_annotations(deployment)
        }
        if annotations != annotations_of(new):
            patch["metadata"] = {"annotations": annotations}
        min_ready_s = deployment["spec"].get("minReadySeconds", 0)
        if min_ready_s != new["spec"].get("minReadySeconds", 0):
            patch["spec"] = {"minReadySeconds": min_ready_s or None}
        if not patch:
            return new
        written = await self.client.patch(
            "replicasets.apps", name_of(new), patch, namespace_of(new)
        )
        self._written.note(written)
        return written

    async def _note_revision(self, deployment: Object, new: Object) -> None:
        revision = annotations_of(new).get(REVISION)
        if revision and annotations_of(deployment).get(REVISION) != revision:
            patch = {"metadata": {"annotations": {REVISION: revision}}}
            await self.client.patch(
                "deployments.apps", name_of(deployment), patch, namespace_of(deployment)
            )

    async def _resize(
        self, deployment: Object, everyone: list[Object], sizes: dict[str, int]
    ) -> list[Object]:
        """Write new sizes, and everywhere the Deployment's size; returns all as they are then."""
        notes = size_annotations(deployment)
        result = []
        for rs in everyone:
            before = replicas_of(rs)
            size = sizes.get(name_of(rs), before)
            noted = notes.items() <= annotations_of(rs).items()
            if size == before and (noted or not before):
                result.append(rs)
                continue
            patch: Object = {"metadata": {"annotations": notes}, "spec": {"replicas": size}}
            written = await self.client.patch(
                "replicasets.apps", name_of(rs), patch, namespace_of(rs)
            )
            self._written.note(written)
            result.append(written)
            if size != before:
                direction = "up" if size > before else "down"
                message = f"Scaled {direction} replica set {name_of(rs)} from {before} to {size}"
                self.events.record(deployment, "Normal", "ScalingReplicaSet", message)
        return result

    async def _write_status(
        self,
        deployment: Object,
        new: Object | None,
        everyone: list[Object],
        created: bool = False,
        failure: str = "",
    ) -> Object:
        status = deployment_status(deployment, new, everyone, created, failure)
        await self.write_status("deployments.apps", deployment, status)
        left_s = deadline_left_s({**deployment, "status": status})
        if left_s is not None and left_s > 0:
            self.queue.add_after(key_of(deployment), left_s + 1)
        return status

    async def _clean_up(self, deployment: Object, old: list[Object]) -> None:
        for rs in surplus_history(deployment, old):
            try:
                await self.client.delete(
                    "replicasets.apps", name_of(rs), namespace_of(rs), uid=uid_of(rs)
                )
            except NotFound:
                continue
            log.info("deleted ReplicaSet %s, beyond the history limit", key_of(rs))
