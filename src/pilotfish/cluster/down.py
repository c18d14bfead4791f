"""`pilotfish down`: takes away everything of a cluster, also what a crash left behind.

Nothing here relies on a process that answers, or on a file that is there. What belongs to a cluster
is read off the machine: names of namespaces, links and folders, marks of processes, the control
groups and mounts of containers.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pilotfish.client.invoker import kubeconfig_files
from pilotfish.cluster import (
    control,
    host_network,
    kubeconfig,
    paths,
    plan,
    preflight,
    processes,
    remains,
    state,
    supervisor_start,
)
from pilotfish.cluster.errors import ClusterError
from pilotfish.cluster.paths import SUPERVISOR
from pilotfish.network import node_link
from pilotfish.node import teardown
from pilotfish.node.files.trees import empty_tree, remove_tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from pilotfish.cluster.state import ClusterState

_GRACE_S = 2.0
_ROUNDS = 5


def down(name: str, progress: Callable[[str], None]) -> bool:
    """Remove the cluster. progress is told what was removed, line by line.

    Returns False when there was nothing of it. Raises ClusterError at the end, when a store of its
    own kept its keys, a kubeconfig its context, or something is in the way of a folder.
    """
    plan.check_name(name)
    preflight.check_root("take a cluster down")
    supervisor_start.remove_abandoned_logs()
    with state.locked(name):
        if not remains.find(name):
            return False
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
            if folder.exists():
                progress(_remove_folder(folder))
    _remove_if_empty(paths.RUN_ROOT)
    _remove_if_empty(paths.STATE_ROOT)
    if kept is not None:
        raise kept
    if unforgotten is not None:
        raise unforgotten
    return True


def _remove_folder(folder: Path) -> str:
    """Remove a folder, or what is in it; says which."""
    try:
        if folder.is_mount():
            empty_tree(folder)
            return f"Emptied {folder}, which is a mount of yours"
        remove_tree(folder)
        return f"Removed {folder}"
    except OSError as error:
        raise ClusterError(
            f"the rest of the cluster is gone, but not this folder: {error.strerror}",
            str(error.filename),
            "unmount or stop what uses it (findmnt and fuser -vm show it), and run it again",
        ) from error


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
    """Stop supervisor and components, through the supervisor's socket if it answers.

    The rest is found by its marks: components that outlived a supervisor, or whose folders are
    gone. One that is just being forked has its parent's mark, so look until there are none.
    """
    stopped = control.stop(cluster.folders.control_socket) or []
    for _ in range(_ROUNDS):
        # The supervisor first: it would start again what it sees end.
        found = sorted(
            remains.find(cluster.name).processes, key=lambda one: one.component != SUPERVISOR
        )
        if not found:
            break
        processes.stop([one.process for one in found if one.component == SUPERVISOR], _GRACE_S)
        processes.stop([one.process for one in found], _GRACE_S)
        stopped += [one.component for one in found]
    return list(dict.fromkeys(stopped))


def _remove_nodes(cluster: ClusterState) -> list[str]:
    """Containers, mounts, control groups and Pod namespaces of every node."""
    folders = cluster.folders
    pods = len(list(folders.state.glob("nodes/*/pods/*")))
    teardown.remove_all(folders.state, folders.run, node_link.owned_namespaces(cluster.name))
    return [f"{pods} Pod{'s' if pods > 1 else ''} with containers and mounts"] if pods else []


def _forget_context(cluster: ClusterState, progress: Callable[[str], None]) -> ClusterError | None:
    """Take the context out of every kubeconfig; what to say at the end of one that refuses."""
    files = {Path(path) for path in cluster.kubeconfigs}
    files |= {path.absolute() for path in kubeconfig_files(os.environ)}
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
