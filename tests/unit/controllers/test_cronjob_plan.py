"""CronJobs: when a Job is started, what holds it back, what is forgotten."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from pilotfish.controllers.cronjob_plan import SCHEDULED, plan_cron_job, with_active
from pilotfish.objects.meta import Object, name_of, reference_to, uid_of
from pilotfish.objects.times import parse_time
from support.workloads import make_replica_set

NOW = parse_time("2026-01-01T12:03:20Z")
CREATED = "2026-01-01T11:59:30Z"


def cron_job(status: Object | None = None, **spec: Any) -> Object:
    defaults = {"schedule": "*/5 * * * *", "concurrencyPolicy": "Allow", "jobTemplate": {}}
    made = make_replica_set("tick", kind="CronJob", status=status, spec={**defaults, **spec})
    made["apiVersion"] = "batch/v1"
    made["metadata"]["creationTimestamp"] = CREATED
    return made


def job(name: str, end: str = "", begun: str = "2026-01-01T12:00:00Z") -> Object:
    conditions = [{"type": end, "status": "True"}] if end else []
    status: Object = {"conditions": conditions, "startTime": begun}
    if end == "Complete":
        status["completionTime"] = begun
    made = make_replica_set(name, kind="Job", status=status)
    made["apiVersion"] = "batch/v1"
    return made


def running(*jobs: Object, last: str = "2026-01-01T11:55:00Z") -> Object:
    return {"active": [reference_to(each) for each in jobs], "lastScheduleTime": last}


def reasons(plan: Any) -> list[str]:
    return [reason for _, reason, _ in plan.events]


def test_a_job_is_started_for_the_last_time_that_came() -> None:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"template": {"spec": {}}}}
    plan = plan_cron_job(cron_job(jobTemplate=template), [], NOW)
    assert plan.create is not None
    assert plan.due == parse_time("2026-01-01T12:00:00Z")
    assert name_of(plan.create) == f"tick-{int(plan.due.timestamp()) // 60}"
    assert plan.create["metadata"]["annotations"][SCHEDULED] == "2026-01-01T12:00:00Z"
    assert plan.create["metadata"]["labels"] == {"a": "b"}
    assert plan.create["metadata"]["ownerReferences"][0]["kind"] == "CronJob"
    assert plan.create["spec"] == template["spec"]
    assert plan.wait_s == pytest.approx(100.1)
    status = with_active(plan.status, job("tick-1"), plan.due)
    assert status["lastScheduleTime"] == "2026-01-01T12:00:00Z"
    assert [each["name"] for each in status["active"]] == ["tick-1"]


def test_no_time_is_taken_twice() -> None:
    plan = plan_cron_job(cron_job({"lastScheduleTime": "2026-01-01T12:00:00Z"}), [], NOW)
    assert plan.create is None


def test_a_minute_has_one_run_however_short_the_schedule() -> None:
    first = plan_cron_job(cron_job(schedule="@every 1s"), [], NOW)
    assert first.create is not None
    made = job(name_of(first.create), "Complete")
    again = plan_cron_job(cron_job(schedule="@every 1s"), [made], NOW)
    assert again.create is None
    assert again.status["lastScheduleTime"] == "2026-01-01T12:03:20Z"


def test_a_suspended_one_starts_nothing_and_goes_on_counting() -> None:
    done = job("tick-1", "Complete")
    plan = plan_cron_job(cron_job(running(done), suspend=True), [done], NOW)
    assert (plan.create, plan.wait_s) == (None, None)
    assert "active" not in plan.status
    assert plan.status["lastSuccessfulTime"] == "2026-01-01T12:00:00Z"
    assert reasons(plan) == ["SawCompletedJob"]


def test_forbid_waits_for_the_run_that_is_on() -> None:
    old = job("tick-1")
    plan = plan_cron_job(cron_job(running(old), concurrencyPolicy="Forbid"), [old], NOW)
    assert (plan.create, plan.delete) == (None, [])
    assert reasons(plan) == ["JobAlreadyActive"]


def test_replace_ends_the_run_that_is_on() -> None:
    old = job("tick-1")
    plan = plan_cron_job(cron_job(running(old), concurrencyPolicy="Replace"), [old], NOW)
    assert plan.create is not None
    assert [uid_of(each) for each in plan.delete] == [uid_of(old)]
    assert "active" not in plan.status


def test_allow_lets_both_run() -> None:
    old = job("tick-1")
    plan = plan_cron_job(cron_job(running(old)), [old], NOW)
    assert plan.create is not None
    assert (plan.delete, len(plan.status["active"])) == ([], 1)


def test_what_is_too_late_is_left_out() -> None:
    assert plan_cron_job(cron_job(startingDeadlineSeconds=10), [], NOW).create is None
    assert plan_cron_job(cron_job(startingDeadlineSeconds=300), [], NOW).create is not None


@pytest.mark.parametrize(("deadline_s", "warned"), [(None, True), (3600, False)])
def test_many_missed_times_are_told(deadline_s: int | None, warned: bool) -> None:
    spec: Object = {"schedule": "* * * * *"}
    if deadline_s is not None:
        spec["startingDeadlineSeconds"] = deadline_s
    made = cron_job({"lastScheduleTime": "2026-01-01T09:00:00Z"}, **spec)
    plan = plan_cron_job(made, [], NOW)
    assert plan.due == parse_time("2026-01-01T12:03:00Z")
    assert ("TooManyMissedTimes" in reasons(plan)) is warned


def test_only_so_many_finished_jobs_are_kept() -> None:
    done = [job(f"done-{n}", "Complete", f"2026-01-01T10:0{n}:00Z") for n in range(4)]
    failed = [job(f"failed-{n}", "Failed", f"2026-01-01T10:0{n}:00Z") for n in range(3)]
    made = cron_job(successfulJobsHistoryLimit=3, failedJobsHistoryLimit=1)
    plan = plan_cron_job(made, [*reversed(done), *failed], NOW)
    assert sorted(name_of(each) for each in plan.delete) == ["done-0", "failed-0", "failed-1"]


def test_the_schedule_is_meant_in_its_time_zone() -> None:
    made = cron_job(schedule="0 13 * * *", timeZone="Europe/Berlin")
    plan = plan_cron_job(made, [], NOW)
    assert plan.due == parse_time("2026-01-01T12:00:00Z")
    assert plan.create is not None
    assert plan.create["metadata"]["annotations"][SCHEDULED] == "2026-01-01T13:00:00+01:00"


def test_jobs_that_nobody_has_on_record_are_told() -> None:
    assert "UnexpectedJob" in reasons(plan_cron_job(cron_job(), [job("mine")], NOW))
    gone = cron_job(running(job("gone")))
    plan = plan_cron_job(gone, [], NOW)
    assert "MissingJob" in reasons(plan)


@pytest.mark.parametrize(
    ("spec", "reason"),
    [({"schedule": "now"}, "UnparseableSchedule"), ({"timeZone": "Mars/X"}, "UnknownTimeZone")],
)
def test_what_cannot_be_understood_is_told(spec: Object, reason: str) -> None:
    plan = plan_cron_job(cron_job(**spec), [], NOW)
    assert (plan.create, reasons(plan)) == (None, [reason])


def test_the_same_moment_gives_the_same_name() -> None:
    later: datetime = NOW.replace(second=59)
    first, second = (plan_cron_job(cron_job(), [], at).create for at in (NOW, later))
    assert first is not None
    assert second is not None
    assert name_of(first) == name_of(second)
