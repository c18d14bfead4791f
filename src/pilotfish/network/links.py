"""Links and their addresses: veth pairs, bridges, MAC addresses, up, delete.

Every function takes the open `Netlink` of the namespace that holds the link.
Source: include/uapi/linux/if_link.h and if_addr.h; man 7 rtnetlink.
"""

from __future__ import annotations

import errno
import os
import struct
from dataclasses import dataclass

from pilotfish.network import message, namespaces
from pilotfish.network.message import attribute
from pilotfish.network.netlink import Netlink

MAX_NAME = 15  # IFNAMSIZ less the zero

_RTM_NEWLINK, _RTM_DELLINK, _RTM_GETLINK = 16, 17, 18
_RTM_NEWADDR, _RTM_GETADDR = 20, 22
_LINK = struct.Struct("=BxHiII")  # family, device type, index, flags, change mask
_ADDRESS = struct.Struct("=BBBBI")  # family, prefix length, flags, scope, index
_IFF_UP = 1
_IFA_F_NODAD = 2
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MTU, _IFLA_MASTER = 1, 3, 4, 10
_IFLA_LINKINFO, _IFLA_NET_NS_FD = 18, 28
_IFLA_INFO_KIND, _IFLA_INFO_DATA = 1, 2
_VETH_INFO_PEER = 1
_IFLA_BR_FORWARD_DELAY, _IFLA_BR_MCAST_SNOOPING = 1, 23


@dataclass(frozen=True)
class Link:
    """A link as the kernel tells it."""

    index: int
    name: str
    mac: str  # "" for a link without one
    mtu: int
    up: bool
    kind: str  # "veth", "bridge", …; "" for hardware and lo


def find(nl: Netlink, name: str) -> Link | None:
    """The link of that name, or None."""
    body = _LINK.pack(0, 0, 0, 0, 0) + attribute(_IFLA_IFNAME, name)
    try:
        (answer,) = nl.query(_RTM_GETLINK, body, f"reading link {name}", dump=False)
    except OSError as error:
        if error.errno == errno.ENODEV:
            return None
        raise
    return _decode(answer)


def index(nl: Netlink, name: str) -> int:
    """The link's index. Raises OSError ENODEV when there is none."""
    link = find(nl, name)
    if link is None:
        raise OSError(errno.ENODEV, f"there is no link {name}")
    return link.index


def all_links(nl: Netlink) -> list[Link]:
    """Every link of the namespace."""
    answers = nl.query(_RTM_GETLINK, _LINK.pack(0, 0, 0, 0, 0), "listing links")
    return [_decode(answer) for answer in answers]


def mac(nl: Netlink, name: str) -> str:
    """The link's MAC address. Raises OSError ENODEV when there is no such link."""
    link = find(nl, name)
    if link is None:
        raise OSError(errno.ENODEV, f"there is no link {name}")
    return link.mac


def create_veth(
    nl: Netlink,
    name: str,
    peer: str,
    peer_namespace: str = "",
    *,
    mac: str = "",
    peer_mac: str = "",
    mtu: int = 1500,
) -> None:
    """Make a veth pair, both ends down; the peer is born in `peer_namespace`.

    Without a MAC the kernel draws one. Raises FileExistsError when either name is taken,
    FileNotFoundError for an unknown namespace.
    """
    descriptor = -1
    end = _end(peer, peer_mac, mtu)
    if peer_namespace:
        descriptor = os.open(namespaces.path(peer_namespace), os.O_RDONLY | os.O_CLOEXEC)
        end += attribute(_IFLA_NET_NS_FD, descriptor)
    try:
        data = attribute(_VETH_INFO_PEER, _LINK.pack(0, 0, 0, 0, 0) + end)
        _create(nl, name, "veth", _end(name, mac, mtu), data)
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def create_bridge(nl: Netlink, name: str, *, mac: str = "", mtu: int = 1500) -> None:
    """Make a bridge, down. Raises FileExistsError when the name is taken.

    Without forwarding delay (there are no loops: no spanning tree), and without multicast
    snooping, whose querier would only add noise to captures.
    """
    data = attribute(_IFLA_BR_FORWARD_DELAY, 0) + attribute(_IFLA_BR_MCAST_SNOOPING, b"\0")
    _create(nl, name, "bridge", _end(name, mac, mtu), data)


