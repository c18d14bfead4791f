"""Validation of CronJobs."""

from __future__ import annotations

from pilotfish.apiserver.validation.causes import (
    Cause,
    invalid,
    not_supported,
    required,
    too_long,
)
from pilotfish.apiserver.validation.jobs import validate_job_spec
from pilotfish.apiserver.validation.templates import validate_counts
from pilotfish.objects.cron import ScheduleError, parse_schedule
from pilotfish.objects.meta import Object

# A Job's name is the CronJob's with eleven more characters.
_MAX_NAME = 52
_POLICIES = ("Allow", "Forbid", "Replace")


def validate(obj: Object) -> list[Cause]:
    spec = obj["spec"]
    causes = validate_counts(
        spec, "startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"
    )
    if len(obj["metadata"].get("name", "")) > _MAX_NAME:
        causes.append(too_long("metadata.name", _MAX_NAME))
    causes += _validate_schedule(spec.get("schedule", ""))
    zone = spec.get("timeZone")
    if zone is not None and not _is_time_zone(zone):
        causes.append(invalid("spec.timeZone", zone, f"unknown time zone {zone}"))
    policy = spec.get("concurrencyPolicy")
    if policy not in _POLICIES:
        causes.append(not_supported("spec.concurrencyPolicy", policy, _POLICIES))
    job = (spec.get("jobTemplate") or {}).get("spec") or {}
    return causes + validate_job_spec(job, "spec.jobTemplate.spec")


def _is_time_zone(name: str) -> bool:
    import zoneinfo  # rarely needed, and slow to load at the start of the server

    try:
        zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return False
    return True


def _validate_schedule(text: str) -> list[Cause]:
    if not text:
        return [required("spec.schedule")]
    if "TZ" in text:
        why = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        return [invalid("spec.schedule", text, why)]
    try:
        parse_schedule(text)
    except ScheduleError as error:
        return [invalid("spec.schedule", text, str(error))]
    return []
