"""Processes told apart from later ones with the same id."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from pilotfish.cluster import processes


def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", "60"])


def test_a_pid_file_finds_its_process_while_it_lives(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    processes.write_pid_file(path)
    found = processes.read_pid_file(path)
    assert found is not None
    assert found.pid == os.getpid()
    assert found.alive()
    assert 0 < found.age_s() < 24 * 3600


def test_a_later_process_with_the_same_id_is_another(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    path.write_text(f"{os.getpid()} 1\n")
    assert processes.read_pid_file(path) is None


def test_an_absent_or_broken_pid_file_finds_nothing(tmp_path: Path) -> None:
    assert processes.read_pid_file(tmp_path / "none") is None
    (tmp_path / "broken").write_text("what")
    assert processes.read_pid_file(tmp_path / "broken") is None


def test_a_zombie_is_not_alive() -> None:
    child = sleeper()
    process = processes.process(child.pid)
    assert process is not None
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not process.alive()
    child.wait()


def test_stop_ends_also_who_ignores_the_polite_signal() -> None:
    polite = sleeper()
    deaf = subprocess.Popen(
        ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"], stdout=subprocess.PIPE
    )
    assert deaf.stdout is not None
    deaf.stdout.readline()
    both = [processes.process(child.pid) for child in (polite, deaf)]
    running = [one for one in both if one is not None]
    assert processes.stop(running, grace_s=0.1) == running
    assert (polite.wait(), deaf.wait()) == (-15, -9)
    assert processes.stop(running, grace_s=0.1) == []


def test_memory_of_a_process_and_of_one_that_is_gone() -> None:
    own = processes.memory(os.getpid())
    assert own.rss >= own.pss > 1_000_000
    child = sleeper()
    child.kill()
    child.wait()
    assert processes.memory(child.pid) == processes.Memory(0, 0)


def test_processes_are_found_by_their_network_namespace() -> None:
    inode = Path("/proc/self/ns/net").stat().st_ino
    assert os.getpid() in {one.pid for one in processes.in_network_namespaces({inode})}
    assert processes.in_network_namespaces(set()) == []
