"""The node's connection tracking: which endpoint was chosen for a connection.

Asked once for each connection that entered here, when the first of its exchanges is told. The
entry outlives the connection by seconds (nf_conntrack_tcp_timeout_*), the tap looks sooner. That
is cheaper than following the kernel's events, which tell of every connection of the node, and
cannot miss one when there are more events than their buffer holds.

Source: include/uapi/linux/netfilter/nfnetlink_conntrack.h of Linux.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from typing import NamedTuple

from pilotfish.network.message import (
    NLMSG_ERROR,
    attribute,
    attributes,
    error,
    messages,
    request,
)

TCP, UDP = 6, 17

_NETLINK_NETFILTER = 12
_GET = 1 << 8 | 1  # NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET
_NESTED = 0x8000
_TUPLE_ORIG, _TUPLE_REPLY = 1, 2
_TUPLE_IP, _TUPLE_PROTO = 1, 2
_PROTO_NUM, _PROTO_SRC_PORT, _PROTO_DST_PORT = 1, 2, 3
_IPV4_ATTRIBUTES, _IPV6_ATTRIBUTES = (1, 2), (3, 4)  # CTA_IP_V4_SRC and _DST, CTA_IP_V6_…
_RECEIVE_BYTES = 1 << 16


class Tuple(NamedTuple):
    """One direction of a connection; addresses have 4 or 16 bytes."""

    source: bytes
    source_port: int
    target: bytes
    target_port: int


class Endpoint(NamedTuple):
    """An address (4 or 16 bytes) and a port."""

    address: bytes
    port: int


def query(flow: Tuple, protocol: int, sequence: int) -> bytes:
    """The request for the entry that has `flow` as its original or its reply direction."""
    source, target = _IPV4_ATTRIBUTES if len(flow.source) == 4 else _IPV6_ATTRIBUTES
    addresses = attribute(source, flow.source) + attribute(target, flow.target)
    ports = (
        attribute(_PROTO_NUM, bytes([protocol]))
        + attribute(_PROTO_SRC_PORT, struct.pack("!H", flow.source_port))
        + attribute(_PROTO_DST_PORT, struct.pack("!H", flow.target_port))
    )
    body = attribute(
        _TUPLE_ORIG | _NESTED,
        attribute(_TUPLE_IP | _NESTED, addresses) + attribute(_TUPLE_PROTO | _NESTED, ports),
    )
    family = socket.AF_INET if len(flow.source) == 4 else socket.AF_INET6
    return request(_GET, 0, sequence, struct.pack("!BBH", family, 0, 0) + body)


def entry(body: bytes) -> tuple[Tuple, Tuple] | None:
    """The original and the reply direction in the body of an answer.

    None for what has no ports, or is cut short.
    """
    found = attributes(body[4:])
    try:
        return _tuple(found[_TUPLE_ORIG]), _tuple(found[_TUPLE_REPLY])
    except (KeyError, struct.error):
        return None


def chosen(flow: Tuple, original: Tuple, reply: Tuple) -> Endpoint | None:
    """Where `flow` was led to by translation; None when it went where it was sent."""
    answering = Endpoint(reply.source, reply.source_port)
    translated = answering != (original.target, original.target_port)
    # What the node's own processes send is seen translated already: it is no original.
    return answering if translated and flow == original else None


class Conntrack:
    """Connection tracking of the network namespace of the thread that makes it. Calls block."""

    def __init__(self) -> None:
        """Raises OSError where the kernel has no ctnetlink."""
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER)
        self._socket.bind((0, 0))
        self._sequence = 0

    def close(self) -> None:
        self._socket.close()

    def endpoint(self, flow: Tuple, protocol: int) -> Endpoint | None:
        """The endpoint chosen for a connection, as it was sent by its client.

        None when it was not translated, or is not known (any more).
        Raises PermissionError without CAP_NET_ADMIN.
        """
        found = self._ask(flow, protocol)
        return chosen(flow, *found) if found is not None else None

    def original(self, flow: Tuple, protocol: int) -> Tuple | None:
        """What a connection was before it was translated to `flow`; None when not known."""
        back = Tuple(flow.target, flow.target_port, flow.source, flow.source_port)
        found = self._ask(back, protocol)
        return found[0] if found is not None else None

    def _ask(self, flow: Tuple, protocol: int) -> tuple[Tuple, Tuple] | None:
        self._sequence += 1
        self._socket.send(query(flow, protocol, self._sequence))
        while True:
            for kind, flags, sequence, body in messages(self._socket.recv(_RECEIVE_BYTES)):
                if sequence != self._sequence:
                    continue
                if kind != NLMSG_ERROR:
                    return entry(body)
                code, _ = error(flags, body)
                if code in (0, errno.ENOENT):
                    return None
                raise OSError(code, f"connection tracking: {os.strerror(code)}")


def _tuple(data: bytes) -> Tuple:
    found = attributes(data)
    ip, ports = attributes(found[_TUPLE_IP]), attributes(found[_TUPLE_PROTO])
    source, target = _IPV4_ATTRIBUTES if _IPV4_ATTRIBUTES[0] in ip else _IPV6_ATTRIBUTES
    (source_port,) = struct.unpack("!H", ports[_PROTO_SRC_PORT])
    (target_port,) = struct.unpack("!H", ports[_PROTO_DST_PORT])
    return Tuple(ip[source], source_port, ip[target], target_port)
