"""A Pod's status as the kubelet writes it: a pure function of the Pod and what its worker knows.

https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from datetime import UTC, datetime

from pilotfish.node.lifecycle import failed_init, initialized, restart_policy
from pilotfish.node.qos import qos_class
from pilotfish.node.record import (
    ContainerRecord,
    ContainerView,
    PodView,
    app_containers,
    ephemeral_containers,
    init_containers,
    is_sidecar,
)
from pilotfish.objects.conditions import set_condition
from pilotfish.objects.meta import Object
from pilotfish.objects.times import format_time

# The scheduler and the eviction API write it too.
_DISRUPTED = "DisruptionTarget"
_OWN_CONDITIONS = (
    "PodReadyToStartContainers",
    "Initialized",
    "Ready",
    "ContainersReady",
    "PodScheduled",
)


def time_text(seconds: float) -> str:
    return format_time(datetime.fromtimestamp(seconds, UTC))


def _terminated(record: ContainerRecord) -> Object:
    state: Object = {
        "exitCode": record.exit_code,
        "reason": record.reason or ("Completed" if record.exit_code == 0 else "Error"),
        "startedAt": time_text(record.started_s) if record.started_s else None,
        "finishedAt": time_text(record.finished_s),
        "containerID": f"runc://{record.container_id}",
    }
    if record.message:
        state["message"] = record.message
    return {"terminated": state}


def _state(view: ContainerView, default_reason: str) -> Object:
    record = view.current
    if record is not None and record.running:
        return {"running": {"startedAt": time_text(record.started_s)}}
    if view.waiting_reason:
        waiting = {"reason": view.waiting_reason}
        if view.waiting_message:
            waiting["message"] = view.waiting_message
        return {"waiting": waiting}
    if record is not None and record.exited:
        return _terminated(record)
    return {"waiting": {"reason": default_reason}}


def _last_state(view: ContainerView) -> Object:
    record = view.current
    if record is not None and record.exited and view.waiting_reason:
        return _terminated(record)
    if view.previous is not None and view.previous.exited:
        return _terminated(view.previous)
    return {}


def container_status(container: Object, view: ContainerView, default_reason: str) -> Object:
    record = view.current
    status: Object = {
        "name": container["name"],
        "state": _state(view, default_reason),
        "lastState": _last_state(view),
        "ready": view.ready,
        "restartCount": record.attempt if record else 0,
        "image": record.image if record else container.get("image", ""),
        "imageID": record.image_id if record else "",
        "started": view.started,
    }
    if record:
        status["containerID"] = f"runc://{record.container_id}"
        if record.user:
            status["user"] = record.user
    return status


def container_is_ready(container: Object, view: ContainerView, verdict: bool | None) -> bool:
    """`verdict` is the readiness probe's, None for a container without one."""
    if not view.started:
        return False
    if container.get("readinessProbe"):
        return bool(verdict)
    return True


def _phase(pod: Object, view: PodView) -> str:
    """The phase; a final one only when nothing of the Pod runs any more, sidecars included."""
    phase = _phase_by_containers(pod, view)
    running = any(state.running for state in view.containers.values())
    return "Running" if running and phase in ("Succeeded", "Failed") else phase


def _phase_by_containers(pod: Object, view: PodView) -> str:
    if view.failed_reason:
        return "Failed"
    if failed_init(pod, view):
        return "Failed"
    if not initialized(pod, view):
        return "Pending"
    states = [view.of(container) for container in app_containers(pod)]
    records = [state.current for state in states]
    if any(record is None or not (record.running or record.exited) for record in records):
        if any(record is not None and record.started_s for record in records):
            return "Running"
        return "Pending"
    if any(state.running for state in states):
        return "Running"
    policy = restart_policy(pod)
    succeeded = all(record is not None and record.exit_code == 0 for record in records)
    if view.terminating:
        return "Succeeded" if succeeded else "Failed"
    if policy == "Always":
        return "Running"
    if succeeded:
        return "Succeeded"
    return "Failed" if policy == "Never" else "Running"


def _ready_condition(pod: Object, view: PodView, phase: str) -> tuple[str, str, str]:
    """(status, reason, message) of ContainersReady."""
    if phase == "Succeeded":
        return "False", "PodCompleted", ""
    if phase == "Failed":
        return "False", "PodFailed", ""
    counted = app_containers(pod) + [one for one in init_containers(pod) if is_sidecar(one)]
    unready = [one["name"] for one in counted if not view.of(one).ready]
    if unready:
        names = " ".join(unready)
        return "False", "ContainersNotReady", f"containers with unready status: [{names}]"
    return "True", "", ""