def delete_link(nl: Netlink, name: str) -> bool:
    """Delete a link, a veth with its peer; False when there was none.

    Waits for the kernel to be done with the device: milliseconds.
    """
    body = _LINK.pack(0, 0, 0, 0, 0) + attribute(_IFLA_IFNAME, name)
    try:
        nl.request(_RTM_DELLINK, 0, body, f"deleting link {name}")
    except OSError as error:
        if error.errno == errno.ENODEV:
            return False
        raise
    return True


def set_up(nl: Netlink, name: str) -> None:
    """Bring a link up."""
    body = _LINK.pack(0, 0, 0, _IFF_UP, _IFF_UP) + attribute(_IFLA_IFNAME, name)
    nl.request(_RTM_NEWLINK, 0, body, f"bringing link {name} up")


def set_master(nl: Netlink, name: str, master: str) -> None:
    """Make a link a port of a bridge."""
    attributes = attribute(_IFLA_IFNAME, name) + attribute(_IFLA_MASTER, index(nl, master))
    body = _LINK.pack(0, 0, 0, 0, 0) + attributes
    nl.request(_RTM_NEWLINK, 0, body, f"adding link {name} to bridge {master}")


def add_address(nl: Netlink, name: str, prefix: str) -> None:
    """Give a link an address ("192.168.64.1/24"); fine when it has it. Takes no DAD delay."""
    what = f"adding address {prefix} to link {name}"
    flags = message.NLM_F_CREATE | message.NLM_F_REPLACE
    nl.request(_RTM_NEWADDR, flags, _address(nl, name, prefix), what)


def addresses(nl: Netlink) -> list[tuple[int, str]]:
    """Every address of the namespace as (link index, "192.168.64.1/24")."""
    found = []
    for answer in nl.query(_RTM_GETADDR, _ADDRESS.pack(0, 0, 0, 0, 0), "listing addresses"):
        _family, length, _flags, _scope, link_index = _ADDRESS.unpack_from(answer)
        given = message.attributes(answer[_ADDRESS.size :])
        packed = given.get(_IFA_LOCAL) or given[_IFA_ADDRESS]
        found.append((link_index, f"{message.text_address(packed)}/{length}"))
    return found


def _end(name: str, mac: str, mtu: int) -> bytes:
    if len(name) > MAX_NAME:
        raise ValueError(f"link name {name!r} is longer than {MAX_NAME} characters")
    given = attribute(_IFLA_IFNAME, name) + attribute(_IFLA_MTU, mtu)
    return given + (attribute(_IFLA_ADDRESS, message.pack_mac(mac)) if mac else b"")


def _create(nl: Netlink, name: str, kind: str, end: bytes, data: bytes) -> None:
    info = attribute(_IFLA_INFO_KIND, kind) + attribute(_IFLA_INFO_DATA, data)
    body = _LINK.pack(0, 0, 0, 0, 0) + end + attribute(_IFLA_LINKINFO, info)
    flags = message.NLM_F_CREATE | message.NLM_F_EXCL
    nl.request(_RTM_NEWLINK, flags, body, f"creating {kind} link {name}")


def _address(nl: Netlink, name: str, prefix: str) -> bytes:
    family, packed, length = message.pack_prefix(prefix)
    head = _ADDRESS.pack(family, length, _IFA_F_NODAD, 0, index(nl, name))
    return head + attribute(_IFA_LOCAL, packed) + attribute(_IFA_ADDRESS, packed)


def _decode(answer: bytes) -> Link:
    _family, _type, link_index, flags, _change = _LINK.unpack_from(answer)
    given = message.attributes(answer[_LINK.size :])
    info = message.attributes(given.get(_IFLA_LINKINFO, b""))
    return Link(
        index=link_index,
        name=given[_IFLA_IFNAME].rstrip(b"\0").decode(),
        mac=given.get(_IFLA_ADDRESS, b"").hex(":"),
        mtu=struct.unpack("=I", given[_IFLA_MTU])[0],
        up=bool(flags & _IFF_UP),
        kind=info.get(_IFLA_INFO_KIND, b"").rstrip(b"\0").decode(),
    )
