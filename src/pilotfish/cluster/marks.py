"""The mark by which a process of a cluster is known, whatever files are gone.

Each process holds an open memfd whose name says what it is, "pilotfish/default/node-1", and the
kernel shows that name in /proc/<pid>/fd until the process ends (memfd_create(2)). A fork has the
mark of its parent until it sets its own; a program that is executed has none.

A Pod can make a memfd of the same name. But each container has a mount namespace of its own, which
it cannot leave, and other users are not root: neither is taken for a process of a cluster.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pilotfish.cluster.processes import Process, process, read_pid_file

if TYPE_CHECKING:
    from pilotfish.cluster.paths import Folders

_PREFIX = "pilotfish/"
# What /proc shows: "/memfd:NAME (deleted)".
_LINK_HEAD, _LINK_TAIL = f"/memfd:{_PREFIX}", " (deleted)"
# The kernel keeps 15 bytes of a process' name. All of ours begin so, which makes the search cheap.
_COMM_PREFIX = "pf-"
_COMM_BYTES = 15

_own: list[int] = []


@dataclass(frozen=True)
class Marked:
    """A process that says what it is. component: "supervisor", "launcher" or a component's name."""

    process: Process
    cluster: str
    component: str


def set_own(cluster: str, component: str) -> None:
    """Mark the calling process, and name it for ps and top."""
    descriptor = os.memfd_create(f"{_PREFIX}{cluster}/{component}")
    with open("/proc/self/comm", "w") as comm:  # noqa: PTH123 pathlib is not needed for procfs
        comm.write(f"{_COMM_PREFIX}{component}"[:_COMM_BYTES])
    while _own:
        os.close(_own.pop())
    _own.append(descriptor)


def find(cluster: str = "") -> list[Marked]:
    """Every living process with a mark: of one cluster, or of all."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        marked = of(int(entry.name))
        if marked is not None and cluster in ("", marked.cluster):
            found.append(marked)
    return found


def of(pid: int) -> Marked | None:
    """What the process says to be; None for a stranger, or when it has ended."""
    found = process(pid)
    if found is None:
        return None
    try:
        words = _words(pid)
    except OSError:  # It ends just now.
        return None
    if words is None or not found.alive():
        return None
    return Marked(found, *words)


def noted(folders: Folders, component: str) -> Process | None:
    """The component's process that its pid file names, if it lives and has the mark."""
    found = read_pid_file(folders.pids / component)
    if found is None:
        return None
    marked = of(found.pid)
    is_it = marked is not None and (marked.cluster, marked.component) == (folders.name, component)
    return found if is_it else None


def _words(pid: int) -> tuple[str, str] | None:
    folder = Path(f"/proc/{pid}")
    if not (folder / "comm").read_text(errors="replace").startswith(_COMM_PREFIX):
        return None
    if not _is_trusted(folder):
        return None
    for entry in (folder / "fd").iterdir():
        with contextlib.suppress(OSError):  # Closed meanwhile.
            link = str(entry.readlink())
            if link.startswith(_LINK_HEAD) and link.endswith(_LINK_TAIL):
                cluster, slash, component = link[len(_LINK_HEAD) : -len(_LINK_TAIL)].partition("/")
                if slash:
                    return cluster, component
    return None


def _is_trusted(folder: Path) -> bool:
    """Whether it is root's, outside of any container."""
    for line in (folder / "status").read_text(errors="replace").splitlines():
        if line.startswith("Uid:"):
            if {int(uid) for uid in line.split()[1:]} != {os.geteuid()}:
                return False
            break
    mounts = (folder / "ns" / "mnt").stat()
    return os.path.samestat(mounts, Path("/proc/self/ns/mnt").stat())
