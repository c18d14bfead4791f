"""The Pod status that the kubelet writes."""

from __future__ import annotations

from typing import Any

from pilotfish.node.record import ContainerRecord, PodView, new_view
from pilotfish.node.status import container_is_ready, pod_status, previous_conditions


def pod(policy: str = "Always", init: bool = False, **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "p", "namespace": "ns", "uid": "u"},
        "spec": {
            "restartPolicy": policy,
            "containers": [{"name": "app", "image": "host"}],
            "initContainers": [{"name": "init", "image": "host"}] if init else [],
            **spec,
        },
    }


def record(code: int | None = None, attempt: int = 0) -> ContainerRecord:
    one = ContainerRecord("abc", "app", attempt, "host", "sha256:1", startup_passed=True)
    one.started_s = 1_767_225_600.0  # 2026-01-01T00:00:00Z
    if code is not None:
        one.exit_code, one.finished_s = code, one.started_s + 5
    return one


def status_of(one: dict[str, Any], view: PodView) -> dict[str, Any]:
    for container in one["spec"]["containers"]:
        view.of(container).ready = container_is_ready(container, view.of(container), None)
    return pod_status(one, view, ["192.168.64.2"], [])


def condition(status: dict[str, Any], type_: str) -> dict[str, Any]:
    (found,) = [entry for entry in status["conditions"] if entry["type"] == type_]
    return found


def test_before_anything_runs_the_container_is_being_created() -> None:
    status = status_of(pod(), new_view(pod()))
    assert status["phase"] == "Pending"
    (entry,) = status["containerStatuses"]
    assert entry["state"] == {"waiting": {"reason": "ContainerCreating"}}
    assert condition(status, "PodReadyToStartContainers")["status"] == "False"
    ready = condition(status, "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "ContainersNotReady")
    assert ready["message"] == "containers with unready status: [app]"


def test_a_running_pod_is_ready_and_has_its_addresses() -> None:
    view = new_view(pod())
    view.sandbox_ready, view.pod_ips = True, ("10.244.0.5",)
    view.containers["app"].current = record()
    status = status_of(pod(), view)
    assert status["phase"] == "Running"
    assert (status["podIP"], status["podIPs"]) == ("10.244.0.5", [{"ip": "10.244.0.5"}])
    assert (status["hostIP"], status["qosClass"]) == ("192.168.64.2", "BestEffort")
    assert condition(status, "Ready")["status"] == "True"
    (entry,) = status["containerStatuses"]
    assert entry["state"] == {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
    assert entry["containerID"] == "runc://abc"
    assert entry["started"] and entry["ready"]


def test_a_container_in_back_off_shows_how_its_last_run_ended() -> None:
    view = new_view(pod())
    app = view.containers["app"]
    app.current = record(code=1, attempt=2)
    app.waiting_reason, app.waiting_message = "CrashLoopBackOff", "back-off 20s"
    status = status_of(pod(), view)
    assert status["phase"] == "Running"
    (entry,) = status["containerStatuses"]
    assert entry["state"] == {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 20s"}}
    assert entry["lastState"]["terminated"]["exitCode"] == 1
    assert entry["lastState"]["terminated"]["reason"] == "Error"
    assert entry["restartCount"] == 2


def test_phases_of_pods_that_have_ended() -> None:
    for policy, code, phase in [
        ("Never", 0, "Succeeded"),
        ("Never", 1, "Failed"),
        ("OnFailure", 0, "Succeeded"),
        ("OnFailure", 1, "Running"),
        ("Always", 0, "Running"),
    ]:
        view = new_view(pod())
        view.containers["app"].current = record(code)
        assert status_of(pod(policy), view)["phase"] == phase, (policy, code)


def test_a_pod_has_not_ended_while_a_sidecar_runs() -> None:
    one = pod("Never", init=True)
    one["spec"]["initContainers"][0]["restartPolicy"] = "Always"
    view = new_view(one)
    view.containers["app"].current = record(0)
    view.containers["init"].current = record()
    assert status_of(one, view)["phase"] == "Running"
    view.containers["init"].current = record(0)
    assert status_of(one, view)["phase"] == "Succeeded"


def test_a_completed_pod_says_so_in_its_ready_condition() -> None:
    view = new_view(pod())
    view.containers["app"].current = record(0)
    assert condition(status_of(pod("Never"), view), "Ready")["reason"] == "PodCompleted"


def test_a_pod_waits_for_its_init_containers() -> None:
    one = pod(init=True)
    view = new_view(one)
    view.containers["init"].current = record()
    status = status_of(one, view)
    assert status["phase"] == "Pending"
    assert status["containerStatuses"][0]["state"]["waiting"]["reason"] == "PodInitializing"
    initialized = condition(status, "Initialized")
    assert initialized["reason"] == "ContainersNotInitialized"
    assert initialized["message"] == "containers with incomplete status: [init]"


def test_readiness_gates_hold_back_ready_but_not_containers_ready() -> None:
    one = pod(readinessGates=[{"conditionType": "example.com/gate"}])
    view = new_view(one)
    view.containers["app"].current = record()
    status = status_of(one, view)
    assert condition(status, "ContainersReady")["status"] == "True"
    assert condition(status, "Ready")["reason"] == "ReadinessGatesNotReady"


def test_conditions_of_others_are_kept() -> None:
    theirs = {"type": "example.com/gate", "status": "True"}
    one = pod() | {"status": {"conditions": [theirs, {"type": "Ready", "status": "False"}]}}
    written = {"conditions": [{"type": "Ready", "status": "True"}]}
    assert previous_conditions(one, written) == [{"type": "Ready", "status": "True"}, theirs]


def test_a_container_with_a_readiness_probe_is_ready_by_its_verdict_only() -> None:
    view = new_view(pod()).containers["app"]
    view.current = record()
    probed = {"name": "app", "readinessProbe": {"tcpSocket": {"port": 1}}}
    assert not container_is_ready(probed, view, None)
    assert container_is_ready(probed, view, True)
    view.current.startup_passed = False
    assert not container_is_ready(probed, view, True)


def test_an_ephemeral_container_has_a_status_and_does_not_count() -> None:
    one = pod("Never", ephemeralContainers=[{"name": "debugger", "image": "host"}])
    view = new_view(one)
    view.containers["app"].current = record()
    for code in (None, 1):
        view.containers["debugger"].current = record(code)
        status = status_of(one, view)
        assert (status["phase"], condition(status, "Ready")["status"]) == ("Running", "True")
        assert [entry["name"] for entry in status["containerStatuses"]] == ["app"]
        (entry,) = status["ephemeralContainerStatuses"]
        assert (entry["name"], entry["ready"]) == ("debugger", False)
        assert ("running" if code is None else "terminated") in entry["state"]
    view.containers["app"].current = record(0)
    assert status_of(one, view)["phase"] == "Succeeded"
