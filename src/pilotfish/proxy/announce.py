"""LoadBalancer addresses answer on the nodes' network, from one node at a time.

A LoadBalancer address belongs to no machine. One node of the cluster makes it its own, as a route
of type "local" and without an address on any link: then the kernel answers ARP for it there, while
the choice of source addresses (masquerade) does not change. The tables translate what arrives.

Who holds an address is a pure function of what all nodes see (`holders`), so they agree without
talking to each other: the first node by name that is Ready; under externalTrafficPolicy Local, the
first of those that run an endpoint.

Routes made here carry a protocol number of their own (man 8 ip-route), so that those of an earlier
run are found again.
"""

from __future__ import annotations

import logging
import socket
import struct
from collections.abc import Callable, Iterable, Sequence

from pilotfish.network import links, message
from pilotfish.network.message import attribute
from pilotfish.network.netlink import Netlink
from pilotfish.objects.conditions import condition
from pilotfish.objects.meta import Object, key_of, labels_of, name_of
from pilotfish.proxy.family import IPV4
from pilotfish.proxy.services import is_proxied, load_balancer_addresses

log = logging.getLogger(__name__)

_EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers"

_RTM_NEWROUTE, _RTM_DELROUTE, _RTM_GETROUTE = 24, 25, 26
_ROUTE = struct.Struct("=BBBBBBBBI")
_RTA_DST, _RTA_OIF = 1, 4
_RTN_LOCAL = 2
_RT_TABLE_LOCAL = 255
_RT_SCOPE_HOST = 254
_ROUTE_PROTOCOL = 112

_ETHERTYPE_ARP = 0x0806
_BROADCAST = b"\xff" * 6


def ready_nodes(nodes: Iterable[Object]) -> list[str]:
    """Names of the nodes that may hold addresses, in order."""
    found = []
    for node in nodes:
        ready = condition(node, "Ready")
        if ready and ready.get("status") == "True" and _EXCLUDED not in labels_of(node):
            found.append(name_of(node))
    return sorted(found)


def holders(
    services: Iterable[Object],
    slices_of: Callable[[str], Sequence[Object]],
    ready: Sequence[str],
) -> dict[str, str]:
    """Which node holds each LoadBalancer address; an address that none can hold is left out.

    `slices_of` gives the EndpointSlices of a Service by "namespace/name".
    """
    found: dict[str, str] = {}
    for service in sorted(services, key=key_of):
        if not is_proxied(service):
            continue
        candidates: Sequence[str] = ready
        addresses = load_balancer_addresses(service, IPV4)
        if addresses and service["spec"].get("externalTrafficPolicy") == "Local":
            running = _nodes_with_endpoints(slices_of(key_of(service)))
            candidates = [node for node in ready if node in running]
        for address in addresses:
            if candidates:
                found.setdefault(address, candidates[0])
    return found


def _nodes_with_endpoints(slices: Iterable[Object]) -> set[str]:
    """Nodes with an endpoint that is ready; if there is none, with one that terminates and serves.

    As `endpoints.usable`, but for all ports together: an address moves as a whole.
    """
    ready, leaving = set(), set()
    for endpoint_slice in slices:
        for endpoint in endpoint_slice.get("endpoints") or ():
            conditions = endpoint.get("conditions") or {}
            if conditions.get("ready") is not False:
                ready.add(endpoint.get("nodeName") or "")
            elif conditions.get("serving") and conditions.get("terminating"):
                leaving.add(endpoint.get("nodeName") or "")
    return ready or leaving


class Announcer:
    """Takes and gives up addresses on this node; `link` leads to the nodes' network."""

    def __init__(self, link: str) -> None:
        self._link = link
        self._netlink = Netlink()
        # Made here, as later calls may come from a thread in another network namespace.
        self._arp = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETHERTYPE_ARP))
        self._held = set(self._listed())

    def close(self) -> None:
        self._netlink.close()
        self._arp.close()

    def hold(self, addresses: Iterable[str]) -> None:
        """Hold exactly these addresses. Raises OSError."""
        wanted = set(addresses)
        for address in sorted(self._held - wanted):
            self._route(_RTM_DELROUTE, 0, address)
            self._held.discard(address)
            log.info("LoadBalancer address %s is no longer answered for by this node", address)
        for address in sorted(wanted - self._held):
            self._route(_RTM_NEWROUTE, message.NLM_F_CREATE | message.NLM_F_REPLACE, address)
            self._held.add(address)
            self._tell_neighbours(address)
            log.info("LoadBalancer address %s is answered for by this node", address)

    def _listed(self) -> Iterable[str]:
        """Addresses that an earlier run of this node's proxy held."""
        head = _ROUTE.pack(socket.AF_INET, 0, 0, 0, _RT_TABLE_LOCAL, 0, 0, 0, 0)
        for answer in self._netlink.query(_RTM_GETROUTE, head, "listing local routes"):
            if answer[4] == _RT_TABLE_LOCAL and answer[5] == _ROUTE_PROTOCOL:
                packed = message.attributes(answer[_ROUTE.size :])[_RTA_DST]
                yield message.text_address(packed)

    def _route(self, kind: int, flags: int, address: str) -> None:
        head = _ROUTE.pack(
            socket.AF_INET, 32, 0, 0,
            _RT_TABLE_LOCAL, _ROUTE_PROTOCOL, _RT_SCOPE_HOST, _RTN_LOCAL, 0,
        )  # fmt: skip
        body = attribute(_RTA_DST, socket.inet_aton(address))
        body += attribute(_RTA_OIF, links.index(self._netlink, "lo"))
        verb = "taking" if kind == _RTM_NEWROUTE else "giving up"
        try:
            self._netlink.request(kind, flags, head + body, f"{verb} address {address}")
        except ProcessLookupError:
            if kind != _RTM_DELROUTE:  # gone already: what was wanted
                raise

    def _tell_neighbours(self, address: str) -> None:
        """Gratuitous ARP (RFC 5227 section 3): neighbours that know another MAC forget it."""
        mac = message.pack_mac(links.mac(self._netlink, self._link))
        self._arp.sendto(announcement(mac, address), (self._link, _ETHERTYPE_ARP))


def announcement(mac: bytes, address: str) -> bytes:
    """The Ethernet frame of an ARP announcement (RFC 5227 section 2.3, RFC 826)."""
    packed = socket.inet_aton(address)
    request = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1)
    arp = request + mac + packed + bytes(6) + packed
    return _BROADCAST + mac + struct.pack("!H", _ETHERTYPE_ARP) + arp
