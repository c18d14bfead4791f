"""How a new cluster is laid out: its name, its address ranges, its nodes. Pure.

The first cluster of a machine takes the ranges of every Kubernetes tutorial; what the machine or
another cluster uses already is passed over, unless the user named a range.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import TYPE_CHECKING

from pilotfish.cluster.errors import ClusterError
from pilotfish.cluster.state import ClusterState
from pilotfish.network import pools
from pilotfish.network.node_link import NodeNetwork

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilotfish.network.pools import Occupied

MAX_NODES = 64
DOMAIN = "cluster.local"
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?")


@dataclass(frozen=True)
class WantedRanges:
    """The ranges that the user asked for, as text; "" takes the next free one."""

    nodes: str = ""
    pods: str = ""
    services: str = ""


def check_name(name: str) -> None:
    """Raise ClusterError unless `name` can name a cluster."""
    # The images of all clusters lie beside the clusters' folders.
    if not _NAME.fullmatch(name) or name == "images":
        raise ClusterError(
            "not a name for a cluster",
            repr(name),
            "use up to 40 lower case letters, digits and dashes, with a letter or digit at each "
            "end, and not 'images'",
        )


def plan_cluster(
    name: str,
    nodes: int,
    occupied: Sequence[Occupied],
    wanted: WantedRanges,
    api_port: int,
    created: str,
) -> ClusterState:
    """The layout of a new cluster.

    Raises ClusterError when a wanted range is malformed or taken, when none is free, or when the
    number of nodes does not fit.
    """
    if not 1 <= nodes <= MAX_NODES:
        raise ClusterError(
            "not a possible number of nodes", f"--nodes {nodes}", f"use 1 to {MAX_NODES}"
        )
    ranges = _choose(occupied, wanted)
    if nodes > ranges.pods.num_addresses // 256:
        raise ClusterError(
            "the range for Pods is too small: each node takes a /24",
            f"--pod-cidr {ranges.pods} for {nodes} nodes",
            "use a shorter prefix, such as /16, or fewer nodes",
        )
    return ClusterState(
        name=name,
        domain=DOMAIN,
        node_network=str(ranges.nodes),
        pod_network=str(ranges.pods),
        service_network=str(ranges.services),
        api_port=api_port,
        nodes=tuple(
            NodeNetwork(
                name=f"node-{number}",
                address=str(ranges.nodes[1 + number]),
                pod_cidr=f"{ranges.pods[256 * (number - 1)]}/24",
            )
            for number in range(1, nodes + 1)
        ),
        created=created,
    )


def _choose(occupied: Sequence[Occupied], wanted: WantedRanges) -> pools.Ranges:
    try:
        free = pools.choose(occupied)
    except pools.OccupiedSubnet as error:
        raise _occupied(error, "every range of its kind") from error
    return pools.Ranges(
        nodes=_wanted("--node-cidr", wanted.nodes, 24, occupied) or free.nodes,
        pods=_wanted("--pod-cidr", wanted.pods, 24, occupied) or free.pods,
        services=_wanted("--service-cidr", wanted.services, 24, occupied) or free.services,
    )


def _wanted(
    option: str, text: str, longest_prefix: int, occupied: Sequence[Occupied]
) -> IPv4Network | None:
    if not text:
        return None
    try:
        network = IPv4Network(text)
    except ValueError as error:
        raise ClusterError(
            f"not an IPv4 network ({error})", f"{option} {text}", "write it like 10.96.0.0/12"
        ) from error
    if network.prefixlen > longest_prefix:
        raise ClusterError(
            "the address range is too small",
            f"{option} {text}",
            f"use a prefix of /{longest_prefix} or shorter",
        )
    try:
        pools.require_free(network, occupied)
    except pools.OccupiedSubnet as error:
        raise _occupied(error, f"{option} {text}") from error
    return network


def _occupied(error: pools.OccupiedSubnet, where: str) -> ClusterError:
    what, _, mend = str(error).rpartition(": ") if ": " in str(error) else (str(error), "", "")
    return ClusterError(what or str(error), where, mend or "take the next free one instead")
