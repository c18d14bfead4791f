"""Ephemeral containers: what `kubectl debug` adds to a Pod that runs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pilotfish.node import cgroups
from pilotfish.objects.pods import is_ready
from support.lone_node import LoneNode, container, pod, state

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(os.geteuid() != 0, reason="containers need root"),
]

FOREVER = ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done"]


def debug(node: LoneNode, name: str, script: str, **more: Any) -> None:
    """Add a container `debugger`, in the words of `kubectl debug`."""
    added = {"name": "debugger", "image": "host", "command": ["sh", "-c", script], **more}
    change = json.dumps({"spec": {"ephemeralContainers": [added]}})
    node.kubectl("patch", "pod", name, "--subresource=ephemeralcontainers", "-p", change)


def debugger(found: dict[str, Any]) -> dict[str, Any]:
    statuses: list[dict[str, Any]] = found["status"].get("ephemeralContainerStatuses") or [{}]
    return statuses[0]


def debugger_state(found: dict[str, Any]) -> dict[str, Any]:
    state: dict[str, Any] = debugger(found).get("state") or {}
    return state


def debugger_log(node: LoneNode, uid: str) -> str:
    file: Path = node.state / "nodes/node-1/pods" / uid / "debugger/0.log"
    return file.read_text()


async def test_it_shares_network_and_target_s_processes_ends_once_and_does_not_count(
    node: LoneNode,
) -> None:
    node.create(pod("watched", command=FOREVER))
    found = await node.wait_for("watched", is_ready)
    script = "tr '\\0' ' ' < /proc/1/cmdline; ip -o -4 address show eth0; exit 3"
    debug(node, "watched", script, targetContainerName="app")
    found = await node.wait_for("watched", lambda one: "terminated" in debugger_state(one))
    assert debugger_state(found)["terminated"]["exitCode"] == 3
    log = debugger_log(node, found["metadata"]["uid"])
    assert "trap 'exit 0' TERM" in log
    assert found["status"]["podIP"] in log
    assert is_ready(found)
    assert found["status"]["phase"] == "Running"
    assert container(found)["restartCount"] == 0
    node.kubectl("annotate", "pod", "watched", "another=look")
    assert debugger(node.get("watched"))["restartCount"] == 0
    node.delete("watched")


async def test_a_target_that_does_not_run_is_named(node: LoneNode) -> None:
    first = {"name": "first", "image": "host", "command": ["true"]}
    node.create(pod("aimless", command=FOREVER, spec={"initContainers": [first]}))
    await node.wait_for("aimless", is_ready)
    debug(node, "aimless", "true", targetContainerName="first")
    found = await node.wait_for(
        "aimless", lambda one: "message" in debugger_state(one).get("waiting", {})
    )
    assert debugger_state(found)["waiting"] == {
        "reason": "CreateContainerConfigError",
        "message": 'unable to find target container "first"',
    }
    assert is_ready(found)
    node.delete("aimless")


async def test_it_ends_when_its_pod_has_done_its_work(node: LoneNode) -> None:
    script = "until [ -e /dev/shm/done ]; do sleep 0.05; done"
    node.create(pod("working", command=["sh", "-c", script], spec={"restartPolicy": "Never"}))
    await node.wait_for("working", is_ready)
    debug(node, "working", "touch /dev/shm/done; exec sleep 1000")
    found = await node.wait_for("working", lambda one: one["status"]["phase"] == "Succeeded")
    assert "terminated" in state(found)
    assert "terminated" in debugger_state(found)
    node.delete("working")


async def test_it_outlives_the_kubelet_and_ends_with_its_pod(node: LoneNode) -> None:
    node.create(pod("survivor", command=FOREVER))
    await node.wait_for("survivor", is_ready)
    debug(node, "survivor", "while :; do sleep 0.1; done", targetContainerName="app")
    before = await node.wait_for("survivor", lambda one: "running" in debugger_state(one))
    node.kill()
    await node.start()
    found = await node.wait_for("survivor", is_ready)
    assert debugger(found) == debugger(before)
    manifest = node.state / "nodes/node-1/pods" / found["metadata"]["uid"] / "pod.json"
    kept = json.loads(manifest.read_text())["spec"]["ephemeralContainers"]
    assert [one["name"] for one in kept] == ["debugger"]
    node.delete("survivor")
    container_id = debugger(before)["containerID"].removeprefix("runc://")
    assert not cgroups.processes(container_id)
    await node.until(lambda: not manifest.exists())
