"""The one word of STATUS, and what stands beside it."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.apiserver.tables import table
from pilotfish.objects.resources import resource

Object = dict[str, Any]


def row(obj: Object) -> dict[str, Any]:
    answer = table(resource("pods"), [obj])
    names = [column["name"] for column in answer["columnDefinitions"]]
    return dict(zip(names, answer["rows"][0]["cells"], strict=True))


def pod(*states: Object, init: tuple[Object, ...] = (), **status: Any) -> Object:
    """A Pod whose containers are in these states."""
    return {
        "metadata": {"name": "p", "creationTimestamp": "2020-01-01T00:00:00Z"},
        "spec": {
            "nodeName": "node-1",
            "containers": [{"name": f"c{index}"} for index, _ in enumerate(states)],
            "initContainers": [{"name": f"i{index}"} for index, _ in enumerate(init)],
        },
        "status": {
            "phase": "Running",
            "podIP": "10.244.0.5",
            "containerStatuses": [{"name": f"c{i}", **state} for i, state in enumerate(states)],
            "initContainerStatuses": [{"name": f"i{i}", **state} for i, state in enumerate(init)],
            **status,
        },
    }


RUNNING: Object = {"ready": True, "restartCount": 0, "state": {"running": {}}}
UNREADY: Object = {**RUNNING, "ready": False}
PULLING: Object = {"restartCount": 0, "state": {"waiting": {"reason": "ContainerCreating"}}}
INITIALIZING: Object = {"restartCount": 0, "state": {"waiting": {"reason": "PodInitializing"}}}
LOOPING: Object = {
    "restartCount": 3,
    "state": {"waiting": {"reason": "CrashLoopBackOff"}},
    "lastState": {"terminated": {"exitCode": 1, "finishedAt": "2020-01-01T00:00:00Z"}},
}


def ended(code: int = 0, reason: str = "", **more: Any) -> Object:
    return {
        "restartCount": 0,
        "state": {"terminated": {"exitCode": code, "reason": reason, **more}},
    }


@pytest.mark.parametrize(
    ("obj", "ready", "status"),
    [
        (pod(RUNNING, RUNNING), "2/2", "Running"),
        (pod(RUNNING, UNREADY), "1/2", "Running"),
        (pod(PULLING, phase="Pending"), "0/1", "ContainerCreating"),
        (pod(LOOPING), "0/1", "CrashLoopBackOff"),
        (pod(ended(0, "Completed"), phase="Succeeded"), "0/1", "Completed"),
        (pod(ended(2, "Error"), phase="Failed"), "0/1", "Error"),
        (pod(ended(137)), "0/1", "ExitCode:137"),
        (pod(ended(0, "", signal=9)), "0/1", "Signal:9"),
        (pod(ended(0, "Completed"), RUNNING), "1/2", "NotReady"),
        (pod(phase="Pending"), "0/0", "Pending"),
        (pod(phase="Failed", reason="Evicted"), "0/0", "Evicted"),
        (pod(INITIALIZING, init=(RUNNING,), phase="Pending"), "0/1", "Init:0/1"),
        (pod(INITIALIZING, init=(ended(), RUNNING), phase="Pending"), "0/1", "Init:1/2"),
        (pod(INITIALIZING, init=(ended(1, "Error"),), phase="Pending"), "0/1", "Init:Error"),
        (pod(INITIALIZING, init=(LOOPING,), phase="Pending"), "0/1", "Init:CrashLoopBackOff"),
    ],
)
def test_ready_and_status(obj: Object, ready: str, status: str) -> None:
    cells = row(obj)
    assert (cells["Ready"], cells["Status"]) == (ready, status)


def test_a_pod_that_is_being_deleted_is_terminating() -> None:
    obj = pod(RUNNING)
    obj["metadata"]["deletionTimestamp"] = "2020-01-01T00:00:00Z"
    assert row(obj)["Status"] == "Terminating"
    obj["status"]["reason"] = "NodeLost"
    assert row(obj)["Status"] == "Unknown"


def test_a_finished_container_beside_ready_ones_is_no_news() -> None:
    ready = [{"type": "Ready", "status": "True"}]
    assert row(pod(ended(0, "Completed"), RUNNING, conditions=ready))["Status"] == "Running"


def test_sidecars_count_as_containers() -> None:
    obj = pod(RUNNING, init=({**RUNNING, "started": True},))
    obj["spec"]["initContainers"][0]["restartPolicy"] = "Always"
    assert row(obj)["Ready"] == "2/2"


def test_restarts_tell_when_the_last_was() -> None:
    assert row(pod(RUNNING))["Restarts"] == "0"
    restarts = row(pod(LOOPING))["Restarts"]
    assert restarts.startswith("3 (")
    assert restarts.endswith(" ago)")


def test_wide_columns() -> None:
    cells = row(pod(RUNNING))
    assert cells["IP"] == "10.244.0.5"
    assert cells["Node"] == "node-1"
    assert cells["Nominated Node"] == cells["Readiness Gates"] == "<none>"


def test_readiness_gates_are_counted() -> None:
    obj = pod(RUNNING, conditions=[{"type": "example.com/lb", "status": "True"}])
    obj["spec"]["readinessGates"] = [
        {"conditionType": "example.com/lb"},
        {"conditionType": "example.com/other"},
    ]
    assert row(obj)["Readiness Gates"] == "1/2"
