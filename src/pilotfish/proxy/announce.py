"""LoadBalancer addresses answer on the nodes' network, from one node at a time.

A LoadBalancer address belongs to no machine. One node of the cluster makes it its own, as a route
of type "local" and without an address on any link: then the kernel answers ARP for it there, while
the choice of source addresses (masquerade) does not change. The tables translate what arrives.
For IPv6 the kernel answers neighbour discovery only for addresses of the link itself; so there it
is one, but deprecated, which the kernel chooses for nothing that it sends (RFC 6724 section 5).

Who holds an address is a pure function of what all nodes see (`holders`), so they agree without
talking to each other: the first node by name that is Ready; under externalTrafficPolicy Local, the
first of those that run an endpoint.

Routes made here carry a protocol number of their own (man 8 ip-route), so that those of an earlier
run are found again.
"""

from __future__ import annotations

import errno
import logging
import socket
import struct
from collections.abc import Callable, Iterable, Sequence

from pilotfish.network import links, message
from pilotfish.network.message import attribute
from pilotfish.network.netlink import Netlink
from pilotfish.objects.conditions import condition
from pilotfish.objects.meta import Object, key_of, labels_of, name_of
from pilotfish.proxy.family import FAMILIES
from pilotfish.proxy.services import is_proxied, load_balancer_addresses

log = logging.getLogger(__name__)

_EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers"

_RTM_NEWADDR, _RTM_DELADDR, _RTM_GETADDR = 20, 21, 22
_ADDRESS = struct.Struct("=BBBBI")  # family, prefix length, flags, scope, link index
_LIFETIMES = struct.Struct("=IIII")  # preferred, valid; two more that only the kernel writes
_FOREVER = 0xFFFFFFFF
_IFA_ADDRESS, _IFA_LOCAL, _IFA_CACHEINFO = 1, 2, 6
_IFA_F_NODAD, _IFA_F_DEPRECATED = 0x02, 0x20
_RTM_NEWROUTE, _RTM_DELROUTE, _RTM_GETROUTE = 24, 25, 26
_ROUTE = struct.Struct("=BBBBBBBBI")
_RTA_DST, _RTA_OIF = 1, 4
_RTN_LOCAL = 2
_RT_TABLE_LOCAL = 255
_RT_SCOPE_HOST = 254
_ROUTE_PROTOCOL = 112

_ETHERTYPE_ARP, _ETHERTYPE_IPV6 = 0x0806, 0x86DD
_BROADCAST = b"\xff" * 6
_ALL_NODES = socket.inet_pton(socket.AF_INET6, "ff02::1")
_ALL_NODES_MAC = b"\x33\x33\0\0\0\1"  # RFC 2464 section 7
_ICMPV6 = 58
_NEIGHBOUR_ADVERTISEMENT = 136
_OVERRIDE = 0x20000000


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
        addresses = [
            address for family in FAMILIES for address in load_balancer_addresses(service, family)
        ]
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
            self._give_up(address)
            self._held.discard(address)
            log.info("LoadBalancer address %s is no longer answered for by this node", address)
        for address in sorted(wanted - self._held):
            self._take(address)
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
        head = _ADDRESS.pack(socket.AF_INET6, 0, 0, 0, 0)
        for answer in self._netlink.query(_RTM_GETADDR, head, "listing IPv6 addresses"):
            family, length, flags, _scope, _index = _ADDRESS.unpack_from(answer)
            if family == socket.AF_INET6 and length == 128 and flags & _IFA_F_DEPRECATED:
                packed = message.attributes(answer[_ADDRESS.size :])[_IFA_ADDRESS]
                yield message.text_address(packed)

    def _take(self, address: str) -> None:
        flags = message.NLM_F_CREATE | message.NLM_F_REPLACE
        if ":" in address:
            lifetimes = attribute(_IFA_CACHEINFO, _LIFETIMES.pack(0, _FOREVER, 0, 0))
            self._link_address(_RTM_NEWADDR, flags, address, lifetimes)
        else:
            self._route(_RTM_NEWROUTE, flags, address)

    def _give_up(self, address: str) -> None:
        if ":" in address:
            try:
                self._link_address(_RTM_DELADDR, 0, address, b"")
            except OSError as error:
                if error.errno != errno.EADDRNOTAVAIL:  # gone already: what was wanted
                    raise
        else:
            self._route(_RTM_DELROUTE, 0, address)

    def _link_address(self, kind: int, flags: int, address: str, more: bytes) -> None:
        packed = socket.inet_pton(socket.AF_INET6, address)
        link_index = links.index(self._netlink, self._link)
        body = _ADDRESS.pack(socket.AF_INET6, 128, _IFA_F_NODAD, 0, link_index)
        body += attribute(_IFA_LOCAL, packed) + attribute(_IFA_ADDRESS, packed) + more
        verb = "taking" if kind == _RTM_NEWADDR else "giving up"
        self._netlink.request(kind, flags, body, f"{verb} address {address}")

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
        """Gratuitous ARP (RFC 5227 section 3): neighbours that know another MAC forget it.

        For IPv6 an unsolicited neighbour advertisement (RFC 4861 section 7.2.6).
        """
        mac = message.pack_mac(links.mac(self._netlink, self._link))
        if ":" in address:
            self._arp.sendto(advertisement(mac, address), (self._link, _ETHERTYPE_IPV6))
            return
        self._arp.sendto(announcement(mac, address), (self._link, _ETHERTYPE_ARP))


def announcement(mac: bytes, address: str) -> bytes:
    """The Ethernet frame of an ARP announcement (RFC 5227 section 2.3, RFC 826)."""
    packed = socket.inet_aton(address)
    request = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1)
    arp = request + mac + packed + bytes(6) + packed
    return _BROADCAST + mac + struct.pack("!H", _ETHERTYPE_ARP) + arp


def advertisement(mac: bytes, address: str) -> bytes:
    """The Ethernet frame of an unsolicited neighbour advertisement (RFC 4861 section 4.4)."""
    packed = socket.inet_pton(socket.AF_INET6, address)
    option = struct.pack("!BB", 2, 1) + mac  # target link-layer address
    flags_and_target = struct.pack("!I", _OVERRIDE) + packed + option
    length = 4 + len(flags_and_target)
    pseudo_header = packed + _ALL_NODES + struct.pack("!II", length, _ICMPV6)
    unsummed = struct.pack("!BBH", _NEIGHBOUR_ADVERTISEMENT, 0, 0) + flags_and_target
    checksum = _checksum(pseudo_header + unsummed)
    icmp = struct.pack("!BBH", _NEIGHBOUR_ADVERTISEMENT, 0, checksum) + flags_and_target
    # Hop limit 255 proves that no router passed it on (RFC 4861 section 7.1.2).
    header = struct.pack("!IHBB", 6 << 28, length, _ICMPV6, 255) + packed + _ALL_NODES
    return _ALL_NODES_MAC + mac + struct.pack("!H", _ETHERTYPE_IPV6) + header + icmp


def _checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
