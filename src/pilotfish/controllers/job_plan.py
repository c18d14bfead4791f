"""A Job's progress: which Pods count, how many more to start, and how it ends.

The thinking of the Job controller, without I/O ("Jobs" in the Kubernetes
documentation).

A Pod that has ended is counted once, even if it is deleted soon after: it
carries a finalizer until its uid is in the status as counted, and its uid
stays there until the finalizer is off ("Job tracking with finalizers").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pilotfish.controllers.ownership import finalizers_of
from pilotfish.controllers.pod_template import generated_name, pod_from_template
from pilotfish.objects.conditions import condition
from pilotfish.objects.meta import Object, annotations_of, is_deleting, name_of, uid_of
from pilotfish.objects.pods import is_ready, is_terminal
from pilotfish.objects.times import age_s, now

TRACKING = "batch.kubernetes.io/job-tracking"
INDEX = "batch.kubernetes.io/job-completion-index"
_FIRST_BACKOFF_S = 10.0
_MAX_BACKOFF_S = 600.0


@dataclass(slots=True)
class JobPlan:
    """What a look at a Job leads to.

    Attributes:
        status: its status now.
        create: a completion index, or None, for each Pod to start.
        delete: Pods to stop.
        release: Pods whose finalizer can go, once the status is written.
        wait_s: when to look again though nothing has changed; None for never.
        event: type, reason and message of what has just come to pass.
    """

    status: Object
    create: list[int | None] = field(default_factory=list)
    delete: list[Object] = field(default_factory=list)
    release: list[Object] = field(default_factory=list)
    wait_s: float | None = None
    event: tuple[str, str, str] | None = None


# What is said when the end is certain, before the last Pods are gone: what follows it.
_ANNOUNCED = {"SuccessCriteriaMet": "Complete", "FailureTarget": "Failed"}


def is_finished(job: Object) -> bool:
    """Whether the Job has completed or failed for good."""
    return _holds(job, *_ANNOUNCED.values())


def _holds(job: Object, *types: str) -> bool:
    return any((condition(job, type_) or {}).get("status") == "True" for type_ in types)


def plan_job(job: Object, pods: Sequence[Object]) -> JobPlan:
    """The step for a Job that has these Pods."""
    spec = job["spec"]
    status = _counted(job, pods)
    plan = JobPlan(status)
    plan.release = [pod for pod in pods if TRACKING in finalizers_of(pod) and _has_ended(pod)]
    active = [pod for pod in pods if not _has_ended(pod)]
    uncounted = status.get("uncountedTerminatedPods") or {}
    succeeded = status.get("succeeded", 0) + len(uncounted.get("succeeded") or ())
    failed = status.get("failed", 0) + len(uncounted.get("failed") or ())
    if is_finished(job):
        plan.delete = active
        _count_active(status, [])
        return plan
    if spec.get("suspend"):
        plan.delete = active
        _count_active(status, [])
        _say(status, "Suspended", "True", "JobSuspended", "Job suspended")
        status.pop("startTime", None)
        return plan
    if (condition(job, "Suspended") or {}).get("status") == "True":
        _say(status, "Suspended", "False", "JobResumed", "Job resumed")
    status.setdefault("startTime", now())
    ending = _ending(job, status, active, succeeded, failed)
    if ending is not None:
        plan.delete = active
        _count_active(status, [])
        _end(plan, *ending)
        return plan
    wanted = _wanted(job, active, succeeded)
    if len(active) > wanted:
        plan.delete = sorted(active, key=is_ready)[: len(active) - wanted]
        active = [pod for pod in active if pod not in plan.delete]
    elif len(active) < wanted:
        wait_s = _backoff_s(pods)
        if wait_s > 0:
            plan.wait_s = wait_s
        else:
            plan.create = _indices(job, pods, wanted - len(active))
    _count_active(status, active)
    status["active"] = len(active) + len(plan.create)
    if not status["active"]:
        del status["active"]
    deadline_s = spec.get("activeDeadlineSeconds")
    if deadline_s is not None:
        left_s = max(0.0, deadline_s - age_s(status["startTime"])) + 0.1
        plan.wait_s = left_s if plan.wait_s is None else min(left_s, plan.wait_s)
    return plan


def job_pod(job: Object, index: int | None) -> Object:
    """A Pod of the Job; one of an Indexed Job knows its index by label, variable and name."""
    prefix = name_of(job) if index is None else f"{name_of(job)}-{index}"
    pod = pod_from_template(job["spec"]["template"], job, generated_name(prefix), f"{prefix}-")
    metadata = pod["metadata"]
    metadata["finalizers"] = [*(metadata.get("finalizers") or ()), TRACKING]
    if index is not None:
        metadata.setdefault("labels", {})[INDEX] = str(index)
        metadata.setdefault("annotations", {})[INDEX] = str(index)
        pod["spec"].setdefault("hostname", prefix)
        for kind in ("containers", "initContainers"):
            for container in pod["spec"].get(kind) or ():
                variables = container.setdefault("env", [])
                if all(entry["name"] != "JOB_COMPLETION_INDEX" for entry in variables):
                    path = f"metadata.labels['{INDEX}']"
                    source = {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}
                    variables.append({"name": "JOB_COMPLETION_INDEX", "valueFrom": source})
    return pod


def _has_ended(pod: Object) -> bool:
    return is_terminal(pod) or is_deleting(pod)


def _phase(pod: Object) -> str:
    phase: str = (pod.get("status") or {}).get("phase", "")
    return phase


def _counted(job: Object, pods: Sequence[Object]) -> Object:
    """The status with newly ended Pods noted, and those whose finalizer is off counted."""
    status = dict(job.get("status") or {})
    status["conditions"] = [dict(entry) for entry in status.get("conditions") or ()]
    held = {uid_of(pod) for pod in pods if TRACKING in finalizers_of(pod)}
    noted = status.pop("uncountedTerminatedPods", None) or {}
    open_: Object = {}
    # Pods that we stop ourselves have not failed.
    is_stopping = job["spec"].get("suspend") or _holds(job, *_ANNOUNCED)
    known = {uid for kind in ("succeeded", "failed") for uid in noted.get(kind) or ()}
    for kind in ("succeeded", "failed"):
        uids = list(noted.get(kind) or ())
        done = [uid for uid in uids if uid not in held]
        if done:
            status[kind] = status.get(kind, 0) + len(done)
        still = [uid for uid in uids if uid in held]
        still += (
            uid_of(pod)
            for pod in pods
            if uid_of(pod) in held - known
            and (is_terminal(pod) or (is_deleting(pod) and not is_stopping))
            and (_phase(pod) == "Succeeded") == (kind == "succeeded")
        )
        if still:
            open_[kind] = still
    if open_:
        status["uncountedTerminatedPods"] = open_
    if not status["conditions"]:
        del status["conditions"]
    if job["spec"].get("completionMode") == "Indexed":
        indices = _ranges(_completed_indices(job, pods))
        status |= {"completedIndexes": indices} if indices else {}
    return status


def _count_active(status: Object, active: Sequence[Object]) -> None:
    for name in ("active", "ready", "terminating"):
        status.pop(name, None)
    if active:
        status["active"] = len(active)
    status["ready"] = sum(is_ready(pod) for pod in active)


def _ending(
    job: Object, status: Object, active: Sequence[Object], succeeded: int, failed: int
) -> tuple[str, str, str] | None:
    """How the Job ends now: condition, reason and message; None while it goes on."""
    spec = job["spec"]
    for announced, type_ in _ANNOUNCED.items():
        entry = condition(job, announced)
        if entry is not None and entry["status"] == "True":
            return type_, entry["reason"], entry["message"]
    limit = spec.get("backoffLimit", 6)
    restarts = sum(
        entry.get("restartCount", 0)
        for pod in active
        for entry in (pod.get("status") or {}).get("containerStatuses") or ()
    )
    if failed > limit or (restarts > 0 and restarts >= limit):
        return "Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit"
    deadline_s = spec.get("activeDeadlineSeconds")
    if deadline_s is not None and age_s(status["startTime"]) >= deadline_s:
        message = "Job was active longer than specified deadline"
        return "Failed", "DeadlineExceeded", message
    completions = spec.get("completions")
    is_done = succeeded > 0 and not active if completions is None else succeeded >= completions
    if is_done:
        message = "Reached expected number of succeeded pods"
        return "Complete", "CompletionsReached", message
    return None


def _end(plan: JobPlan, type_: str, reason: str, message: str) -> None:
    status = plan.status
    announced = next(first for first, end in _ANNOUNCED.items() if end == type_)
    _say(status, announced, "True", reason, message)
    # The end is only said when every Pod is counted: it is final.
    if status.get("uncountedTerminatedPods") or plan.delete:
        return
    _say(status, type_, "True", reason, message)
    if type_ == "Complete":
        status["completionTime"] = now()
        plan.event = ("Normal", "Completed", "Job completed")
    else:
        plan.event = ("Warning", reason, message)


def _say(status: Object, type_: str, value: str, reason: str, message: str) -> None:
    conditions = status.setdefault("conditions", [])
    for entry in conditions:
        if entry.get("type") == type_:
            if entry["status"] == value:
                return
            conditions.remove(entry)
            break
    moment = now()
    conditions.append(
        {
            "type": type_,
            "status": value,
            "reason": reason,
            "message": message,
            "lastProbeTime": moment,
            "lastTransitionTime": moment,
        }
    )


def _wanted(job: Object, active: Sequence[Object], succeeded: int) -> int:
    """How many Pods should run now."""
    parallelism = int(job["spec"].get("parallelism", 1))
    completions = job["spec"].get("completions")
    if completions is None:
        # A work queue: once a Pod has succeeded, the others finish and no new ones start.
        return min(len(active), parallelism) if succeeded else parallelism
    return max(0, min(parallelism, int(completions) - succeeded))


def _backoff_s(pods: Sequence[Object]) -> float:
    """Seconds to wait before the next Pod, after failures since the last success."""
    ends = sorted((_ended_s_ago(pod), _phase(pod)) for pod in pods if _has_ended(pod))
    failures = 0
    for _, phase in ends:
        if phase == "Succeeded":
            break
        failures += phase == "Failed"
    if not failures:
        return 0.0
    return min(_FIRST_BACKOFF_S * 2.0 ** (failures - 1), _MAX_BACKOFF_S) - ends[0][0]


def _ended_s_ago(pod: Object) -> float:
    status = pod.get("status") or {}
    moments = [
        terminated["finishedAt"]
        for entry in status.get("containerStatuses") or ()
        if (terminated := (entry.get("state") or {}).get("terminated"))
        and terminated.get("finishedAt")
    ]
    moment = max(moments, default=None) or (condition(pod, "Ready") or {}).get("lastTransitionTime")
    return age_s(moment or pod["metadata"]["creationTimestamp"])


def _indices(job: Object, pods: Sequence[Object], number: int) -> list[int | None]:
    if job["spec"].get("completionMode") != "Indexed":
        return [None] * number
    taken = set(_completed_indices(job, pods))
    taken |= {_index(pod) for pod in pods if not _has_ended(pod)}
    free = (index for index in range(int(job["spec"]["completions"])) if index not in taken)
    return [index for _, index in zip(range(number), free, strict=False)]


def _index(pod: Object) -> int:
    try:
        return int(annotations_of(pod).get(INDEX, "-1"))
    except ValueError:
        return -1


def _completed_indices(job: Object, pods: Sequence[Object]) -> list[int]:
    done = set(_parse_ranges((job.get("status") or {}).get("completedIndexes") or ""))
    done |= {_index(pod) for pod in pods if _phase(pod) == "Succeeded"}
    return sorted(index for index in done if index >= 0)


def _parse_ranges(text: str) -> list[int]:
    numbers: list[int] = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        numbers += range(int(first), int(last or first) + 1)
    return numbers


def _ranges(numbers: Sequence[int]) -> str:
    """Numbers in order as `1,3-5`."""
    parts: list[str] = []
    start = 0
    for at in range(1, len(numbers) + 1):
        if at == len(numbers) or numbers[at] != numbers[at - 1] + 1:
            first, last = numbers[start], numbers[at - 1]
            parts.append(str(first) if first == last else f"{first}-{last}")
            start = at
    return ",".join(parts)
