"""A node process that is killed: Pods survive it, and what happened meanwhile is found out."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest

from pilotfish.node import cgroups, mounts
from pilotfish.node.teardown import remove_all
from pilotfish.objects.pods import is_ready
from support.lone_node import LoneNode, container, pod, state

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(os.geteuid() != 0, reason="containers need root"),
]

COUNT = ["sh", "-c", "trap 'exit 0' TERM; i=0; while :; do echo $i; i=$((i+1)); sleep 0.05; done"]


def records(node: LoneNode) -> list[dict[str, object]]:
    files = node.state.glob("nodes/*/pods/*/containers/*/*/record.json")
    return [json.loads(file.read_text()) for file in files]


async def test_a_container_outlives_the_kubelet_and_loses_no_output(node: LoneNode) -> None:
    node.create(pod("survivor", command=COUNT))
    before = await node.wait_for("survivor", is_ready)
    node.kill()
    await asyncio.sleep(0.5)
    await node.start()
    found = node.get("survivor")
    assert container(found)["containerID"] == container(before)["containerID"]
    assert container(found)["restartCount"] == 0
    assert is_ready(found)
    numbers = [int(line) for line in node.logs("survivor").splitlines()]
    assert len(numbers) > 10
    assert numbers == list(range(len(numbers)))
    node.delete("survivor")


async def test_a_container_that_died_meanwhile_is_restarted(node: LoneNode) -> None:
    node.create(pod("victim", command=COUNT))
    before = await node.wait_for("victim", is_ready)
    node.kill()
    (record,) = [one for one in records(node) if one["exit_code"] is None]
    os.kill(int(str(record["pid"])), signal.SIGKILL)
    await node.start()
    found = await node.wait_for(
        "victim", lambda found: container(found).get("restartCount") == 1 and is_ready(found)
    )
    last = container(found)["lastState"]["terminated"]
    assert last["exitCode"] == 137
    assert last["containerID"] == container(before)["containerID"]
    node.delete("victim")


async def test_the_exit_status_that_the_supervisor_noted_is_used(node: LoneNode) -> None:
    node.create(pod("noted", command=COUNT, spec={"restartPolicy": "Never"}))
    await node.wait_for("noted", is_ready)
    await node.until(lambda: bool(node.logs("noted")))  # the shell has set its trap
    node.kill()
    (record,) = [one for one in records(node) if one["exit_code"] is None]
    pid = int(str(record["pid"]))
    os.kill(pid, signal.SIGTERM)
    (node.run / "exits").mkdir(exist_ok=True)
    (node.run / "exits" / str(pid)).write_text(str(7 << 8))
    await node.start()
    found = await node.wait_for("noted", lambda found: "terminated" in state(found))
    assert state(found)["terminated"]["exitCode"] == 7
    node.delete("noted")


async def test_starts_that_were_cut_short_are_made_anew_and_do_not_count(node: LoneNode) -> None:
    names = [f"cut-{number}" for number in range(6)]
    node.create(*(pod(name, command=COUNT) for name in names))
    await node.until(lambda: any(one["pid"] == 0 for one in records(node)))
    node.kill()
    await node.start()
    for name in names:
        found = await node.wait_for(name, is_ready)
        assert container(found)["restartCount"] == 0
        assert "terminated" not in container(found)["lastState"]
    node.delete(*names)


async def test_a_pod_that_was_deleted_meanwhile_is_removed(node: LoneNode) -> None:
    node.create(pod("orphan", command=COUNT))
    found = await node.wait_for("orphan", is_ready)
    uid = found["metadata"]["uid"]
    node.kubectl("delete", "pod", "orphan", "--force", "--grace-period=0", "--wait=false")
    node.kill()
    await node.start()
    folder = node.state / "nodes/node-1/pods" / uid
    await node.until(lambda: not folder.exists())
    assert not [point for point in mounts.mount_points() if uid in point.path]


async def test_teardown_removes_everything_after_a_kill(node: LoneNode) -> None:
    node.create(pod("left", command=COUNT))
    await node.wait_for("left", is_ready)
    (record,) = [one for one in records(node) if one["exit_code"] is None]
    node.kill()
    remove_all(node.state, node.run)
    container_id = str(record["container_id"])
    assert not Path(f"/proc/{record['pid']}/root").exists()
    assert not cgroups.processes(container_id)
    assert not [point for point in mounts.mount_points() if point.path.startswith(str(node.folder))]
    assert not (node.state / "nodes").exists()
    await node.start()
