"""Jobs: how many Pods to start, what is counted, and how they end."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.controllers.job_plan import INDEX, TRACKING, is_finished, job_pod, plan_job
from pilotfish.objects.conditions import condition
from pilotfish.objects.meta import Object, name_of, uid_of
from support.workloads import ago, make_pod, make_replica_set


def job(status: Object | None = None, **spec: Any) -> Object:
    made = make_replica_set("job", kind="Job", status=status, spec=spec)
    made["apiVersion"] = "batch/v1"
    return made


def pod(name: str, phase: str = "Running", counted: bool = False, **fields: Any) -> Object:
    made = make_pod(name, node="node-1", phase=phase, ready_for_s=100, **fields)
    if not counted:
        made["metadata"]["finalizers"] = [TRACKING]
    return made


def reason(status: Object, type_: str) -> str | None:
    entry = condition({"status": status}, type_)
    return entry["reason"] if entry and entry["status"] == "True" else None


def test_as_many_run_as_may_and_as_are_still_needed() -> None:
    assert len(plan_job(job(parallelism=3, completions=10), []).create) == 3
    assert len(plan_job(job(parallelism=3, completions=2), []).create) == 2
    running = [pod("a"), pod("b")]
    plan = plan_job(job(parallelism=3, completions=10), running)
    assert (len(plan.create), plan.status["active"]) == (1, 3)
    assert len(plan_job(job(parallelism=1, completions=10), running).delete) == 1


def test_a_pod_that_ended_is_noted_then_released_then_counted() -> None:
    done = pod("a", "Succeeded")
    first = plan_job(job(parallelism=1, completions=2), [done])
    assert first.status["uncountedTerminatedPods"] == {"succeeded": [uid_of(done)]}
    assert first.release == [done]
    assert "succeeded" not in first.status
    assert len(first.create) == 1

    released = {**done, "metadata": {**done["metadata"], "finalizers": []}}
    owner = job(first.status, parallelism=1, completions=2)
    for pods in ([released], []):
        second = plan_job(owner, pods)
        assert second.status["succeeded"] == 1
        assert "uncountedTerminatedPods" not in second.status
    again = plan_job(job(second.status, parallelism=1, completions=2), [released])
    assert again.status["succeeded"] == 1


def test_a_job_completes_when_all_are_counted() -> None:
    owner = job({"succeeded": 2, "startTime": ago(9)}, parallelism=1, completions=2)
    plan = plan_job(owner, [])
    assert reason(plan.status, "Complete") == "CompletionsReached"
    assert "completionTime" in plan.status
    assert plan.event == ("Normal", "Completed", "Job completed")
    assert is_finished({"status": plan.status})


def test_the_end_waits_for_the_last_count() -> None:
    last = pod("a", "Succeeded")
    plan = plan_job(job(parallelism=1, completions=1), [last])
    assert reason(plan.status, "SuccessCriteriaMet") == "CompletionsReached"
    assert reason(plan.status, "Complete") is None
    assert plan.create == []


def test_a_work_queue_is_done_when_one_has_succeeded_and_the_others_have_ended() -> None:
    owner = job({"succeeded": 1}, parallelism=2)
    assert plan_job(owner, [pod("b")]).create == []
    assert reason(plan_job(owner, []).status, "Complete") == "CompletionsReached"


def test_failures_past_the_limit_fail_the_job_and_stop_its_pods() -> None:
    owner = job({"failed": 2}, parallelism=2, completions=2, backoffLimit=1)
    plan = plan_job(owner, [pod("b")])
    assert [name_of(doomed) for doomed in plan.delete] == ["b"]
    assert reason(plan.status, "FailureTarget") == "BackoffLimitExceeded"
    assert reason(plan.status, "Failed") is None
    stopping = pod("b", deletionTimestamp=ago(0))
    after = plan_job(job(plan.status, backoffLimit=1), [stopping])
    assert reason(after.status, "Failed") == "BackoffLimitExceeded"
    assert after.status["failed"] == 2
    assert after.release == [stopping]
    assert after.event is not None


def test_restarts_in_place_count_against_the_limit_and_that_stays_decided() -> None:
    shaky = pod("a")
    shaky["status"]["containerStatuses"] = [{"restartCount": 3}]
    plan = plan_job(job(backoffLimit=3), [shaky])
    assert reason(plan.status, "FailureTarget") == "BackoffLimitExceeded"
    after = plan_job(job(plan.status, backoffLimit=3), [])
    assert reason(after.status, "Failed") == "BackoffLimitExceeded"


def test_the_next_try_waits_longer_with_each_failure() -> None:
    def failed(name: str, seconds: float) -> Object:
        return make_pod(name, phase="Failed", ready_for_s=seconds)

    plan = plan_job(job({"failed": 1}), [failed("a", 2)])
    assert plan.create == []
    assert plan.wait_s is not None
    assert 6 < plan.wait_s <= 9
    assert len(plan_job(job({"failed": 1}), [failed("a", 11)]).create) == 1
    twice = plan_job(job({"failed": 2}), [failed("a", 11), failed("b", 40)])
    assert twice.wait_s is not None
    assert 6 < twice.wait_s <= 10


def test_a_deadline_ends_the_job() -> None:
    owner = job({"startTime": ago(31)}, activeDeadlineSeconds=30)
    plan = plan_job(owner, [pod("a")])
    assert reason(plan.status, "FailureTarget") == "DeadlineExceeded"
    early = plan_job(job({"startTime": ago(10)}, activeDeadlineSeconds=30), [pod("a")])
    assert early.wait_s is not None
    assert 18 < early.wait_s <= 21


def test_a_suspended_job_stops_its_pods_without_calling_them_failed() -> None:
    plan = plan_job(job(suspend=True), [pod("a")])
    assert [name_of(doomed) for doomed in plan.delete] == ["a"]
    assert reason(plan.status, "Suspended") == "JobSuspended"
    after = plan_job(job(plan.status, suspend=True), [pod("a", deletionTimestamp=ago(0))])
    assert "uncountedTerminatedPods" not in after.status
    resumed = plan_job(job(after.status), [])
    assert len(resumed.create) == 1
    assert reason(resumed.status, "Suspended") is None


def test_an_indexed_job_starts_the_indices_that_are_missing() -> None:
    owner = job(
        {"completedIndexes": "0,2-3"}, completionMode="Indexed", completions=7, parallelism=3
    )
    running = pod("e", annotations={INDEX: "4"})
    done = pod("b", "Succeeded", annotations={INDEX: "1"})
    plan = plan_job(owner, [running, done])
    assert plan.create == [5, 6]
    assert plan.status["completedIndexes"] == "0-3"


def test_an_indexed_pod_knows_its_index() -> None:
    made = job_pod(job(completionMode="Indexed", completions=3), 2)
    assert made["metadata"]["annotations"][INDEX] == "2"
    assert made["spec"]["hostname"] == "job-2"
    assert made["metadata"]["name"].startswith("job-2-")
    (variable,) = made["spec"]["containers"][0]["env"]
    assert variable["name"] == "JOB_COMPLETION_INDEX"


@pytest.mark.parametrize("end", ["Complete", "Failed"])
def test_a_finished_job_does_nothing_more(end: str) -> None:
    status = {"conditions": [{"type": end, "status": "True", "lastTransitionTime": ago(5)}]}
    plan = plan_job(job(status, completions=5, parallelism=5), [])
    assert (plan.create, plan.delete, plan.event) == ([], [], None)
