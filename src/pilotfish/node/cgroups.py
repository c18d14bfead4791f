"""The cgroups of containers, in the hierarchies of v1 and in v2's one.

A container's cgroup is /pilotfish/ID wherever controllers are mounted: one flat folder, so
nothing of a Pod is left behind when its containers are gone.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path

log = logging.getLogger(__name__)

ROOT = Path("/sys/fs/cgroup")
_PARENT = "pilotfish"


def path_of(container_id: str) -> str:
    """The `cgroupsPath` of config.json."""
    return f"/{_PARENT}/{container_id}"


def is_unified(root: Path = ROOT) -> bool:
    """Whether this machine uses cgroup v2 alone."""
    return (root / "cgroup.controllers").exists()


def hierarchies(root: Path = ROOT) -> list[Path]:
    """The folders below which cgroups are made: one for v2, one per controller for v1."""
    if is_unified(root):
        return [root]
    return [entry for entry in root.iterdir() if entry.is_dir() and not entry.is_symlink()]


def container_ids(root: Path = ROOT) -> set[str]:
    """The containers that have a cgroup, of all clusters."""
    return {
        entry.name for hierarchy in hierarchies(root) for entry in (hierarchy / _PARENT).glob("*/")
    }


def oom_killed(container_id: str, root: Path = ROOT) -> bool:
    """Whether the kernel killed one of the container's processes for want of memory."""
    for file in (
        root / "memory" / _PARENT / container_id / "memory.oom_control",
        root / _PARENT / container_id / "memory.events",
    ):
        try:
            words = [line.split() for line in file.read_text().splitlines()]
        except OSError:  # of another version, or removed together with the container
            continue
        return any(len(w) == 2 and w[0] == "oom_kill" and w[1] != "0" for w in words)
    return False


def remove(container_id: str, patience_s: float = 0.0, root: Path = ROOT) -> None:
    """Remove what runc left, as it does after a crash; fine when nothing is there.

    The kernel may call a cgroup busy for some milliseconds after its last process: `patience_s`
    is how long to try (blocking). What stays busy is logged.
    """
    deadline = time.monotonic() + patience_s
    for hierarchy in hierarchies(root):
        folder = hierarchy / _PARENT / container_id
        while folder.is_dir():
            try:
                _remove_tree(folder)
            except OSError as error:
                if time.monotonic() >= deadline:
                    log.warning("cgroup %s: %s", folder, error)
                    break
                time.sleep(0.01)


def remove_parent_if_empty(root: Path = ROOT) -> None:
    for hierarchy in hierarchies(root):
        folder = hierarchy / _PARENT
        if folder.is_dir() and not any(entry.is_dir() for entry in folder.iterdir()):
            folder.rmdir()


def processes(container_id: str, root: Path = ROOT) -> set[int]:
    """The pids inside the container's cgroups."""
    found: set[int] = set()
    for hierarchy in hierarchies(root):
        file = hierarchy / _PARENT / container_id / "cgroup.procs"
        if file.exists():
            found |= {int(line) for line in file.read_text().split()}
    return found


def _remove_tree(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir():
            _remove_tree(entry)
    folder.rmdir()
