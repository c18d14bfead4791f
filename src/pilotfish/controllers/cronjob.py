"""CronJob: start a Job whenever its schedule says so."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from pilotfish.client.errors import AlreadyExists, NotFound
from pilotfish.controllers.controller import Context, Controller, together
from pilotfish.controllers.cronjob_plan import CronJobPlan, plan_cron_job, with_active
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

log = logging.getLogger(__name__)

RESOURCE = "cronjobs.batch"
_JOBS = "jobs.batch"


class CronJobController(Controller):
    """Runs every CronJob."""

    name = "cronjob-controller"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._cron_jobs = self.informer(RESOURCE, eager=False)
        self._jobs = self.informer(_JOBS)
        # A run that is on record but not yet in the caches must not take place again.
        self._written = Written(self._cron_jobs)
        self._made = Written(self._jobs)
        self._cron_jobs.on_change(self._cron_job_changed)
        self._jobs.on_change(self._job_changed)

    def _cron_job_changed(self, _old: Object | None, new: Object | None) -> None:
        if new is not None:
            self.enqueue(new)

    def _job_changed(self, old: Object | None, new: Object | None) -> None:
        job = new or old
        reference = controller_of(job) if job else None
        if job is not None and reference is not None and reference["kind"] == "CronJob":
            self.queue.add(f"{namespace_of(job)}/{reference['name']}")

    async def sync(self, key: str) -> None:
        cron_job = self._written.latest(key)
        if cron_job is None or is_deleting(cron_job):
            return
        cached = self._jobs.by_index("owner", uid_of(cron_job))
        jobs = self._made.over(cached, uid_of(cron_job))
        plan = plan_cron_job(cron_job, jobs, datetime.now(UTC))
        for type_, reason, message in plan.events:
            self.events.record(
                cron_job, "Warning" if type_ == "Warning" else "Normal", reason, message
            )
        await together(self._delete(cron_job, job) for job in plan.delete)
        written = await self.write_status(RESOURCE, cron_job, await self._started(cron_job, plan))
        if written is not None:
            self._written.note(written)
        if plan.wait_s is not None:
            self.queue.add_after(key, plan.wait_s)

    async def _started(self, cron_job: Object, plan: CronJobPlan) -> Object:
        """The status, once the Job that is due was created."""
        if plan.create is None or plan.due is None:
            return plan.status
        name, namespace = name_of(plan.create), namespace_of(cron_job)
        try:
            job = await self.client.create(_JOBS, plan.create)
        except AlreadyExists:
            # We were ended before this run was on record, or somebody else made it.
            job = await self.client.get(_JOBS, name, namespace)
            reference = controller_of(job)
            if reference is None or reference["uid"] != uid_of(cron_job):
                log.warning("CronJob %s: Job %s is somebody else's", key_of(cron_job), name)
                return plan.status
        else:
            self._made.note(job)
            self.events.record(cron_job, "Normal", "SuccessfulCreate", f"Created job {name}")
        return with_active(plan.status, job, plan.due)

    async def _delete(self, cron_job: Object, job: Object) -> None:
        try:
            await self.client.delete(
                _JOBS,
                name_of(job),
                namespace_of(job),
                uid=uid_of(job),
                propagation="Background",
            )
        except NotFound:
            log.debug("Job %s was gone already", key_of(job))
            return
        self.events.record(cron_job, "Normal", "SuccessfulDelete", f"Deleted job {name_of(job)}")
