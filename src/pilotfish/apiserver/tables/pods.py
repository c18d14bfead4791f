"""The table of Pods: above all the one word of STATUS, which sums up phase and containers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pilotfish.apiserver.tables.durations import age, since
from pilotfish.apiserver.tables.printer import NONE, Cells, KindTable, columns
from pilotfish.objects.conditions import condition

_NODE_LOST = "NodeLost"


def _cells(pod: Mapping[str, Any]) -> Cells:
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    summary = _summarize(pod, spec, status)
    gates = spec.get("readinessGates") or ()
    ready_gates = sum(
        (condition(pod, gate.get("conditionType", "")) or {}).get("status") == "True"
        for gate in gates
    )
    return [
        pod["metadata"]["name"],
        f"{summary.ready}/{summary.total}",
        summary.reason,
        summary.restarts_text(),
        age(pod),
        status.get("podIP") or NONE,
        spec.get("nodeName") or NONE,
        status.get("nominatedNodeName") or NONE,
        f"{ready_gates}/{len(gates)}" if gates else NONE,
    ]


class _Summary:
    def __init__(self, reason: str, total: int) -> None:
        self.reason = reason
        self.total = total
        self.ready = 0
        self.restarts = 0
        self.last_restart = ""

    def count_restarts(self, container: Mapping[str, Any]) -> None:
        self.restarts += container.get("restartCount", 0)
        ended = (container.get("lastState") or {}).get("terminated") or {}
        # RFC 3339 in UTC sorts as text.
        self.last_restart = max(self.last_restart, ended.get("finishedAt") or "")

    def restarts_text(self) -> str:
        if self.restarts and self.last_restart:
            return f"{self.restarts} ({since(self.last_restart)} ago)"
        return str(self.restarts)


def _summarize(
    pod: Mapping[str, Any], spec: Mapping[str, Any], status: Mapping[str, Any]
) -> _Summary:
    sidecars = {
        container.get("name")
        for container in spec.get("initContainers") or ()
        if container.get("restartPolicy") == "Always"
    }
    phase = status.get("phase", "")
    reason = status.get("reason") or phase
    scheduled = condition(pod, "PodScheduled")
    if scheduled and scheduled.get("reason") == "SchedulingGated":
        reason = "SchedulingGated"
    summary = _Summary(reason, len(spec.get("containers") or ()) + len(sidecars))
    initializing = _add_init_containers(summary, spec, status, sidecars)
    if not initializing or _is_true(pod, "Initialized"):
        summary.restarts, summary.last_restart = 0, ""
        for container in status.get("initContainerStatuses") or ():
            if container.get("name") in sidecars:
                summary.count_restarts(container)
        _add_containers(summary, status.get("containerStatuses") or (), _is_true(pod, "Ready"))
    if "deletionTimestamp" in pod["metadata"]:
        if status.get("reason") == _NODE_LOST:
            summary.reason = "Unknown"
        elif phase not in ("Succeeded", "Failed"):
            summary.reason = "Terminating"
    return summary


def _add_init_containers(
    summary: _Summary, spec: Mapping[str, Any], status: Mapping[str, Any], sidecars: set[str | None]
) -> bool:
    """Whether the Pod is still held up by an init container; then the reason names it."""
    for index, container in enumerate(status.get("initContainerStatuses") or ()):
        summary.count_restarts(container)
        state = container.get("state") or {}
        terminated, waiting = state.get("terminated"), state.get("waiting") or {}
        if terminated and terminated.get("exitCode", 0) == 0:
            continue
        if container.get("name") in sidecars and container.get("started"):
            summary.ready += bool(container.get("ready"))
            continue
        if terminated:
            summary.reason = f"Init:{_why_terminated(terminated)}"
        elif waiting.get("reason") and waiting["reason"] != "PodInitializing":
            summary.reason = f"Init:{waiting['reason']}"
        else:
            summary.reason = f"Init:{index}/{len(spec.get('initContainers') or ())}"
        return True
    return False


def _add_containers(
    summary: _Summary, statuses: Iterable[Mapping[str, Any]], pod_is_ready: bool
) -> None:
    has_running = False
    for container in reversed(list(statuses)):
        summary.count_restarts(container)
        state = container.get("state") or {}
        waiting, terminated = state.get("waiting") or {}, state.get("terminated")
        if waiting.get("reason"):
            summary.reason = waiting["reason"]
        elif terminated is not None:
            summary.reason = _why_terminated(terminated)
        elif container.get("ready") and state.get("running") is not None:
            has_running = True
            summary.ready += 1
    if summary.reason == "Completed" and has_running:
        summary.reason = "Running" if pod_is_ready else "NotReady"


def _why_terminated(terminated: Mapping[str, Any]) -> str:
    if terminated.get("reason"):
        return str(terminated["reason"])
    if terminated.get("signal"):
        return f"Signal:{terminated['signal']}"
    return f"ExitCode:{terminated.get('exitCode', 0)}"


def _is_true(pod: Mapping[str, Any], kind: str) -> bool:
    return (condition(pod, kind) or {}).get("status") == "True"


PODS = KindTable(
    columns(
        "Name | Ready | Status | Restarts | Age | IP+ | Node+ | Nominated Node+ | Readiness Gates+"
    ),
    _cells,
)
