"""The supervisor with components that only sleep: what it starts, finds again and reaps."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pilotfish.cluster import control, paths, processes, state
from pilotfish.cluster.plan import WantedRanges, plan_cluster
from pilotfish.cluster.state import ClusterState

SUPERVISOR = """
import sys
from pathlib import Path
from pilotfish.client import liveness, log_lines
from pilotfish.cluster import paths, supervisor, supervisor_process
paths.STATE_ROOT, paths.RUN_ROOT = Path(sys.argv[1], "lib"), Path(sys.argv[1], "run")
log_lines.configure()
supervisor_process.become_subreaper()
launcher = [sys.executable, "-c", sys.argv[2], sys.argv[1]]
watch = lambda: liveness.Watch(most_cpu_s=0.2, most_looks_asleep=2)
supervisor.LOOK_PERIOD_S = 0.05
supervisor.Supervisor(paths.Folders("t"), None, launcher, watch).run()
"""

# Like the real launcher, but what it forks sleeps, or ends at once if a file says so.
LAUNCHER = """
import os, sys, time
from pathlib import Path
from pilotfish.cluster import marks, processes
root = Path(sys.argv[1])
def hang(root, way):
    # An event loop that begins to turn, and then does not.
    import asyncio, threading
    from pilotfish.client import heartbeat
    (root / way).unlink()
    os.dup2(os.open(root / "log", os.O_WRONLY | os.O_CREAT, 0o600), 2)
    heartbeat.stacks_on_signal()
    async def work():
        beating = asyncio.create_task(
            heartbeat.beat(root / "run" / "t" / "beats" / "node-1", period_s=0.01))
        await asyncio.sleep(0.3)
        compute_for_ever() if way == "compute" else wait_for_ever()
    def compute_for_ever():
        while True:
            pass
    def wait_for_ever():
        lock = threading.Lock()
        lock.acquire()
        lock.acquire()
    asyncio.run(work())
assert sys.stdin.readline() == "t\\n"
for line in sys.stdin:
    if os.fork() == 0:
        marks.set_own("t", line.strip())
        processes.write_pid_file(root / "run" / "t" / "pids" / line.strip())
        if (root / "broken").exists():
            os._exit(7)
        if (root / "orphan").exists() and line.strip() == "node-1":
            (root / "orphan").unlink()
            if os.fork() == 0:  # the container
                time.sleep(0.2)
                os._exit(3)
            os._exit(0)
        for way in ("compute", "lock"):
            if (root / way).exists() and line.strip() == "node-1":
                hang(root, way)
        time.sleep(600)
"""


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ClusterState:
    monkeypatch.setattr(paths, "STATE_ROOT", tmp_path / "lib")
    monkeypatch.setattr(paths, "RUN_ROOT", tmp_path / "run")
    made = plan_cluster("t", 1, [], WantedRanges(), 6443, "2026-01-01T00:00:00Z")
    made.folders.create()
    state.save(made)
    return made


@pytest.fixture
def start(cluster: ClusterState, tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    started = []

    def begin() -> subprocess.Popen[bytes]:
        child = subprocess.Popen([sys.executable, "-c", SUPERVISOR, str(tmp_path), LAUNCHER])
        started.append(child)
        eventually(lambda: control.status(cluster.folders.control_socket) is not None)
        return child

    yield begin
    control.stop(cluster.folders.control_socket)
    for child in started:
        child.kill()
        child.wait()
    for name in cluster.components:
        left = processes.read_pid_file(cluster.folders.pids / name)
        if left:
            left.kill(signal.SIGKILL)


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, "did not come true"
        time.sleep(0.01)


def component(cluster: ClusterState, name: str) -> control.ComponentStatus:
    status = control.status(cluster.folders.control_socket)
    assert status is not None
    return next(one for one in status["components"] if one["name"] == name)


def all_run(cluster: ClusterState) -> bool:
    return all(component(cluster, name)["pid"] for name in cluster.components)


def test_it_starts_every_component_and_starts_again_what_is_killed(
    cluster: ClusterState, start: Callable[[], subprocess.Popen[bytes]]
) -> None:
    start()
    eventually(lambda: all_run(cluster))
    other = component(cluster, "control-plane")["pid"]
    killed = component(cluster, "node-1")["pid"]
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: component(cluster, "node-1")["pid"] not in (0, killed))
    assert component(cluster, "node-1")["restarts"] == 1
    assert component(cluster, "node-1")["last_exit"] == "was killed by SIGKILL"
    assert component(cluster, "control-plane")["pid"] == other


def test_components_outlive_it_and_the_next_one_takes_them_over(
    cluster: ClusterState, start: Callable[[], subprocess.Popen[bytes]]
) -> None:
    first = start()
    eventually(lambda: all_run(cluster))
    before = {name: component(cluster, name)["pid"] for name in cluster.components}
    first.kill()
    first.wait()
    assert control.status(cluster.folders.control_socket) is None
    start()
    assert {name: component(cluster, name)["pid"] for name in cluster.components} == before
    os.kill(before["node-1"], signal.SIGKILL)
    eventually(lambda: component(cluster, "node-1")["pid"] not in (0, before["node-1"]))


def test_a_component_that_does_not_stay_up_is_tried_ever_more_seldom(
    cluster: ClusterState, start: Callable[[], subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    (tmp_path / "broken").touch()
    start()
    eventually(lambda: component(cluster, "node-1")["restarts"] >= 3)
    assert component(cluster, "node-1")["last_exit"] == "ended with exit code 7"
    (tmp_path / "broken").unlink()
    eventually(lambda: all_run(cluster))


def test_the_end_of_an_orphan_is_written_down(
    cluster: ClusterState, start: Callable[[], subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    """A container whose node process was killed ends under the supervisor."""
    (tmp_path / "orphan").touch()
    start()
    exits = cluster.folders.exits
    eventually(lambda: any(not note.name.startswith(".") for note in exits.iterdir()))
    [note] = [note for note in exits.iterdir() if not note.name.startswith(".")]
    assert os.waitstatus_to_exitcode(int(note.read_text())) == 3


def test_a_stop_ends_everything_and_says_what(
    cluster: ClusterState, start: Callable[[], subprocess.Popen[bytes]]
) -> None:
    supervisor = start()
    eventually(lambda: all_run(cluster))
    stopped = control.stop(cluster.folders.control_socket)
    assert stopped is not None
    assert sorted(stopped) == ["control-plane", "node-1"]
    assert supervisor.wait(10) == 0
    assert not cluster.folders.control_socket.exists()
    for name in cluster.components:
        assert processes.read_pid_file(cluster.folders.pids / name) is None


@pytest.mark.parametrize(("way", "where"), [("compute", "compute_for"), ("lock", "wait_for")])
def test_a_component_whose_loop_hangs_says_where_and_is_started_again(
    cluster: ClusterState,
    start: Callable[[], subprocess.Popen[bytes]],
    tmp_path: Path,
    way: str,
    where: str,
) -> None:
    (tmp_path / way).touch()
    start()
    eventually(lambda: component(cluster, "node-1")["restarts"] == 1)
    assert "its event loop has not turned" in component(cluster, "node-1")["last_exit"]
    assert f"in {where}_ever" in (tmp_path / "log").read_text()
    eventually(lambda: all_run(cluster))
    assert component(cluster, "control-plane")["restarts"] == 0
