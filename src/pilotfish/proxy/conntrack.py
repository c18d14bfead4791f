"""Established UDP flows that must choose anew: their conntrack entries are deleted.

A UDP client that keeps its port keeps its flow, and with it the endpoint that was chosen first,
for as long as it sends. A flow must go when its endpoint has left, and when it began before the
front had endpoints. (A TCP connection to an endpoint that left ends by itself.)

Source: include/uapi/linux/netfilter/nfnetlink_conntrack.h of Linux.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping

from pilotfish.network.message import attribute, attributes
from pilotfish.proxy.family import IPV4, Family
from pilotfish.proxy.fronts import At, Endpoint
from pilotfish.proxy.nfnetlink import (
    SUBSYSTEM_CTNETLINK,
    NetfilterError,
    NetfilterSocket,
    nested,
)

_GET, _DELETE = 1, 2
_TUPLE_ORIG, _TUPLE_REPLY, _ID, _FILTER = 1, 2, 12, 25
_TUPLE_IP, _TUPLE_PROTO = 1, 2
_PROTO_NUM, _PROTO_SRC_PORT, _PROTO_DST_PORT = 1, 2, 3
_FILTER_IP_DST, _FILTER_PROTO_NUM, _FILTER_DST_PORT = 1 << 1, 1 << 3, 1 << 5
_UDP = 17
_FRONTS_TO_ASK_ONE_BY_ONE = 16


def end_flows(
    netfilter: NetfilterSocket, family: Family, flows: Mapping[At, frozenset[Endpoint]]
) -> int:
    """End the UDP flows to these fronts that lead anywhere but to the endpoints named.

    Returns how many there were.
    """
    if len(flows) > _FRONTS_TO_ASK_ONE_BY_ONE:
        queries = [_query(family, None)]
    else:
        queries = [_query(family, at) for at in flows]
    ended = 0
    for query in queries:
        for entry in netfilter.dump(SUBSYSTEM_CTNETLINK << 8 | _GET, family.number, query):
            found = attributes(entry)
            asked_address, _, asked_port, protocol = _tuple(family, found[_TUPLE_ORIG])
            _, answering, _, _ = _tuple(family, found[_TUPLE_REPLY])
            allowed = flows.get((asked_address, "udp", asked_port))
            if protocol != _UDP or allowed is None or answering in allowed:
                continue
            ended += _delete(netfilter, family, found)
    return ended


def _query(family: Family, at: At | None) -> bytes:
    """All UDP flows, or those to one front; the kernel (5.8 and later) then lists few others.

    IPv6 addresses are left out: Linux (6.18 still) lists just those that differ from the one given
    (net/netfilter/nf_conntrack_netlink.c takes ipv6_addr_cmp for "is equal").
    """
    flags = _FILTER_PROTO_NUM
    protocol = [attribute(_PROTO_NUM, bytes([_UDP]))]
    address = b""
    if at is not None:
        flags |= _FILTER_DST_PORT
        protocol.append(attribute(_PROTO_DST_PORT, at[2].to_bytes(2, "big")))
        if family is IPV4:
            flags |= _FILTER_IP_DST
            destination = attribute(_address_attributes(family)[1], family.pack(at[0]))
            address = nested(_TUPLE_IP, destination)
    asked = nested(_TUPLE_ORIG, address, nested(_TUPLE_PROTO, *protocol))
    return asked + nested(_FILTER, attribute(1, flags), attribute(2, 0))


def _address_attributes(family: Family) -> tuple[int, int]:
    """CTA_IP_V4_SRC and _DST, or CTA_IP_V6_*."""
    return (1, 2) if family.address_bytes == 4 else (3, 4)


def _tuple(family: Family, data: bytes) -> tuple[str, Endpoint, int, int]:
    """Destination address, source as an endpoint, destination port, protocol."""
    found = attributes(data)
    ip, proto = attributes(found[_TUPLE_IP]), attributes(found[_TUPLE_PROTO])
    source, destination = _address_attributes(family)
    sent_from = Endpoint(
        family.unpack(ip[source]), int.from_bytes(proto.get(_PROTO_SRC_PORT, b""), "big")
    )
    port = int.from_bytes(proto.get(_PROTO_DST_PORT, b""), "big")
    return family.unpack(ip[destination]), sent_from, port, proto[_PROTO_NUM][0]


def _delete(netfilter: NetfilterSocket, family: Family, found: Mapping[int, bytes]) -> int:
    body = nested(_TUPLE_ORIG, found[_TUPLE_ORIG])
    if _ID in found:  # so that a flow which took the tuple over meanwhile stays
        body += attribute(_ID, found[_ID])
    try:
        netfilter.ask(SUBSYSTEM_CTNETLINK << 8 | _DELETE, family.number, body)
    except NetfilterError as error:
        if error.errno != errno.ENOENT:
            raise
        return 0
    return 1
