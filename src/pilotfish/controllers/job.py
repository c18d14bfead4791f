"""Job: run Pods until enough of them have succeeded."""

from __future__ import annotations

import logging

from pilotfish.client.errors import Conflict, NotFound
from pilotfish.controllers.claims import candidates_of, claim, settle_claim
from pilotfish.controllers.controller import Context, Controller, together
from pilotfish.controllers.job_plan import TRACKING, JobPlan, is_finished, job_pod, plan_job
from pilotfish.controllers.ownership import finalizers_of, without_finalizer
from pilotfish.controllers.pod_control import PodControl
from pilotfish.controllers.written import Written
from pilotfish.objects.meta import (
    Object,
    controller_of,
    is_deleting,
    key_of,
    name_of,
    namespace_of,
    uid_of,
)
from pilotfish.objects.selectors import label_selector
from pilotfish.objects.times import age_s

log = logging.getLogger(__name__)

RESOURCE = "jobs.batch"


class JobController(Controller):
    """Runs every Job to its end."""

    name = "job-controller"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._jobs = self.informer(RESOURCE)
        self._pods = self.informer("pods")
        # A count that is on record but not yet in the cache must not be counted anew.
        self._written = Written(self._jobs)
        self._control = PodControl(self.client, self.events)
        self._jobs.on_change(self._job_changed)
        self._pods.on_change(self._pod_changed)

    def _job_changed(self, old: Object | None, new: Object | None) -> None:
        if new is not None:
            self.queue.add(f"job|{key_of(new)}")
        elif old is not None:
            self._control.expected.forget(key_of(old))
            for pod in self._pods.by_index("owner", uid_of(old)):
                self.queue.add(f"pod|{key_of(pod)}")

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        for pod, is_gone in ((old, new is None), (new, False)):
            reference = controller_of(pod) if pod else None
            if pod is None or reference is None or reference["kind"] != "Job":
                continue
            key = f"{namespace_of(pod)}/{reference['name']}"
            self._control.saw(key, pod, is_gone)
            self.queue.add(f"job|{key}")
        if new is not None and TRACKING in finalizers_of(new):
            self.queue.add(f"pod|{key_of(new)}")

    async def sync(self, key: str) -> None:
        kind, _, name = key.partition("|")
        await (self._sync_job(name) if kind == "job" else self._let_orphan_go(name))

    async def _sync_job(self, key: str) -> None:
        job = self._written.latest(key)
        if job is None or is_deleting(job):
            return
        settled = self._control.expected.fulfilled(key)
        selector = label_selector(job["spec"].get("selector"))
        found = claim(job, selector, candidates_of(self._pods, job)) if selector else None
        pods = await settle_claim(self.client, "pods", job, found) if found else []
        plan = plan_job(job, pods)
        if settled:
            await self._carry_out(key, job, plan)
        written = await self.write_status(RESOURCE, job, plan.status)
        if written is not None:
            self._written.note(written)
        # Only what the status has on record may be let go of.
        await together(self._release(pod) for pod in plan.release)
        if plan.event is not None:
            type_, reason, message = plan.event
            self.events.record(job, "Warning" if type_ == "Warning" else "Normal", reason, message)
        if plan.wait_s is not None:
            self.queue.add_after(f"job|{key}", plan.wait_s)
        await self._expire({**job, "status": plan.status})

    async def _carry_out(self, key: str, job: Object, plan: JobPlan) -> None:
        created = (job_pod(job, index) for index in plan.create)
        await together(
            [
                *(self._control.create(key, job, pod) for pod in created),
                *(self._control.delete(key, job, pod) for pod in plan.delete),
            ]
        )

    async def _release(self, pod: Object) -> None:
        try:
            patch = without_finalizer(pod, TRACKING)
            await self.client.patch("pods", name_of(pod), patch, namespace_of(pod))
        except (NotFound, Conflict) as error:
            log.debug("Pod %s: %s", key_of(pod), error)  # its next event brings us back

    async def _let_orphan_go(self, key: str) -> None:
        """Take the finalizer off a Pod whose Job is gone: nobody counts it any more."""
        pod = self._pods.get(key)
        if pod is None or TRACKING not in finalizers_of(pod):
            return
        reference = controller_of(pod)
        if reference is not None and reference["kind"] == "Job":
            job = self._jobs.get(f"{namespace_of(pod)}/{reference['name']}")
            if job is not None and uid_of(job) == reference["uid"] and not is_deleting(job):
                return
            if job is None and not is_deleting(pod):
                return  # the Job may be about to show
        await self._release(pod)

    async def _expire(self, job: Object) -> None:
        """Delete a finished Job when its time to live is over."""
        limit_s = job["spec"].get("ttlSecondsAfterFinished")
        if limit_s is None or not is_finished(job):
            return
        ended = [
            entry["lastTransitionTime"]
            for entry in job["status"]["conditions"]
            if entry.get("type") in ("Complete", "Failed")
        ]
        left_s = limit_s - age_s(max(ended))
        if left_s > 0:
            self.queue.add_after(f"job|{key_of(job)}", left_s + 0.1)
            return
        try:
            await self.client.delete(
                RESOURCE,
                name_of(job),
                namespace_of(job),
                uid=uid_of(job),
                propagation="Foreground",
            )
        except NotFound:
            log.debug("Job %s was gone already", key_of(job))