def _initialized_condition(pod: Object, view: PodView, phase: str) -> tuple[str, str, str]:
    if initialized(pod, view):
        return "True", "PodCompleted" if phase == "Succeeded" else "", ""
    incomplete = [
        one["name"]
        for one in init_containers(pod)
        if not (
            view.of(one).started
            if is_sidecar(one)
            else (record := view.of(one).current) is not None and record.exit_code == 0
        )
    ]
    names = " ".join(incomplete)
    message = f"containers with incomplete status: [{names}]"
    return "False", "ContainersNotInitialized", message


def _gates(pod: Object, conditions: list[Object]) -> str:
    """The message about readiness gates that are not True, or ""."""
    status = {condition.get("type"): condition.get("status") for condition in conditions}
    for gate in pod.get("spec", {}).get("readinessGates") or []:
        wanted = gate["conditionType"]
        if wanted not in status:
            return f'corresponding condition of pod readiness gate "{wanted}" does not exist.'
        if status[wanted] != "True":
            return (
                f'the status of pod readiness gate "{wanted}" is not "True", '
                f"but {status[wanted] or 'Unknown'}"
            )
    return ""


def _conditions(pod: Object, view: PodView, phase: str, previous: list[Object]) -> list[Object]:
    conditions = copy.deepcopy(previous)
    sandbox = "True" if view.sandbox_ready else "False"
    set_condition(conditions, "PodReadyToStartContainers", sandbox)
    set_condition(conditions, "Initialized", *_initialized_condition(pod, view, phase))
    status, reason, message = _ready_condition(pod, view, phase)
    ready = (status, reason, message)
    if status == "True" and (missing := _gates(pod, conditions)):
        ready = ("False", "ReadinessGatesNotReady", missing)
    set_condition(conditions, "Ready", *ready)
    set_condition(conditions, "ContainersReady", status, reason, message)
    set_condition(conditions, "PodScheduled", "True")
    if view.evicted:
        reason, message = "TerminationByKubelet", view.failed_message
        set_condition(conditions, _DISRUPTED, "True", reason, message)
    generation = pod["metadata"].get("generation")
    if generation:
        for condition in conditions:
            own = condition.get("type") in _OWN_CONDITIONS
            if own or (view.evicted and condition.get("type") == _DISRUPTED):
                condition["observedGeneration"] = generation
    return conditions


def previous_conditions(pod: Object, written: Object | None) -> list[Object]:
    """The conditions to go on from: our own as last written, others' as the API has them."""
    stored = (pod.get("status") or {}).get("conditions") or []
    if written is None:
        return list(stored)
    own = [entry for entry in written["conditions"] if entry.get("type") in _OWN_CONDITIONS]
    return own + [entry for entry in stored if entry.get("type") not in _OWN_CONDITIONS]


def pod_status(
    pod: Object, view: PodView, host_ips: Sequence[str], previous_conditions: list[Object]
) -> Object:
    """The whole status.

    `host_ips`: the node's, one of each family. `previous_conditions`: as last written, with those
    of others.
    """
    phase = _phase(pod, view)
    status: Object = {
        "phase": phase,
        "conditions": _conditions(pod, view, phase, previous_conditions),
        "hostIP": host_ips[0],
        "hostIPs": [{"ip": ip} for ip in host_ips],
        "startTime": view.start_time,
        "qosClass": qos_class(pod),
    }
    if view.failed_reason:
        status["reason"] = view.failed_reason
        status["message"] = view.failed_message
    if view.pod_ips:
        status["podIP"] = view.pod_ips[0]
        status["podIPs"] = [{"ip": ip} for ip in view.pod_ips]
    if not view.rejected:
        status |= _container_statuses(pod, view)
    if pod["metadata"].get("generation"):
        status["observedGeneration"] = pod["metadata"]["generation"]
    return status


def _container_statuses(pod: Object, view: PodView) -> Object:
    """What became of the containers, of each kind."""
    in_creation = "PodInitializing" if init_containers(pod) else "ContainerCreating"
    status: Object = {
        "containerStatuses": [
            container_status(one, view.of(one), in_creation)
            for one in sorted(app_containers(pod), key=lambda container: container["name"])
        ]
    }
    if init_containers(pod):
        status["initContainerStatuses"] = [
            container_status(one, view.of(one), "PodInitializing") for one in init_containers(pod)
        ]
        for one, entry in zip(init_containers(pod), status["initContainerStatuses"], strict=True):
            record = view.of(one).current
            if not is_sidecar(one):
                entry["ready"] = record is not None and record.exit_code == 0
    if ephemeral_containers(pod):
        status["ephemeralContainerStatuses"] = [
            container_status(one, view.of(one), in_creation)
            for one in sorted(ephemeral_containers(pod), key=lambda container: container["name"])
        ]
    return status
