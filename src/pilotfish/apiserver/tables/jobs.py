"""The tables of Jobs and CronJobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pilotfish.apiserver.tables import words
from pilotfish.apiserver.tables.durations import age, human_duration, since
from pilotfish.apiserver.tables.printer import NONE, Cells, KindTable, columns
from pilotfish.objects.conditions import condition
from pilotfish.objects.times import parse_time

_OUTCOMES = (
    ("Complete", "Complete"),
    ("Failed", "Failed"),
    ("Suspended", "Suspended"),
    ("FailureTarget", "FailureTarget"),
    ("SuccessCriteriaMet", "SuccessCriteriaMet"),
)


def _job_cells(job: Mapping[str, Any]) -> Cells:
    spec, status = job.get("spec") or {}, job.get("status") or {}
    return [
        job["metadata"]["name"],
        _job_status(job),
        _completions(spec, status),
        _duration(status),
        age(job),
        *words.containers(spec.get("template")),
        words.selector(spec.get("selector")),
    ]


def _job_status(job: Mapping[str, Any]) -> str:
    for kind, word in _OUTCOMES:
        if (condition(job, kind) or {}).get("status") == "True":
            return word
    return "Terminating" if "deletionTimestamp" in job["metadata"] else "Running"


def _completions(spec: Mapping[str, Any], status: Mapping[str, Any]) -> str:
    done = status.get("succeeded", 0)
    if "completions" in spec:
        return f"{done}/{spec['completions']}"
    workers = spec.get("parallelism", 0)
    return f"{done}/1 of {workers}" if workers > 1 else f"{done}/1"


def _duration(status: Mapping[str, Any]) -> str:
    start, end = status.get("startTime"), status.get("completionTime")
    if not start:
        return ""
    if not end:
        return since(start)
    return human_duration((parse_time(end) - parse_time(start)).total_seconds())


def _cron_job_cells(obj: Mapping[str, Any]) -> Cells:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    job = (spec.get("jobTemplate") or {}).get("spec") or {}
    last = status.get("lastScheduleTime")
    return [
        obj["metadata"]["name"],
        spec.get("schedule", ""),
        spec.get("timeZone") or NONE,
        str(bool(spec.get("suspend"))),
        len(status.get("active") or ()),
        since(last) if last else NONE,
        age(obj),
        *words.containers(job.get("template")),
        words.selector(job.get("selector")),
    ]


JOBS = KindTable(
    columns(
        "Name | Status | Completions | Duration | Age | Containers+ | Images+ | Selector+",
    ),
    _job_cells,
)
CRON_JOBS = KindTable(
    columns(
        "Name | Schedule | Timezone | Suspend | Active# | Last Schedule | Age "
        "| Containers+ | Images+ | Selector+"
    ),
    _cron_job_cells,
)
