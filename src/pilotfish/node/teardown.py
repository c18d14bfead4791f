"""Removing every container and every mount of a cluster's nodes, whatever state they are in.

For `down`, when no node process runs any more, also after everything was killed with SIGKILL, and
after the folders were deleted.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

from pilotfish.network import namespaces, naming, pod_link
from pilotfish.node import cgroups, mounts, paths
from pilotfish.node.files.trees import remove_tree
from pilotfish.node.processes import start_ticks
from pilotfish.node.record import ContainerRecord
from pilotfish.node.volumes import bound

log = logging.getLogger(__name__)

_DEATH_TIMEOUT_S = 5.0


def _records(state_dir: Path) -> list[ContainerRecord]:
    records = []
    for file in state_dir.glob("nodes/*/pods/*/containers/*/*/record.json"):
        try:
            records.append(ContainerRecord.load(file))
        except ValueError as error:
            log.warning("unreadable record: %s", error)
    return records


def _container_ids(state_dir: Path, run_dir: Path) -> set[str]:
    """From our records and from runc's own state: each may know of one that the other lost."""
    found = {record.container_id for record in _records(state_dir)}
    return found | {folder.name for folder in run_dir.glob("nodes/*/runc/*")}


def _processes(state_dir: Path, container_ids: set[str]) -> set[int]:
    pids = {pid for container_id in container_ids for pid in cgroups.processes(container_id)}
    for record in _records(state_dir):
        with contextlib.suppress(ProcessLookupError):
            if record.pid and start_ticks(record.pid) == record.start_ticks:
                pids.add(record.pid)
    return pids


def _kill(state_dir: Path, container_ids: set[str]) -> None:
    """SIGKILL until nothing is left in the cgroups; a new fork dies in the next round."""
    deadline = time.monotonic() + _DEATH_TIMEOUT_S
    while pids := _processes(state_dir, container_ids):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG)
        if time.monotonic() > deadline:
            log.warning("processes of containers do not end: %s", sorted(pids))
            return
        time.sleep(0.01)


def _forgotten(state_dir: Path, network_namespaces: Iterable[str]) -> set[str]:
    """Containers of which no file is left: by what their processes are, in the kernel's books.

    Such a process is in one of the cluster's network namespaces, or its root is an overlay whose
    layers are in the cluster's folder. A container changes neither without the right to administer
    the machine.
    """
    inodes = set()
    for name in network_namespaces:
        with contextlib.suppress(OSError):
            inodes.add(Path(namespaces.path(name)).stat().st_ino)
    found = set()
    for container_id in cgroups.container_ids():
        for pid in cgroups.processes(container_id):
            with contextlib.suppress(OSError):  # It ends just now.
                if Path(f"/proc/{pid}/ns/net").stat().st_ino in inodes or mounts.root_is_from(
                    pid, state_dir
                ):
                    found.add(container_id)
                    break
    return found


def _remove_empty_groups(state_dir: Path, run_dir: Path) -> None:
    """Remove control groups that have no process, and no file of any cluster's.

    The record and runc's folder are there before the group.
    """
    known: set[str] = set()
    for run in run_dir.parent.glob("*/"):
        known |= _container_ids(state_dir.parent / run.name, run)
    for container_id in cgroups.container_ids() - known:
        if not cgroups.processes(container_id):
            cgroups.remove(container_id)


def remove_all(state_dir: Path, run_dir: Path, network_namespaces: Iterable[str] = ()) -> None:
    """Kill every container of the cluster, unmount and remove its nodes' Pods. Blocking.

    `state_dir` is /var/lib/pilotfish/NAME, `run_dir` is /run/pilotfish/NAME, and the namespaces are
    the cluster's. Fine when there is nothing. No node process of the cluster may be running.
    """
    container_ids = _container_ids(state_dir, run_dir) | _forgotten(state_dir, network_namespaces)
    _kill(state_dir, container_ids)
    cluster = state_dir.name
    for pod in state_dir.glob("nodes/*/pods/*"):
        pod_link.remove(naming.pod_namespace(cluster, pod.name), naming.pod_link(pod.name))
    for folder in run_dir.glob(f"nodes/*/{paths.BOUND}"):
        bound.release_all(folder)
    mounts.unmount_below(run_dir / "nodes", state_dir / "nodes")
    for container_id in container_ids:
        cgroups.remove(container_id, patience_s=_DEATH_TIMEOUT_S)
    _remove_empty_groups(state_dir, run_dir)
    cgroups.remove_parent_if_empty()
    for folder in (run_dir / "nodes", state_dir / "nodes"):
        remove_tree(folder)
