"""How a new cluster is laid out: its name, its address ranges, its nodes. Pure.

The first cluster of a machine takes the ranges of every Kubernetes tutorial; what the machine or
another cluster uses already is passed over, unless the user named a range.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_network
from typing import TYPE_CHECKING

from pilotfish.cluster.errors import ClusterError
from pilotfish.cluster.state import ClusterState
from pilotfish.network import pools
from pilotfish.network.node_link import NodeNetwork

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pilotfish.network.pools import Network, Occupied

MAX_NODES = 64
DOMAIN = "cluster.local"
# What --ip-family takes, as kind's ipFamily: the versions, that of the primary family first.
IP_FAMILIES: dict[str, tuple[int, ...]] = {"ipv4": (4,), "ipv6": (6,), "dual": (4, 6)}
_NODE_PREFIX = {4: 24, 6: 64}  # the length of one node's podCIDR
# The longest prefixes that can be asked for: room for 64 nodes, LoadBalancers and some Services.
_LONGEST = {
    "--node-cidr": {4: 24, 6: 120},
    "--pod-cidr": {4: 24, 6: 64},
    "--service-cidr": {4: 24, 6: 120},
}
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?")


@dataclass(frozen=True)
class WantedRanges:
    """The ranges that the user asked for, as text; "" takes the next free one.

    For a dual-stack cluster, one of each family, with a comma between; or of one family only.
    """

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
    ip_family: str = "ipv4",
) -> ClusterState:
    """The layout of a new cluster; `ip_family` is one of IP_FAMILIES.

    Raises ClusterError when a wanted range is malformed or taken, when none is free, or when the
    number of nodes does not fit.
    """
    if not 1 <= nodes <= MAX_NODES:
        raise ClusterError(
            "not a possible number of nodes", f"--nodes {nodes}", f"use 1 to {MAX_NODES}"
        )
    if ip_family not in IP_FAMILIES:
        raise ClusterError(
            "not an address family", f"--ip-family {ip_family}", f"use {', '.join(IP_FAMILIES)}"
        )
    versions = IP_FAMILIES[ip_family]
    given = {
        "--node-cidr": _split("--node-cidr", wanted.nodes, versions),
        "--pod-cidr": _split("--pod-cidr", wanted.pods, versions),
        "--service-cidr": _split("--service-cidr", wanted.services, versions),
    }
    layouts = [_choose(occupied, given, version, nodes) for version in versions]
    first, second = layouts[0], layouts[1] if len(layouts) > 1 else None
    return ClusterState(
        name=name,
        domain=DOMAIN,
        node_network=str(first.nodes),
        pod_network=str(first.pods),
        service_network=str(first.services),
        api_port=api_port,
        nodes=tuple(
            NodeNetwork(
                f"node-{number}",
                *_node_part(first, number),
                *(_node_part(second, number) if second else ()),
            )
            for number in range(1, nodes + 1)
        ),
        created=created,
        second_node_network=str(second.nodes) if second else "",
        second_pod_network=str(second.pods) if second else "",
        second_service_network=str(second.services) if second else "",
    )


def _node_part(ranges: pools.Ranges, number: int) -> tuple[str, str]:
    """A node's address and its podCIDR, of one family."""
    prefix = _NODE_PREFIX[ranges.pods.version]
    size = 1 << (ranges.pods.max_prefixlen - prefix)
    return str(ranges.nodes[1 + number]), f"{ranges.pods[size * (number - 1)]}/{prefix}"


def _choose(
    occupied: Sequence[Occupied],
    given: Mapping[str, Mapping[int, str]],
    version: int,
    nodes: int,
) -> pools.Ranges:
    try:
        free = pools.choose(occupied, version)
    except pools.OccupiedSubnet as error:
        raise _occupied(error, "every range of its kind") from error
    texts = {option: by_version.get(version, "") for option, by_version in given.items()}
    ranges = pools.Ranges(
        nodes=_wanted("--node-cidr", texts["--node-cidr"], occupied) or free.nodes,
        pods=_wanted("--pod-cidr", texts["--pod-cidr"], occupied) or free.pods,
        services=_wanted("--service-cidr", texts["--service-cidr"], occupied) or free.services,
    )
    prefix = _NODE_PREFIX[version]
    if nodes > 1 << (prefix - ranges.pods.prefixlen):
        shorter = {4: "/16", 6: "/56"}[version]
        raise ClusterError(
            f"the range for Pods is too small: each node takes a /{prefix}",
            f"--pod-cidr {ranges.pods} for {nodes} nodes",
            f"use a shorter prefix, such as {shorter}, or fewer nodes",
        )
    return ranges


def _split(option: str, text: str, versions: Sequence[int]) -> dict[int, str]:
    """The ranges of an option by IP version."""
    found: dict[int, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        version = 6 if ":" in part else 4
        if version not in versions:
            raise ClusterError(
                f"the cluster has no IPv{version}",
                f"{option} {part}",
                "choose the families with --ip-family",
            )
        if version in found:
            raise ClusterError(
                f"more than one range of IPv{version}", f"{option} {text}", "give one of each"
            )
        found[version] = part
    return found


def networks(option: str, text: str) -> list[Network]:
    """The ranges that an option names, one of each family. Raises ClusterError."""
    parts = _split(option, text, (4, 6))
    return [_network(option, part) for part in parts.values()]


def _network(option: str, text: str) -> Network:
    version = 6 if ":" in text else 4
    try:
        return ip_network(text)
    except ValueError as error:
        example = {4: "10.96.0.0/12", 6: "fd00:10:96::/112"}[version]
        raise ClusterError(
            f"not an IPv{version} network ({error})", f"{option} {text}", f"write it like {example}"
        ) from error


def _wanted(option: str, text: str, occupied: Sequence[Occupied]) -> Network | None:
    if not text:
        return None
    network = _network(option, text)
    version = network.version
    longest_prefix = _LONGEST[option][version]
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
