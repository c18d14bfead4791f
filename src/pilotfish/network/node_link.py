"""A cluster's wires: the host's link, the bridge, and each node's namespace with its veth to it.

    host namespace                     wires namespace            node namespace
    pf-default 192.168.64.1/24 ─ veth ─ bridge ─ veth ─ eth0 192.168.64.2/24, lo 10.244.0.1/32
    10.244.0.0/24 via 192.168.64.2                        default via 192.168.64.1
    10.244.1.0/24 via 192.168.64.3                        10.244.1.0/24 via 192.168.64.3
    10.96.0.0/12  via both                                unreachable 10.244.0.0/16

IPv6 has the same addresses and routes of its own, in a dual-stack cluster on the same links.

The bridge has a namespace of its own because the host's firewall is not ours: where br_netfilter
is loaded and forwarding denied (Docker does both), packets between two nodes would be dropped on
a bridge in the host's namespace.

Called from a thread in the host's namespace. Everything is idempotent; `remove_cluster` needs
nothing but the name, so it also clears up after a crash, and without cluster.json.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from pilotfish.network import links, message, namespaces, naming, routes, safety
from pilotfish.network.netlink import Netlink

INTERFACE = "eth0"
_BRIDGE, _HOST_PORT = "bridge", "host"  # within the namespace of the wires


@dataclass(frozen=True)
class ClusterNetwork:
    """What all nodes of a cluster share."""

    cluster: str
    node_range: str  # "192.168.64.0/24"; its first address is the host's
    pod_range: str  # "10.244.0.0/16"
    service_range: str  # "10.96.0.0/12"
    # Those of the other address family in a dual-stack cluster, else "".
    second_node_range: str = ""
    second_pod_range: str = ""
    second_service_range: str = ""

    @property
    def host_address(self) -> str:
        """The host's address on the bridge, "192.168.64.1"."""
        return self.host_addresses[0]

    @property
    def host_addresses(self) -> list[str]:
        """One of each family."""
        return [str(ipaddress.ip_network(prefix)[1]) for prefix in self.node_ranges]

    @property
    def node_ranges(self) -> list[str]:
        return [prefix for prefix in (self.node_range, self.second_node_range) if prefix]

    @property
    def pod_ranges(self) -> list[str]:
        return [prefix for prefix in (self.pod_range, self.second_pod_range) if prefix]

    @property
    def service_ranges(self) -> list[str]:
        return [prefix for prefix in (self.service_range, self.second_service_range) if prefix]

    @property
    def ranges(self) -> list[str]:
        """What must never leave by the uplink."""
        return [*self.pod_ranges, *self.service_ranges]


@dataclass(frozen=True)
class NodeNetwork:
    """One node's part."""

    name: str  # "node-1"
    address: str  # "192.168.64.2"
    pod_cidr: str  # "10.244.0.0/24"
    # Of the other address family in a dual-stack cluster, else "".
    second_address: str = ""
    second_pod_cidr: str = ""

    @property
    def addresses(self) -> list[str]:
        return [address for address in (self.address, self.second_address) if address]

    @property
    def pod_cidrs(self) -> list[str]:
        return [prefix for prefix in (self.pod_cidr, self.second_pod_cidr) if prefix]

    @property
    def own_pod_addresses(self) -> list[str]:
        """The addresses from which the node speaks to its own Pods: each podCIDR's first."""
        return [str(ipaddress.ip_network(prefix)[1]) for prefix in self.pod_cidrs]


def create_bridge(network: ClusterNetwork) -> None:
    """Make the bridge, the host's link to it with its address, and the guards of `safety`."""
    wires = naming.wires_namespace(network.cluster)
    link = naming.host_link(network.cluster)
    if not namespaces.exists(wires):
        namespaces.create(wires, setup=_prepare_wires)
    with Netlink() as host, Netlink(wires) as inner:
        if links.find(inner, _BRIDGE) is None:
            links.create_bridge(inner, _BRIDGE, mac=_mac("bridge", link))
            links.set_up(inner, _BRIDGE)
        if links.find(inner, _HOST_PORT) is None:
            links.delete_link(host, link)
            _create_cable(host, link, _HOST_PORT, wires)
            # Nobody on the host shall wait for duplicate detection, or ask for IPv6 routers here.
            if namespaces.has_sysctl(f"ipv6/conf/{link}"):
                namespaces.sysctl(f"ipv6/conf/{link}/addr_gen_mode", 1)
                namespaces.sysctl(f"ipv6/conf/{link}/accept_ra", 0)
        links.set_master(inner, _HOST_PORT, _BRIDGE)
        links.set_up(inner, _HOST_PORT)
        if _has_ipv6(network):
            # Inside a container, new links often are without IPv6.
            namespaces.sysctl(f"ipv6/conf/{link}/disable_ipv6", 0)
        for address, prefix in zip(network.host_addresses, network.node_ranges, strict=True):
            for own in _on_wire(address, prefix):
                links.add_address(host, link, own)
        safety.guard(host, link, network.ranges)
        links.set_up(host, link)


