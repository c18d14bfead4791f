"""What clusters survive, and what `down` leaves: nothing."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pilotfish.cluster.processes import process
from pilotfish.network.naming import host_link
from support.application import ALL_IN_ONE_LABELS, API_LABELS, NAME
from support.shell import Shell, eventually

OTHER = f"{NAME}-second"


def processes(shell: Shell, name: str = NAME) -> dict[str, int]:
    """Process name → pid, 0 where it is down."""
    found = json.loads(shell.pilotfish("status", "--name", name, "-o", "json"))[0]["processes"]
    return {one["name"]: one["pid"] for one in found}


def containers(shell: Shell) -> dict[str, str]:
    """Pod → the ids of its containers."""
    return {
        pod["metadata"]["name"]: ",".join(
            one.get("containerID", "") for one in pod["status"]["containerStatuses"]
        )
        for pod in shell.pods(ALL_IN_ONE_LABELS)
    }


def traces(name: str, pids: Iterable[int]) -> list[str]:
    """Everything on this machine that carries a cluster's name, and which of `pids` run."""
    found = [str(path) for path in Path("/run/netns").glob(f"pf-{name}-*")]
    found += [line for line in Path("/proc/self/mounts").read_text().splitlines() if name in line]
    found += [str(path) for path in Path("/sys/class/net").glob(host_link(name))]
    for folder in ("/run/pilotfish", "/var/lib/pilotfish"):
        found += [str(path) for path in Path(folder).glob(f"{name}*")]
    # Zombies are init's to collect, in its own time.
    running = (process(pid) for pid in pids)
    found += [f"process {one.pid}" for one in running if one and one.alive()]
    return found


def test_up_on_a_running_cluster_says_so(shell: Shell) -> None:
    before = processes(shell)
    assert "runs already" in shell.pilotfish("up", "--name", NAME)
    assert processes(shell) == before


@pytest.mark.parametrize("victim", ["control-plane", "node-1"])
def test_a_killed_process_comes_back_and_the_pods_never_notice(
    application: Shell, victim: str
) -> None:
    before, running = processes(application), containers(application)
    os.kill(before[victim], signal.SIGKILL)
    eventually(
        lambda: processes(application)[victim] not in (0, before[victim]), f"{victim} runs again"
    )
    eventually(
        lambda: application.run("kubectl", "get", "--raw", "/readyz").returncode == 0, "an API"
    )
    eventually(lambda: application.kubectl("get", "nodes").count(" Ready ") == 2, "two Ready nodes")
    assert containers(application) == running
    url = f"http://{application.cluster_ip('go-demo-2')}:28017/"
    assert "database" in application.curl(url)


def test_up_mends_a_cluster_whose_supervisor_was_killed(application: Shell) -> None:
    before, running = processes(application), containers(application)
    os.kill(before["supervisor"], signal.SIGKILL)
    os.kill(before["node-2"], signal.SIGKILL)
    said = application.pilotfish("up", "--name", NAME)
    assert "Was dead: supervisor, node-2" in said
    after = processes(application)
    assert after["control-plane"] == before["control-plane"]
    assert 0 not in after.values()
    eventually(lambda: application.kubectl("get", "nodes").count(" Ready ") == 2, "two Ready nodes")
    assert containers(application) == running
    application.wait_ready(API_LABELS, 3)


@pytest.fixture
def other(shell: Shell, tmp_path: Path) -> Any:
    """A second cluster beside the first."""
    made = Shell(tmp_path / "kubeconfig")
    made.pilotfish("up", "--name", OTHER)
    yield made
    made.run(sys.executable, "-m", "pilotfish", "down", "--name", OTHER)


def test_a_second_cluster_stands_beside_the_first_and_goes_without_a_trace(
    other: Shell, shell: Shell
) -> None:
    assert other.kubectl("get", "nodes").count(" Ready ") == 1
    ranges = [
        json.loads(shell.pilotfish("status", "--name", name, "-o", "json"))[0]
        for name in (NAME, OTHER)
    ]
    for kind in ("nodeRange", "podRange", "serviceRange"):
        assert ranges[0][kind] != ranges[1][kind]
    pids = processes(other, OTHER).values()
    said = other.pilotfish("down", "--name", OTHER)
    assert "is gone" in said
    assert traces(OTHER, pids) == []
    assert f"pilotfish-{OTHER}" not in other.run("kubectl", "config", "get-contexts").stdout
    assert shell.kubectl("get", "nodes").count(" Ready ") == 2


def test_down_leaves_nothing_after_everything_was_killed(other: Shell) -> None:
    other.kubectl("create", "deployment", "web", "--image=host", "--", "sleep", "600")
    [pod] = other.wait_ready("app=web", 1)
    [container] = pod["status"]["containerStatuses"]
    container_id = container["containerID"].rpartition("/")[2]
    groups = Path("/sys/fs/cgroup")
    assert list(groups.rglob(container_id))
    pids = processes(other, OTHER).values()
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    other.pilotfish("down", "--name", OTHER)
    assert traces(OTHER, pids) == []
    assert list(groups.rglob(container_id)) == []


