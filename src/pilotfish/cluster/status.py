"""`pilotfish status`: what runs, where, for how long, and how much memory it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pilotfish.cluster import control, kubeconfig, marks, paths, processes, remains, state
from pilotfish.cluster.errors import ClusterError

if TYPE_CHECKING:
    from pilotfish.cluster.state import ClusterState


@dataclass(frozen=True)
class ProcessStatus:
    """One process of Pilotfish; pid is 0 when it is down. Memory in bytes."""

    name: str
    pid: int
    uptime_s: float
    restarts: int
    rss: int
    pss: int


@dataclass(frozen=True)
class ClusterStatus:
    """A cluster as it is now. nodes: node name → "Ready", "NotReady" or "Unknown"."""

    cluster: ClusterState
    processes: tuple[ProcessStatus, ...]
    nodes: dict[str, str]

    @property
    def running(self) -> bool:
        """Whether every process is there."""
        return all(process.pid for process in self.processes)


def cluster_status(cluster: ClusterState) -> ClusterStatus:
    """Look at a cluster's processes and ask its API server about the nodes."""
    folders = cluster.folders
    answer = control.status(folders.control_socket)
    restarts = {one["name"]: one["restarts"] for one in answer["components"]} if answer else {}
    found = []
    for name in [paths.SUPERVISOR, *cluster.components]:
        process = marks.noted(folders, name)
        if process is None:
            found.append(ProcessStatus(name, 0, 0.0, restarts.get(name, 0), 0, 0))
            continue
        memory = processes.memory(process.pid)
        found.append(
            ProcessStatus(
                name,
                process.pid,
                process.age_s(),
                restarts.get(name, 0),
                memory.rss,
                memory.pss,
            )
        )
    return ClusterStatus(cluster, tuple(found), _node_conditions(cluster, found))


@dataclass(frozen=True)
class Ruin:
    """A cluster whose cluster.json is gone or damaged. parts: what is left of it, in words."""

    name: str
    parts: tuple[str, ...]


def look_at(name: str) -> ClusterStatus | Ruin:
    """A cluster, or what is left of it. Raises ClusterError when there is nothing."""
    try:
        found = state.load(name)
    except ClusterError:
        found = None
    if found is not None:
        return cluster_status(found)
    parts = remains.find(name).described()
    if not parts:
        raise state.unknown(name)
    return Ruin(name, tuple(parts))


def ruin_as_json(ruin: Ruin) -> dict[str, Any]:
    """The shape of a ruin in `pilotfish status -o json`."""
    return {
        "name": ruin.name,
        "running": False,
        "remains": list(ruin.parts),
        "nodes": [],
        "processes": [],
    }


def as_json(status: ClusterStatus) -> dict[str, Any]:
    """The shape of `pilotfish status -o json`; docs/reference/cli.md describes it."""
    cluster = status.cluster
    return {
        "name": cluster.name,
        "running": status.running,
        "context": kubeconfig.context_name(cluster.name),
        "kubeconfigs": list(cluster.kubeconfigs),
        "server": cluster.local_server,
        "hostAddress": cluster.host_address,
        "ipFamily": cluster.ip_family,
        "nodeRange": ",".join(cluster.network.node_ranges),
        "podRange": ",".join(cluster.network.pod_ranges),
        "serviceRange": ",".join(cluster.network.service_ranges),
        "dnsAddress": cluster.dns_address,
        "loadBalancerPool": ",".join("-".join(pool) for pool in cluster.load_balancer_pools),
        "created": cluster.created,
        "store": cluster.store or str(cluster.folders.store),
        "notices": store_notices(cluster),
        "nodes": [
            {
                "name": node.name,
                "address": ",".join(node.addresses),
                "podCIDR": ",".join(node.pod_cidrs),
                "status": status.nodes[node.name],
            }
            for node in cluster.nodes
        ],
        "processes": [
            {
                "name": process.name,
                "pid": process.pid,
                "uptimeSeconds": round(process.uptime_s, 1),
                "restarts": process.restarts,
                "residentBytes": process.rss,
                "proportionalBytes": process.pss,
            }
            for process in status.processes
        ],
    }


def store_notices(cluster: ClusterState) -> list[str]:
    """What was wrong with the store when it was opened, until somebody deletes the file."""
    try:
        return cluster.folders.store_notice.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return []


def _node_conditions(cluster: ClusterState, found: list[ProcessStatus]) -> dict[str, str]:
    unknown = {node.name: "Unknown" for node in cluster.nodes}
    if not any(one.name == paths.CONTROL_PLANE and one.pid for one in found):
        return unknown
    from pilotfish.cluster import readiness

    return unknown | readiness.node_conditions(cluster)
