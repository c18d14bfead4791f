"""A CronJob's next step: which Job to start, which to end, and what to forget.

The thinking of the CronJob controller, without I/O ("CronJob" in the Kubernetes documentation).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pilotfish.controllers.job_plan import is_finished
from pilotfish.objects.conditions import condition
from pilotfish.objects.cron import Schedule, ScheduleError, parse_schedule
from pilotfish.objects.meta import (
    Object,
    is_deleting,
    name_of,
    namespace_of,
    owner_reference,
    reference_to,
    uid_of,
)
from pilotfish.objects.times import format_time, parse_time

SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"
# So many runs that did not take place are worth a warning.
_MANY_MISSED = 100

Event = tuple[str, str, str]


@dataclass(slots=True)
class CronJobPlan:
    """What a look at a CronJob leads to.

    Attributes:
        status: its status, without a Job that is to be created.
        create: a Job to start; its time is `due`.
        due: when it was due.
        delete: Jobs to remove, with their Pods.
        wait_s: when to look again though nothing has changed; None for never.
        events: type, reason and message of each thing to tell.
    """

    status: Object
    create: Object | None = None
    due: datetime | None = None
    delete: list[Object] = field(default_factory=list)
    wait_s: float | None = None
    events: list[Event] = field(default_factory=list)


def plan_cron_job(cron_job: Object, jobs: Sequence[Object], now: datetime) -> CronJobPlan:
    """The step for a CronJob that controls these Jobs."""
    plan = CronJobPlan(dict(cron_job.get("status") or {}))
    active = _note_progress(plan, jobs)
    _forget_history(plan, cron_job["spec"], jobs)
    if not is_deleting(cron_job) and not cron_job["spec"].get("suspend"):
        _schedule(plan, cron_job, jobs, active, now)
    return plan


def with_active(status: Object, job: Object, due: datetime) -> Object:
    """The status once there is the Job that was due at that time."""
    noted = {**status, "lastScheduleTime": format_time(due)}
    if not is_finished(job):
        noted["active"] = [*(status.get("active") or ()), reference_to(job)]
    return noted


def _note_progress(plan: CronJobPlan, jobs: Sequence[Object]) -> list[Object]:
    """Bring the list of active Jobs up to date; returns them."""
    by_uid = {uid_of(job): job for job in jobs}
    known = {reference["uid"] for reference in plan.status.get("active") or ()}
    active = []
    for job in jobs:
        if not is_finished(job) and uid_of(job) in known:
            active.append(job)
        elif not is_finished(job) and not is_deleting(job):
            message = f"Saw a job that the controller did not create or forgot: {name_of(job)}"
            plan.events.append(("Warning", "UnexpectedJob", message))
    for uid in known:
        noted = by_uid.get(uid)
        if noted is None:
            plan.events.append(("Normal", "MissingJob", f"Active job went missing: {uid}"))
        elif is_finished(noted):
            how = "Complete" if _succeeded(noted) else "Failed"
            message = f"Saw completed job: {name_of(noted)}, condition: {how}"
            plan.events.append(("Normal", "SawCompletedJob", message))
    ends = [job["status"].get("completionTime") or "" for job in jobs if _succeeded(job)]
    last = max([plan.status.get("lastSuccessfulTime") or "", *ends])
    if last:
        plan.status["lastSuccessfulTime"] = last
    plan.status["active"] = [reference_to(job) for job in active]
    if not active:
        del plan.status["active"]
    return active


def _forget_history(plan: CronJobPlan, spec: Object, jobs: Sequence[Object]) -> None:
    """Remove finished Jobs beyond the limits, the oldest first."""
    finished = [job for job in jobs if is_finished(job) and not is_deleting(job)]
    for limit, some in (
        (spec.get("successfulJobsHistoryLimit"), [job for job in finished if _succeeded(job)]),
        (spec.get("failedJobsHistoryLimit"), [job for job in finished if not _succeeded(job)]),
    ):
        if limit is not None:
            surplus = max(0, len(some) - limit)
            plan.delete += sorted(some, key=_begun)[:surplus]


def _schedule(
    plan: CronJobPlan,
    cron_job: Object,
    jobs: Sequence[Object],
    active: list[Object],
    now: datetime,
) -> None:
    spec = cron_job["spec"]
    try:
        schedule, zone = parse_schedule(spec["schedule"]), _zone(spec.get("timeZone"))
    except ScheduleError as error:
        message = f"unparseable schedule: {spec['schedule']} : {error}"
        plan.events.append(("Warning", "UnparseableSchedule", message))
        return
    except ZoneInfoNotFoundError:
        message = f'invalid timeZone: "{spec["timeZone"]}" : unknown time zone {spec["timeZone"]}'
        plan.events.append(("Warning", "UnknownTimeZone", message))
        return
    following = schedule.next_after(now, zone)
    if following is not None:
        # A moment later, so that no clock calls it too early.
        plan.wait_s = (following - now).total_seconds() + 0.1
    due = _due(plan, cron_job, schedule, zone, now)
    if due is None:
        return
    job = _job(cron_job, due, zone)
    if name_of(job) in {name_of(each) for each in jobs}:
        # A schedule of seconds: names tell minutes apart, so that this one has its run.
        plan.status["lastScheduleTime"] = format_time(due)
        return
    policy = spec.get("concurrencyPolicy")
    if policy == "Forbid" and active:
        message = (
            "Not starting job because prior execution is running and concurrency policy is Forbid"
        )
        plan.events.append(("Normal", "JobAlreadyActive", message))
        return
    if policy == "Replace":
        plan.delete += active
        plan.status.pop("active", None)
    plan.create, plan.due = job, due


def _due(
    plan: CronJobPlan, cron_job: Object, schedule: Schedule, zone: tzinfo, now: datetime
) -> datetime | None:
    """The last time that came since the last run and has not been too long ago."""
    status, deadline_s = plan.status, cron_job["spec"].get("startingDeadlineSeconds")
    since = parse_time(status.get("lastScheduleTime") or cron_job["metadata"]["creationTimestamp"])
    if deadline_s is not None:
        since = max(since, now - timedelta(seconds=deadline_s))
    due = schedule.last_until(since, now, zone)
    if due is not None and deadline_s is None and _missed_many(schedule, since, due, zone):
        message = (
            "too many missed start times. Set or decrease .spec.startingDeadlineSeconds "
            "or check clock skew"
        )
        plan.events.append(("Warning", "TooManyMissedTimes", message))
    return due


def _missed_many(schedule: Schedule, since: datetime, due: datetime, zone: tzinfo) -> bool:
    at: datetime | None = since
    for _ in range(_MANY_MISSED):
        at = schedule.next_after(at, zone) if at is not None else None
        if at is None or at >= due:
            return False
    return True


def _job(cron_job: Object, due: datetime, zone: tzinfo) -> Object:
    """The Job of one run. Its name tells the run, so that no run takes place twice."""
    template = cron_job["spec"].get("jobTemplate") or {}
    metadata = template.get("metadata") or {}
    annotations = dict(metadata.get("annotations") or {})
    annotations[SCHEDULED] = due.astimezone(zone).isoformat().replace("+00:00", "Z")
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": f"{name_of(cron_job)}-{int(due.timestamp()) // 60}",
            "namespace": namespace_of(cron_job),
            "labels": dict(metadata.get("labels") or {}),
            "annotations": annotations,
            "ownerReferences": [owner_reference(cron_job)],
        },
        "spec": copy.deepcopy(template.get("spec") or {}),
    }


def _zone(name: str | None) -> tzinfo:
    """The zone of a schedule; without one that of the control plane, which keeps UTC."""
    if name is None:
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, OSError) as error:
        raise ZoneInfoNotFoundError(name) from error


def _succeeded(job: Object) -> bool:
    return (condition(job, "Complete") or {}).get("status") == "True"


def _begun(job: Object) -> str:
    begun: str = (job.get("status") or {}).get("startTime") or job["metadata"]["creationTimestamp"]
    return begun