def create_node(network: ClusterNetwork, node: NodeNetwork) -> None:
    """Make the node's namespace, its veth to the bridge, its addresses and default route."""
    namespace = naming.node_namespace(network.cluster, node.name)
    port = naming.link_name(node.name)
    if not namespaces.exists(namespace):
        setup = _prepare_node_of_ipv6 if _has_ipv6(network) else _prepare_node
        namespaces.create(namespace, setup=setup)
    with (
        Netlink(naming.wires_namespace(network.cluster)) as wires,
        Netlink(namespace) as inner,
    ):
        if links.find(wires, port) is None or links.find(inner, INTERFACE) is None:
            links.delete_link(wires, port)
            links.delete_link(inner, INTERFACE)
            _create_cable(wires, port, INTERFACE, namespace)
        links.set_master(wires, port, _BRIDGE)
        links.set_up(wires, port)
        for address, prefix in zip(node.addresses, network.node_ranges, strict=True):
            for own in _on_wire(address, prefix):
                links.add_address(inner, INTERFACE, own)
        links.set_up(inner, INTERFACE)
        for address in node.own_pod_addresses:
            links.add_address(inner, "lo", address)
        for gateway in network.host_addresses:
            routes.replace(inner, routes.default_of(gateway), via=gateway)
        # A Pod that is not there is refused at once instead of being sent to the host and back.
        for prefix in network.pod_ranges:
            routes.replace_unreachable(inner, prefix, safety.METRIC)


def set_routes(network: ClusterNetwork, nodes: Sequence[NodeNetwork]) -> None:
    """Lead every node's podCIDR to it, on the host and on the others, and Services to all.

    Call it with all nodes after one came or went (a node that went takes its veth along; here
    its routes go). Without nodes the ranges stay unreachable.
    """
    link = naming.host_link(network.cluster)
    with Netlink() as host:
        _set_pod_routes(host, network, nodes)
        if nodes:
            for index, prefix in enumerate(network.service_ranges):
                gateways = [node.addresses[index] for node in nodes]
                routes.replace(host, prefix, via=gateways, link=link)
        else:
            for prefix in network.service_ranges:
                routes.delete(host, prefix, metric=0)
            safety.guard(host, link, network.ranges)
    for node in nodes:
        with Netlink(naming.node_namespace(network.cluster, node.name)) as inner:
            _set_pod_routes(inner, network, [other for other in nodes if other != node])


def remove_node(network: ClusterNetwork, name: str) -> None:
    """Take away a node's veth and namespace; fine when they are gone. See `set_routes`."""
    wires = naming.wires_namespace(network.cluster)
    if namespaces.exists(wires):
        with Netlink(wires) as inner:
            links.delete_link(inner, naming.link_name(name))
    namespaces.delete(naming.node_namespace(network.cluster, name))


def owned_namespaces(cluster: str) -> list[str]:
    """The cluster's network namespaces that are there: of nodes, of Pods, of the bridge."""
    found = namespaces.names(f"{naming.PREFIX}{cluster}-")
    return [name for name in found if naming.belongs_to(cluster, name)]


def remove_cluster(cluster: str) -> list[str]:
    """Take away everything of the cluster: nodes, Pods, bridge, host's link, routes, guards.

    Fine when any of it is gone. Processes inside the namespaces are the caller's to end.
    Returns the ranges that were guarded.
    """
    link = naming.host_link(cluster)
    with Netlink() as host:
        links.delete_link(host, link)  # and with it the routes over it
        guarded = safety.unguard(host, link)
    for namespace in owned_namespaces(cluster):
        namespaces.delete(namespace)
    namespaces.remove_folder_if_empty()
    return guarded


