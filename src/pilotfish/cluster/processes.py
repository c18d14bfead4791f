"""Processes as /proc shows them: is it still the same one, how old, how much memory.

A process id alone says little, since the kernel gives it away again. Together with the start time
(field 22 of /proc/<pid>/stat, proc(5)) it names one process for as long as the machine is up.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_POLL_S = 0.005


@dataclass(frozen=True)
class Process:
    """One process, told apart from a later one with the same id."""

    pid: int
    start_ticks: int

    def alive(self) -> bool:
        """Whether this very process runs (a zombie does not)."""
        stat = _stat(self.pid)
        return stat is not None and stat[0] != "Z" and int(stat[19]) == self.start_ticks

    def age_s(self) -> float:
        """Seconds since it started."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) - self.start_ticks / _TICKS_PER_S

    def kill(self, number: signal.Signals) -> None:
        """Send a signal, unless it is gone. Never to a later process with the same id.

        A pidfd stays with the process that had the id when it was opened (pidfd_open(2)), so it is
        opened first and the start time compared after.
        """
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        try:
            if self.alive():
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(descriptor, number)
        finally:
            os.close(descriptor)


@dataclass(frozen=True)
class Memory:
    """Memory of a process in bytes.

    rss counts every page that it has mapped; pss shares a page that n processes map n ways
    (Documentation/filesystems/proc.rst, smaps_rollup), so that sums over processes are true.
    """

    rss: int
    pss: int


def process(pid: int) -> Process | None:
    """The process with this id now, or None."""
    stat = _stat(pid)
    return None if stat is None else Process(pid, int(stat[19]))


def write_pid_file(path: Path) -> None:
    """Note the calling process in `path`."""
    own = process(os.getpid())
    assert own is not None, "a process always finds itself"
    temporary = path.with_name(f".{path.name}.{own.pid}")
    temporary.write_text(f"{own.pid} {own.start_ticks}\n")
    temporary.replace(path)


def read_pid_file(path: Path) -> Process | None:
    """The process noted in `path` if it is still alive, else None."""
    try:
        pid, start_ticks = path.read_text().split()
    except (FileNotFoundError, ValueError):
        return None
    found = Process(int(pid), int(start_ticks))
    return found if found.alive() else None


def memory(pid: int) -> Memory:
    """Memory of a process. Zeros when it has just ended."""
    fields: dict[str, int] = {}
    try:
        with Path(f"/proc/{pid}/smaps_rollup").open() as rollup:
            for line in rollup:
                parts = line.split()
                if parts[0] in ("Rss:", "Pss:"):
                    fields[parts[0]] = int(parts[1]) * 1024
    except (FileNotFoundError, ProcessLookupError):
        return Memory(0, 0)
    return Memory(fields.get("Rss:", 0), fields.get("Pss:", 0))


def in_network_namespaces(inodes: set[int]) -> list[Process]:
    """Every process that has one of these network namespaces (inodes of /proc/<pid>/ns/net)."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            inode = (entry / "ns" / "net").stat().st_ino
        except OSError:  # it has just ended
            continue
        if inode in inodes:
            one = process(int(entry.name))
            if one is not None:
                found.append(one)
    return found


def stop(processes: Iterable[Process], grace_s: float) -> list[Process]:
    """SIGTERM, then SIGKILL for what remains after `grace_s`; returns those that were running."""
    running = [one for one in processes if one.alive()]
    for one in running:
        one.kill(signal.SIGTERM)
    if not wait_gone(running, grace_s):
        for one in running:
            one.kill(signal.SIGKILL)
        wait_gone(running, grace_s)
    return running


def wait_gone(processes: Iterable[Process], timeout_s: float) -> bool:
    """Wait until all have ended. Returns False when the time is over first."""
    deadline = time.monotonic() + timeout_s
    remaining = list(processes)
    while remaining := [one for one in remaining if one.alive()]:
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/<pid>/stat from the third (state) on, or None."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the command's name in parentheses and may itself hold blanks.
    return text[text.rindex(")") + 2 :].split()