def test_a_clusters_folder_may_be_a_mount_of_its_own(shell: Shell, tmp_path: Path) -> None:
    folder = Path("/var/lib/pilotfish") / OTHER
    folder.mkdir()
    shell.run("mount", "-t", "tmpfs", "none", str(folder))
    made = Shell(tmp_path / "kubeconfig")
    try:
        made.pilotfish("up", "--name", OTHER)
        assert "control-plane runs" in (folder / "logs/supervisor.log").read_text()
        said = made.pilotfish("down", "--name", OTHER)
        assert f"Emptied {folder}" in said
        assert list(folder.iterdir()) == []
    finally:
        shell.run("umount", str(folder))
        folder.rmdir()


def test_down_finds_a_running_cluster_whose_files_are_all_gone(other: Shell) -> None:
    other.kubectl("create", "deployment", "web", "--image=host", "--", "sleep", "600")
    [pod] = other.wait_ready("app=web", 1)
    container_id = pod["status"]["containerStatuses"][0]["containerID"].rpartition("/")[2]
    pids = processes(other, OTHER).values()
    for folder in (f"/run/pilotfish/{OTHER}", f"/var/lib/pilotfish/{OTHER}"):
        shutil.rmtree(folder, ignore_errors=True)  # Mounts of the Pod stay.
    [ruin] = json.loads(other.pilotfish("status", "--name", OTHER, "-o", "json"))
    assert not ruin["running"]
    assert any("(supervisor)" in part for part in ruin["remains"])
    refused = other.run(sys.executable, "-m", "pilotfish", "up", "--name", OTHER)
    assert refused.returncode == 1
    assert f"pilotfish down --name {OTHER}" in refused.stderr
    other.pilotfish("down", "--name", OTHER)
    assert traces(OTHER, pids) == []
    assert list(Path("/sys/fs/cgroup").rglob(container_id)) == []


def test_down_never_ends_a_stranger_that_a_damaged_pid_file_names(other: Shell) -> None:
    stranger = subprocess.Popen(["sleep", "600"])
    try:
        found = process(stranger.pid)
        assert found is not None
        for name in ("supervisor", "node-1", "control-plane"):
            note = Path(f"/run/pilotfish/{OTHER}/pids/{name}")
            note.write_text(f"{found.pid} {found.start_ticks}\n")
        other.pilotfish("down", "--name", OTHER)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_what_a_killed_start_left_is_taken_up_again_or_removed(
    shell: Shell, tmp_path: Path
) -> None:
    """At whatever moment `up` is killed, with all that it started."""
    other = Shell(tmp_path / "kubeconfig")
    command = [sys.executable, "-m", "pilotfish", "up", "--name", OTHER]
    for milliseconds in (50, 150, 300, 450, 600, 750):
        start = subprocess.Popen(
            command, env=other.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(milliseconds / 1000)
        start.kill()
        start.wait()
        if milliseconds % 100:
            other.pilotfish("up", "--name", OTHER)
        other.pilotfish("down", "--name", OTHER)
        assert traces(OTHER, []) == []
    assert list(Path("/var/lib/pilotfish").glob(".supervisor-*")) == []
    assert shell.kubectl("get", "nodes").count(" Ready ") == 2


def test_clusters_that_start_at_the_same_time_take_ranges_of_their_own(shell: Shell) -> None:
    names = [f"{NAME}-{suffix}" for suffix in ("a", "b", "c")]
    try:
        with ThreadPoolExecutor(len(names)) as pool:
            list(pool.map(lambda name: shell.pilotfish("up", "--name", name), names))
        found = json.loads(shell.pilotfish("status", "-o", "json"))
        mine = [one for one in found if one["name"] in names]
        for key in ("server", "nodeRange", "podRange", "serviceRange"):
            assert len({one[key] for one in mine}) == len(names), key
    finally:
        for name in names:
            shell.pilotfish("down", "--name", name)


def test_options_that_a_running_cluster_cannot_take_are_refused(shell: Shell) -> None:
    for value, said in (("10.0.0.0/33", "not an IPv4 network"), ("10.9.0.0/16", "cannot be")):
        done = shell.run(
            sys.executable, "-m", "pilotfish", "up", "--name", NAME, "--pod-cidr", value
        )
        assert done.returncode == 1
        assert said in done.stderr


def test_down_of_what_is_not_there_says_so_and_is_done(shell: Shell) -> None:
    done = shell.run(sys.executable, "-m", "pilotfish", "down", "--name", "nobody")
    assert done.returncode == 0
    assert "There is no cluster 'nobody'" in done.stdout
    assert NAME in done.stdout
