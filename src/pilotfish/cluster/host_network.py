"""The cluster's wires on this machine: what is in use, what `up` makes, what `down` takes away."""

from __future__ import annotations

import errno
import os
import socket
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING

from pilotfish.cluster import preflight, processes, state
from pilotfish.cluster.errors import EXIT_NOT_READY, ClusterError
from pilotfish.network import links, namespaces, naming, node_link, pools, routes
from pilotfish.network.netlink import Netlink

if TYPE_CHECKING:
    from pilotfish.cluster.state import ClusterState
    from pilotfish.network.pools import Occupied
    from pilotfish.network.routes import Route

_RESOLV_CONF = Path("/etc/resolv.conf")


def occupied() -> list[Occupied]:
    """Every range in use on this machine, and by its clusters, also those not running."""
    with Netlink() as host:
        names = {link.index: link.name for link in links.all_links(host)}
        addresses = links.addresses(host)
        destinations = [(route.link_index, route.destination) for route in _routes(host)]
    found = pools.occupied_by(names, addresses, destinations, _name_servers())
    for other in state.readable():
        found += [
            pools.Occupied(ip_network(network), f"cluster {other.name!r}")
            for network in other.ranges
        ]
    return found


def check_still_free(cluster: ClusterState) -> None:
    """Raise ClusterError if somebody took a range of a cluster that comes back after a reboot."""
    own = set(cluster.ranges)
    with Netlink() as host:
        if links.find(host, naming.host_link(cluster.name)) is not None:
            return
        names = {link.index: link.name for link in links.all_links(host)}
        destinations = [
            (route.link_index, route.destination)
            for route in _routes(host)
            # Guards that a crash left behind are our own.
            if not (route.unreachable and route.destination in own)
        ]
        in_use = pools.occupied_by(names, links.addresses(host), destinations)
    for network in own:
        try:
            pools.require_free(ip_network(network), in_use)
        except pools.OccupiedSubnet as error:
            raise ClusterError(
                str(error).split(":")[0],
                f"cluster {cluster.name!r}",
                f"remove what uses it, or give the cluster new ranges with: pilotfish down --name "
                f"{cluster.name} and pilotfish up --name {cluster.name}",
            ) from error


def _routes(host: Netlink) -> list[Route]:
    return [
        *routes.all_routes(host, socket.AF_INET),
        *(routes.all_routes(host, socket.AF_INET6) if preflight.has_ipv6() else ()),
    ]


def create(cluster: ClusterState) -> None:
    """Make the bridge, the nodes' namespaces and the routes; what is there already stays."""
    try:
        node_link.create_bridge(cluster.network)
        for node in cluster.nodes:
            node_link.create_node(cluster.network, node)
        node_link.set_routes(cluster.network, cluster.nodes)
    except OSError as error:
        raise _explained(error) from error


def missing(cluster: ClusterState) -> list[str]:
    """The wires that are not there, in words."""
    wanted = {"bridge": naming.wires_namespace(cluster.name)}
    wanted |= {node.name: naming.node_namespace(cluster.name, node.name) for node in cluster.nodes}
    found = [
        f"namespace of {owner}" for owner, name in wanted.items() if not namespaces.exists(name)
    ]
    with Netlink() as host:
        if links.find(host, naming.host_link(cluster.name)) is None:
            found.append(f"link {naming.host_link(cluster.name)}")
    return found


def remove(cluster: ClusterState) -> list[str]:
    """End what runs in the cluster's namespaces and remove every wire. Returns what was there."""
    owned = node_link.owned_namespaces(cluster.name)
    inodes = {Path(namespaces.path(name)).stat().st_ino for name in owned}
    ended = processes.stop(
        (p for p in processes.in_network_namespaces(inodes) if p.pid != os.getpid()), grace_s=0.2
    )
    with Netlink() as host:
        link = links.find(host, naming.host_link(cluster.name))
    guarded = node_link.remove_cluster(cluster.name)
    removed = []
    if ended:
        removed.append(f"{len(ended)} process{'es' if len(ended) > 1 else ''} in its namespaces")
    if owned:
        removed.append(f"{len(owned)} network namespace{'s' if len(owned) > 1 else ''}")
    if link is not None:
        removed.append(f"link {link.name} and its routes")
    elif guarded:
        removed.append(f"routes that refuse {', '.join(guarded)}")
    return removed


def _name_servers() -> list[str]:
    try:
        lines = _RESOLV_CONF.read_text().splitlines()
    except OSError:
        return []
    servers = [line.split()[1] for line in lines if line.startswith("nameserver ")]
    # Loopback is nobody's range, and every machine has it.
    return [server for server in servers if not server.startswith("127.")]


def _explained(error: OSError) -> ClusterError:
    if error.errno in (errno.EOPNOTSUPP, errno.EPROTONOSUPPORT, errno.ENODEV):
        return ClusterError(
            f"the kernel cannot make bridges or veth pairs ({error.strerror})",
            f"kernel {os.uname().release}",
            "load the modules with: modprobe bridge veth",
            EXIT_NOT_READY,
        )
    if error.errno in (errno.EPERM, errno.EACCES):
        return ClusterError(
            f"the kernel refuses to make network interfaces ({error.strerror})",
            str(error.filename or "netlink"),
            "run on a machine, or in a container, with the capabilities NET_ADMIN and SYS_ADMIN",
            EXIT_NOT_READY,
        )
    return ClusterError(
        f"the cluster's network could not be made ({error})",
        str(error.filename or "netlink"),
        "remove what is left with: pilotfish down, and try again",
    )
