"""The controllers of cgroup v2 that containers' limits need: switched on below the root.

In a container, as in CI, the root of /sys/fs/cgroup is itself a cgroup with processes. The kernel
then hands no controller to its children (cgroup-v2.rst, "No Internal Process Constraint"): the
processes have to move into a cgroup of their own first.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable
from pathlib import Path

from pilotfish.node.cgroups import ROOT, is_unified

# runc sets for every container: weight and quota, limit, number of processes.
REQUIRED = ("cpu", "memory", "pids")
# Where the processes of the root go; systemd and others use the same name in containers.
_LEAF = "init"
# Processes may fork while they are moved.
_ROUNDS = 20


class ControllersMissing(Exception):
    """Controllers cannot be had; `names` of them, and the message says why."""

    def __init__(self, names: Iterable[str], why: str) -> None:
        super().__init__(why)
        self.names = tuple(sorted(names))


def enable_controllers(root: Path = ROOT, required: Iterable[str] = REQUIRED) -> None:
    """Let containers have limits under cgroup v2; with v1 there is nothing to do.

    Raises ControllersMissing.
    """
    if not is_unified(root):
        return
    wanted = set(required)
    control = root / "cgroup.subtree_control"
    missing = wanted - set(control.read_text().split())
    if not missing:
        return
    absent = missing - set((root / "cgroup.controllers").read_text().split())
    if absent:
        raise ControllersMissing(absent, f"{root}/cgroup.controllers does not name them")
    try:
        for _ in range(_ROUNDS):
            try:
                control.write_text(" ".join(f"+{name}" for name in sorted(missing)))
            except OSError as error:
                if error.errno != errno.EBUSY:
                    raise
                _empty(root)
            else:
                return
    except OSError as error:
        raise ControllersMissing(missing, f"{control}: {error.strerror}") from error
    raise ControllersMissing(missing, f"{control}: processes in {root} cannot be moved away")


def _empty(root: Path) -> None:
    """Move the processes of the root into a leaf. Raises OSError."""
    leaf = root / _LEAF
    leaf.mkdir(exist_ok=True)
    for pid in (root / "cgroup.procs").read_text().split():
        try:
            (leaf / "cgroup.procs").write_text(pid)
        except ProcessLookupError:
            continue  # it has ended meanwhile