def _on_wire(address: str, prefix: str) -> list[str]:
    """The address with the length of the range it is in; for IPv6 a link-local one as well.

    The kernel looks for the neighbours of packets that it forwards from no other address: without
    one it asks nobody, and the packets are lost (RFC 4861 section 7.2.2 leaves it open).
    """
    network = ipaddress.ip_network(prefix)
    found = [f"{address}/{network.prefixlen}"]
    if network.version == 6:
        number = int(ipaddress.ip_address(address)) - int(network.network_address)
        found.append(f"{ipaddress.IPv6Network('fe80::/64')[number]}/64")
    return found


def _has_ipv6(network: ClusterNetwork) -> bool:
    return any(":" in prefix for prefix in network.node_ranges)


def _create_cable(near: Netlink, link: str, peer: str, peer_namespace: str) -> None:
    """A veth whose ends have the same MACs after every restart, so that no neighbour is stale.

    A MAC of our own choice is also one that udev leaves alone on the host.
    """
    links.create_veth(
        near,
        link,
        peer,
        peer_namespace,
        mac=_mac("near end", f"{peer_namespace}/{link}"),
        peer_mac=_mac("far end", f"{peer_namespace}/{link}"),
    )


def _set_pod_routes(nl: Netlink, network: ClusterNetwork, nodes: Sequence[NodeNetwork]) -> None:
    """Exactly one route per node's podCIDR within the Pod range."""
    wanted = {
        pod_cidr: address
        for node in nodes
        for pod_cidr, address in zip(node.pod_cidrs, node.addresses, strict=True)
    }
    for prefix in network.pod_ranges:
        pod_range = ipaddress.ip_network(prefix)
        for route in routes.all_routes(nl, message.family_of(prefix)):
            # A route without gateway is a Pod's own link, or the guard.
            if not route.gateways or route.destination in wanted:
                continue
            if ipaddress.ip_network(route.destination).subnet_of(pod_range):  # type: ignore[arg-type]
                routes.delete(nl, route.destination, metric=route.metric)
    for pod_cidr, address in wanted.items():
        routes.replace(nl, pod_cidr, via=address)


def _prepare_wires() -> None:
    """Nothing but a bridge: no IPv6 of its own, no detour through packet filters."""
    _quiet_ipv6()
    if namespaces.has_sysctl("bridge/bridge-nf-call-iptables"):
        for key in ("bridge-nf-call-iptables", "bridge-nf-call-ip6tables"):
            namespaces.sysctl(f"bridge/{key}", 0)


def _prepare_node() -> None:
    """A node routes between its Pods and the bridge."""
    # rp_filter is inherited from the machine; symmetric routing is not a given with multipath.
    for key in ("ipv4/ip_forward", "ipv4/conf/all/rp_filter", "ipv4/conf/default/rp_filter"):
        namespaces.sysctl(key, 1 if key == "ipv4/ip_forward" else 0)
    # An ICMP redirect would teach Pods a way around the node's tables.
    namespaces.sysctl("ipv4/conf/all/send_redirects", 0)
    namespaces.sysctl("ipv4/conf/default/send_redirects", 0)
    _quiet_ipv6()
    # A packet outside the window of a translated connection must be translated too: the Pod
    # would answer the stray original with a reset (kube-proxy sets it for the same reason).
    if namespaces.has_sysctl("netfilter/nf_conntrack_tcp_be_liberal"):
        namespaces.sysctl("netfilter/nf_conntrack_tcp_be_liberal", 1)
    with Netlink() as nl:
        links.set_up(nl, "lo")


def _prepare_node_of_ipv6() -> None:
    namespaces.sysctl("ipv6/conf/all/forwarding", 1)
    _prepare_node()


def _quiet_ipv6() -> None:
    """No link-local addresses of the kernel's choice: no duplicate detection, no solicitations."""
    if namespaces.has_sysctl("ipv6/conf/default"):
        namespaces.sysctl("ipv6/conf/default/addr_gen_mode", 1)
        namespaces.sysctl("ipv6/conf/default/accept_ra", 0)


def _mac(role: str, link: str) -> str:
    """A locally administered MAC from a hash, the same after every restart."""
    return (b"\x02" + hashlib.sha256(f"{role} {link}".encode()).digest()[:5]).hex(":")
