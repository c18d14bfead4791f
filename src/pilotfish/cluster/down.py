"""`pilotfish down`: takes away everything of a cluster, also what a crash left behind.

Nothing here relies on a process that answers. What belongs to a cluster is read off names: of
namespaces, links, folders, control groups, pid files.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pilotfish.cluster import (
    control,
    host_network,
    kubeconfig,
    paths,
    plan,
    preflight,
    processes,
    state,
)
from pilotfish.cluster.errors import ClusterError
from pilotfish.node import teardown
from pilotfish.node.files.trees import empty_tree, remove_tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from pilotfish.cluster.state import ClusterState

_GRACE_S = 2.0


def down(name: str, progress: Callable[[str], None]) -> None:
    """Remove the cluster. progress is told what was removed, line by line.

    Raises ClusterError for an unknown name; at the end, when a store of its own kept its keys or a
    kubeconfig its context.
    """
    plan.check_name(name)
    preflight.check_root("take a cluster down")
    with state.locked(name):
        cluster = state.remains(name)
        stopped = _stop_processes(cluster)
        if stopped:
            progress(f"Stopped {', '.join(stopped)}")
        for removed in _remove_nodes(cluster):
            progress(f"Removed {removed}")
        for removed in host_network.remove(cluster):
            progress(f"Removed {removed}")
        kept = _empty_store(cluster, progress) if cluster.store else None
        unforgotten = _forget_context(cluster, progress)
        for folder in (cluster.folders.run, cluster.folders.state):
            if folder.is_mount():
                empty_tree(folder)
                progress(f"Emptied {folder}, which is a mount of yours")
            elif folder.exists():
                remove_tree(folder)
                progress(f"Removed {folder}")
    _remove_if_empty(paths.RUN_ROOT)
    _remove_if_empty(paths.STATE_ROOT)
    if kept is not None:
        raise kept
    if unforgotten is not None:
        raise unforgotten


def _empty_store(cluster: ClusterState, progress: Callable[[str], None]) -> ClusterError | None:
    """Delete the cluster's keys in etcd; what to say at the end if that is not possible."""
    from pilotfish.cluster import external_store

    try:
        removed = external_store.remove(cluster)
    except ClusterError as error:
        prefix = external_store.address_of(cluster.store).prefix
        return ClusterError(
            f"the cluster is gone from this machine, but not from its store: {error.what}",
            error.where,
            f"delete its keys when etcd answers again: etcdctl del --prefix {prefix}/",
        )
    if removed:
        progress(f"Removed {removed} keys from {cluster.store}")
    else:
        progress(f"Left {cluster.store} alone: the cluster is not there, or runs elsewhere")
    return None


def _stop_processes(cluster: ClusterState) -> list[str]:
    """Stop supervisor and components, through the supervisor's socket if it answers."""
    folders = cluster.folders
    supervisor = processes.read_pid_file(folders.pids / "supervisor")
    stopped = control.stop(folders.control_socket) or []
    if supervisor is not None:
        processes.stop([supervisor], _GRACE_S)
        stopped.append("supervisor")
    # What it did not know of: components that outlived a supervisor killed before.
    left = {
        name: process
        for name in cluster.components
        if (process := processes.read_pid_file(folders.pids / name)) is not None
    }
    processes.stop(left.values(), _GRACE_S)
    return stopped + [name for name in left if name not in stopped]


def _remove_nodes(cluster: ClusterState) -> list[str]:
    """Containers, mounts, control groups and Pod namespaces of every node."""
    folders = cluster.folders
    pods = len(list(folders.state.glob("nodes/*/pods/*")))
    teardown.remove_all(folders.state, folders.run)
    return [f"{pods} Pod{'s' if pods > 1 else ''} with containers and mounts"] if pods else []


def _forget_context(cluster: ClusterState, progress: Callable[[str], None]) -> ClusterError | None:
    """Take the context out of every kubeconfig; what to say at the end of one that refuses."""
    files = {Path(path) for path in cluster.kubeconfigs}
    files |= {path.absolute() for path in kubeconfig.candidate_paths(os.environ)}
    name = kubeconfig.context_name(cluster.name)
    refused = None
    for path in sorted(files):
        try:
            if kubeconfig.remove(path, name):
                progress(f"Removed context {name} from {path}")
        except ClusterError as error:
            refused = ClusterError(
                f"the cluster is gone, but its context {name} stays: {error.what}",
                error.where,
                error.mend,
            )
    return refused


def _remove_if_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
