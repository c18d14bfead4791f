"""A node's interfaces and addresses: which lead to Pods, and what changes about them.

Follows rtnetlink's notices; what has changed is then read again, since changes are rare and a
notice that was lost must do no harm.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
from collections.abc import Iterable
from dataclasses import dataclass

from pilotfish.network import links, namespaces, routes
from pilotfish.network.links import Link
from pilotfish.network.netlink import Netlink

log = logging.getLogger(__name__)

# linux/rtnetlink.h: RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR
_GROUPS = 0x1 | 0x10 | 0x100
_RECEIVE_BYTES = 1 << 16
# What packets pass on their way between a Pod's link and another one.
_INNER_KINDS = frozenset(("bridge", "dummy", "ipvlan", "macvlan"))


@dataclass(frozen=True)
class Interfaces:
    """What a node has.

    Attributes:
        names: interface names by index.
        pod_links: indexes of those that lead to local Pods.
        outer_links: indexes of those that lead to other nodes and to the world.
        addresses: the node's own addresses, 4 or 16 bytes.
    """

    names: dict[int, str]
    pod_links: frozenset[int]
    outer_links: frozenset[int]
    addresses: frozenset[bytes]


def classify(
    found: Iterable[Link], gateway_links: Iterable[int], addresses: Iterable[str]
) -> Interfaces:
    """Tell interfaces apart.

    Args:
        found: the interfaces.
        gateway_links: indexes of those that a gateway is reached by: a veth among them is the
            way out of a node that lives in a namespace, not the way to a Pod.
        addresses: the node's addresses, with or without the length of their prefix.
    """
    outside = frozenset(gateway_links)
    names: dict[int, str] = {}
    pod_links, outer_links = set(), set()
    for link in found:
        names[link.index] = link.name
        if link.kind == "veth" and link.index not in outside:
            pod_links.add(link.index)
        elif link.name != "lo" and link.kind not in _INNER_KINDS:
            outer_links.add(link.index)
    return Interfaces(
        names,
        frozenset(pod_links),
        frozenset(outer_links),
        frozenset(ipaddress.ip_address(each.partition("/")[0]).packed for each in addresses),
    )


class InterfaceFollower:
    """Knows the interfaces of the network namespace of the thread that makes it.

    Attributes:
        present: what the node has, as of the last `refresh`.
    """

    def __init__(self) -> None:
        self._notices = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE
        )
        # From before the first reading on, so that nothing happens unheard between the two.
        self._notices.bind((0, _GROUPS))
        self._netlink = Netlink()
        self.present = self._read()

    def fileno(self) -> int:
        """Readable when something changed, for event loops: then call `refresh`."""
        return self._notices.fileno()

    def refresh(self) -> None:
        """Take the notices and read the interfaces again."""
        while True:
            try:
                self._notices.recv(_RECEIVE_BYTES)
            except BlockingIOError:
                break
            except OSError as error:  # ENOBUFS: notices were lost
                log.debug("notices of interface changes: %s", error)
        self.present = self._read()

    def close(self) -> None:
        self._notices.close()
        self._netlink.close()

    def _read(self) -> Interfaces:
        gateway_links = [
            route.link_index
            for family in _families()
            for route in routes.all_routes(self._netlink, family)
            if route.gateways
        ]
        addresses = [address for _, address in links.addresses(self._netlink)]
        return classify(links.all_links(self._netlink), gateway_links, addresses)


def _families() -> list[int]:
    """The address families that this kernel has, in the thread's namespace."""
    has_ipv6 = namespaces.has_sysctl("ipv6/conf/default")
    return [socket.AF_INET, socket.AF_INET6] if has_ipv6 else [socket.AF_INET]
