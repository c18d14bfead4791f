"""A Deployment's status: the counts of its ReplicaSets and how its rollout gets on.

`kubectl rollout status` and `kubectl wait` read nothing else ("Deployment
status" in the Kubernetes documentation).
"""

from __future__ import annotations

from collections.abc import Sequence

from pilotfish.controllers.rollout import bounds, replicas_of
from pilotfish.objects.conditions import condition
from pilotfish.objects.meta import Object, name_of
from pilotfish.objects.times import age_s, now

# A deadline of the largest int32 means none.
_NO_DEADLINE = 2**31 - 1


def deployment_status(
    deployment: Object,
    new: Object | None,
    everyone: Sequence[Object],
    created: bool = False,
    failure: str = "",
) -> Object:
    """The status that follows from the ReplicaSets.

    Args:
        deployment: the Deployment with its last status.
        new: the ReplicaSet of the present template, if there is one.
        everyone: all ReplicaSets of the Deployment.
        created: whether the new one was made just now.
        failure: what creating the new one was refused with.
    """
    status = _counts(deployment, new, everyone)
    conditions = [
        dict(entry)
        for entry in (deployment.get("status") or {}).get("conditions") or ()
        if entry.get("type") != "ReplicaFailure"
    ]
    _set(conditions, *_availability(deployment, status))
    progress = _progress(deployment, new, status, created, failure)
    if progress == "none":
        conditions = [entry for entry in conditions if entry.get("type") != "Progressing"]
    elif isinstance(progress, tuple):
        _set(conditions, *progress)
    broken = condition(new, "ReplicaFailure") if new else None
    if broken:
        _set(conditions, "ReplicaFailure", "True", broken["reason"], broken.get("message", ""))
    status["conditions"] = conditions
    return status


def _counts(deployment: Object, new: Object | None, everyone: Sequence[Object]) -> Object:
    def total(field: str, replica_sets: Sequence[Object]) -> int:
        return sum((rs.get("status") or {}).get(field, 0) for rs in replica_sets)

    counts = {
        "replicas": total("replicas", everyone),
        "updatedReplicas": total("replicas", [new] if new else []),
        "readyReplicas": total("readyReplicas", everyone),
        "availableReplicas": total("availableReplicas", everyone),
    }
    wanted = sum(replicas_of(rs) for rs in everyone)
    counts["unavailableReplicas"] = max(0, wanted - counts["availableReplicas"])
    status: Object = {name: count for name, count in counts.items() if count}
    status["observedGeneration"] = deployment["metadata"].get("generation", 0)
    collisions = (deployment.get("status") or {}).get("collisionCount")
    if collisions is not None:
        status["collisionCount"] = collisions
    return status


def _availability(deployment: Object, status: Object) -> tuple[str, str, str, str]:
    minimum = replicas_of(deployment) - bounds(deployment).max_unavailable
    if status.get("availableReplicas", 0) >= minimum:
        reason, message = "MinimumReplicasAvailable", "Deployment has minimum availability."
        return "Available", "True", reason, message
    reason, message = "MinimumReplicasUnavailable", "Deployment does not have minimum availability."
    return "Available", "False", reason, message


def is_complete(deployment: Object, status: Object) -> bool:
    """Whether all wanted replicas are of the new template and available, and no others exist."""
    wanted = replicas_of(deployment)
    return all(
        status.get(field, 0) == wanted
        for field in ("updatedReplicas", "replicas", "availableReplicas")
    )


def _progress(
    deployment: Object, new: Object | None, status: Object, created: bool, failure: str
) -> tuple[str, str, str, str] | str | None:
    """The Progressing condition; "none" when there is to be none, None when it stays."""
    deadline_s = deployment["spec"].get("progressDeadlineSeconds", 600)
    if deadline_s is None or deadline_s == _NO_DEADLINE:
        return "none"
    before = condition(deployment, "Progressing")
    reason = before.get("reason") if before else None
    if failure:
        return "Progressing", "False", "ReplicaSetCreateError", failure
    if deployment["spec"].get("paused"):
        if reason in ("DeploymentPaused", "ProgressDeadlineExceeded"):
            return None
        return "Progressing", "Unknown", "DeploymentPaused", "Deployment is paused"
    if reason == "DeploymentPaused":
        return "Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed"
    name = f'ReplicaSet "{name_of(new)}"' if new else f'Deployment "{name_of(deployment)}"'
    if created and new:
        message = f'Created new replica set "{name_of(new)}"'
        return "Progressing", "True", "NewReplicaSetCreated", message
    if reason == "NewReplicaSetAvailable" and (
        status.get("replicas", 0) == status.get("updatedReplicas", 0)
    ):
        # A finished rollout stays finished when Pods come and go; only a new template opens it.
        message = f"{name} has successfully progressed."
        return "Progressing", "True", "NewReplicaSetAvailable", message
    if is_complete(deployment, status):
        message = f"{name} has successfully progressed."
        return "Progressing", "True", "NewReplicaSetAvailable", message
    if _has_moved(deployment, status):
        return "Progressing", "True", "ReplicaSetUpdated", f"{name} is progressing."
    if before is None and new:
        message = f'Found new replica set "{name_of(new)}"'
        return "Progressing", "True", "FoundNewReplicaSet", message
    left_s = deadline_left_s(deployment)
    if left_s is not None and left_s <= 0:
        return (
            "Progressing",
            "False",
            "ProgressDeadlineExceeded",
            (f"{name} has timed out progressing."),
        )
    return None


def _has_moved(deployment: Object, status: Object) -> bool:
    before = deployment.get("status") or {}

    def count(source: Object, field: str) -> int:
        return int(source.get(field, 0))

    def old_pods(source: Object) -> int:
        return count(source, "replicas") - count(source, "updatedReplicas")

    return old_pods(status) < old_pods(before) or any(
        count(status, field) > count(before, field)
        for field in ("updatedReplicas", "readyReplicas", "availableReplicas")
    )


def deadline_left_s(deployment: Object) -> float | None:
    """Seconds until the rollout counts as stuck; None when no deadline is running."""
    deadline_s = deployment["spec"].get("progressDeadlineSeconds", 600)
    progressing = condition(deployment, "Progressing")
    if deadline_s is None or deadline_s == _NO_DEADLINE or progressing is None:
        return None
    if progressing.get("reason") in ("NewReplicaSetAvailable", "DeploymentPaused"):
        return None
    since = progressing.get("lastUpdateTime") or progressing.get("lastTransitionTime")
    return None if since is None else float(deadline_s) - age_s(since)


def _set(conditions: list[Object], type_: str, status: str, reason: str, message: str) -> None:
    """Set a condition in place; unlike most, a Deployment's carry `lastUpdateTime` as well.

    The time moves when the reason does, and with each step of a rollout.
    """
    wanted = {"type": type_, "status": status, "reason": reason, "message": message}
    for entry in conditions:
        if entry.get("type") != type_:
            continue
        same = all(entry.get(field) == value for field, value in wanted.items())
        if same and reason != "ReplicaSetUpdated":
            return
        if entry.get("status") != status:
            entry["lastTransitionTime"] = now()
        entry.update(wanted, lastUpdateTime=now())
        return
    moment = now()
    conditions.append({**wanted, "lastUpdateTime": moment, "lastTransitionTime": moment})
