"""A Pod's own link: its namespace, a veth to the node, addresses and routes at both ends.

Pods are routed, not bridged: the Pod's address is a /32, everything it sends goes to the node,
so every packet crosses the node's tables, also between two Pods of one node.

    Pod namespace                      node namespace
    eth0 10.244.0.5/32  ───── veth ───── veth01234567
    default via 169.254.1.1            10.244.0.5 dev veth01234567

169.254.1.1 is nobody's address: a permanent neighbour gives it the node end's MAC, which is the
same on every Pod's link, as each link is a wire of its own. No end ever asks by ARP.

The caller's thread is in the node's namespace (the node process entered it at start).
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Sequence

from pilotfish.network import links, message, namespaces, routes
from pilotfish.network.netlink import Netlink

INTERFACE = "eth0"
NODE_MAC = "ee:ee:ee:ee:ee:ee"
_GATEWAYS: dict[int, str] = {socket.AF_INET: "169.254.1.1", socket.AF_INET6: "fe80::1"}
_DEFAULTS: dict[int, str] = {socket.AF_INET: "default", socket.AF_INET6: "::/0"}

_STRICT = 1

logger = logging.getLogger(__name__)


def create(namespace: str, link: str, addresses: Sequence[str], *, mtu: int = 1500) -> None:
    """Make the Pod's namespace, and `link` (the node's end) to it; about 2 ms. Idempotent.

    `addresses` are the Pod's IPs, one per family, without prefix lengths. Whatever of it exists
    already is kept, so a kubelet that starts again may call it for a Pod that runs.
    """
    if not namespaces.exists(namespace):
        namespaces.create(namespace, setup=_prepare_namespace)
    mac = pod_mac(addresses[0])
    with Netlink() as node, Netlink(namespace) as pod:
        if links.find(pod, INTERFACE) is None:
            if links.delete_link(node, link):
                logger.info("deleted link %s, which led to no Pod", link)
            links.create_veth(node, link, INTERFACE, namespace, mac=NODE_MAC, peer_mac=mac, mtu=mtu)
        _connect_pod(pod, addresses)
        _connect_node(node, link, addresses, mac)


def remove(namespace: str, link: str) -> None:
    """Take the Pod's routes and namespace away; fine when they are gone.

    The Pod is unreachable when this returns. The veth goes in the background, together with the
    namespace, after the last process in it: to wait for that here would cost some 30 ms a Pod.
    """
    with Netlink() as node:
        found = links.find(node, link)
        if found:
            for route in routes.all_routes(node):
                if route.link_index == found.index:
                    routes.delete(node, route.destination)
    namespaces.delete(namespace)


def pod_mac(address: str) -> str:
    """A locally administered MAC made of the address, so that both ends know it beforehand."""
    _family, packed, _length = message.pack_prefix(address)
    return (b"\x0a\x58" + packed[-4:]).hex(":")


def _prepare_namespace() -> None:
    """What a container expects of its namespace, and no IPv6 chatter that slows or clutters."""
    # As containerd's defaults: any user of a Pod may bind port 80, and ping.
    namespaces.sysctl("ipv4/ip_unprivileged_port_start", 0)
    namespaces.sysctl("ipv4/ping_group_range", "0 2147483647")
    if namespaces.has_sysctl("ipv6/conf/default"):
        namespaces.sysctl("ipv6/conf/default/addr_gen_mode", 1)
        namespaces.sysctl("ipv6/conf/default/accept_ra", 0)
    with Netlink() as nl:
        links.set_up(nl, "lo")


def _connect_pod(pod: Netlink, addresses: Sequence[str]) -> None:
    for address in addresses:
        links.add_address(pod, INTERFACE, address)
    links.set_up(pod, INTERFACE)
    for address in addresses:
        family = message.family_of(address)
        gateway = _GATEWAYS[family]
        routes.set_neighbour(pod, gateway, INTERFACE, NODE_MAC)
        routes.replace(pod, _DEFAULTS[family], via=gateway, link=INTERFACE, onlink=True)


def _connect_node(node: Netlink, link: str, addresses: Sequence[str], mac: str) -> None:
    # A Pod has no other addresses than its own: what it sends under another one is dropped before
    # anybody could answer it (RFC 3704 2.2). The kernel has no such switch for IPv6.
    namespaces.sysctl(f"ipv4/conf/{link}/rp_filter", _STRICT)
    links.set_up(node, link)
    for address in addresses:
        routes.set_neighbour(node, address, link, mac)
        routes.replace(node, address, link=link)
