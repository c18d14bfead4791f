"""Why a Pod gets no connections, from its conditions and container states."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.dashboard.events import last_warnings
from pilotfish.dashboard.why import why_unready
from pilotfish.objects.meta import Object
from support.workloads import make_node, make_pod

NODES = {"node-1": make_node("node-1"), "node-2": make_node("node-2", ready="Unknown")}
PROBE = {"containers": [{"name": "c", "image": "host", "readinessProbe": {"httpGet": {}}}]}


def pod(state: Object | None = None, **more: Any) -> Object:
    """A Pod on node-1 with an address, whose container is in a state."""
    status = more.pop("container", {})
    made = make_pod("web", **{"node": "node-1", "ip": "10.244.0.9"} | more)
    if state is not None:
        made["status"]["containerStatuses"] = [
            {"name": "c", "image": "shop", "ready": False, "state": state, **status}
        ]
    return made


def what(pod: Object, warning: str = "") -> str:
    found = why_unready(pod, NODES, warning)
    assert found is not None
    return found.what


def test_a_ready_pod_has_no_reason() -> None:
    assert why_unready(pod(ready=True), NODES) is None


@pytest.mark.parametrize(
    ("state", "status", "said"),
    [
        (
            {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 20s"}},
            {"lastState": {"terminated": {"exitCode": 3}}},
            "container c ends again and again, last with exit code 3 (CrashLoopBackOff)",
        ),
        (
            {"waiting": {"reason": "ImagePullBackOff", "message": "…"}},
            {},
            "image 'shop' cannot be had (ImagePullBackOff)",
        ),
        (
            {"waiting": {"reason": "CreateContainerConfigError", "message": "no ConfigMap x"}},
            {},
            "container c: CreateContainerConfigError: no ConfigMap x",
        ),
        ({"waiting": {"reason": "ContainerCreating"}}, {}, "container c is being created"),
        ({"terminated": {"exitCode": 1}}, {}, "container c has ended with exit code 1"),
        (
            {"running": {}},
            {"started": False},
            "container c is starting: its startup probe has not succeeded",
        ),
        ({"running": {}}, {"started": True}, "container c is not ready"),
    ],
)
def test_a_container_that_is_not_ready_says_why(state: Object, status: Object, said: str) -> None:
    assert what(pod(state, container=status)) == said


def test_a_failing_probe_is_told_with_what_the_kubelet_heard() -> None:
    running = pod({"running": {}}, container={"started": True}, spec=PROBE)
    assert what(running) == "readiness probe of container c has not succeeded"
    warning = "Readiness probe failed: HTTP probe failed with statuscode: 503"
    assert what(running, warning).endswith("fails: HTTP probe failed with statuscode: 503")
    found = why_unready(running, NODES, warning)
    assert found is not None
    assert found.mend == "kubectl describe pod web -n default"


def test_long_texts_are_cut_and_lines_joined() -> None:
    running = pod({"running": {}}, spec=PROBE)
    said = what(running, "Readiness probe failed: a\nb " + "x" * 1000)
    assert len(said) == 300
    assert said.endswith("…")
    assert "a b x" in said


def test_where_a_pod_is_matters_before_what_it_does() -> None:
    unscheduled = pod(node="")
    unscheduled["status"]["conditions"].append(
        {"type": "PodScheduled", "status": "False", "message": "0/2 nodes are available"}
    )
    assert what(unscheduled) == "not scheduled: 0/2 nodes are available"
    assert what(pod(node="")) == "not scheduled: waits for a node"
    assert what(pod(node="node-2")) == "its node node-2 is not ready"
    assert what(pod(node="node-3")) == "its node node-3 is gone"
    assert what(pod(deletionTimestamp="2026-01-01T00:00:00Z")) == "terminating"
    assert what(pod(phase="Failed")) == "has ended (Failed)"
    assert what(pod(ip="")) == "has no address yet"


def test_readiness_gates_and_conditions_speak_last() -> None:
    gated = pod(spec={"readinessGates": [{"conditionType": "example.com/in"}]})
    assert what(gated) == "readiness gate example.com/in is not True"
    told = pod()
    told["status"]["conditions"][0]["message"] = "containers with unready status: [c]"
    assert what(told) == "containers with unready status: [c]"


def test_an_init_container_that_is_done_is_no_reason() -> None:
    waits = pod({"waiting": {"reason": "PodInitializing"}})
    waits["spec"]["initContainers"] = [{"name": "setup"}]
    done = {"name": "setup", "ready": False, "state": {"terminated": {"exitCode": 0}}}
    waits["status"]["initContainerStatuses"] = [done]
    assert what(waits) == "container c is being created"
    done["state"] = {"terminated": {"exitCode": 2}}
    assert what(waits) == "container setup has ended with exit code 2"


def test_the_last_warning_about_a_pod_counts() -> None:
    def event(uid: str, message: str, **when: Any) -> Object:
        return {"metadata": {}, "involvedObject": {"uid": uid}, "message": message, **when}

    warnings = last_warnings(
        [
            event("a", "second", lastTimestamp="2026-01-01T00:00:02Z"),
            event("a", "first", lastTimestamp="2026-01-01T00:00:01Z"),
            event("b", "series", series={"lastObservedTime": "2026-01-01T00:00:01.5Z"}),
            event("", "nobody's"),
        ]
    )
    assert warnings == {"a": "second", "b": "series"}
