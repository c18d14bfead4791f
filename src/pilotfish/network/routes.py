"""Routes, policy rules and permanent neighbours of a namespace.

Every function takes the open `Netlink` of the namespace.
Source: include/uapi/linux/{rtnetlink,neighbour,fib_rules}.h; man 7 rtnetlink, man 8 ip-route.
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from pilotfish.network import links, message
from pilotfish.network.message import attribute
from pilotfish.network.netlink import Netlink

_RTM_NEWROUTE, _RTM_DELROUTE, _RTM_GETROUTE = 24, 25, 26
_RTM_NEWNEIGH = 28
_RTM_NEWRULE, _RTM_DELRULE = 32, 33
# family, destination and source lengths, tos, table, protocol, scope, type, flags
_ROUTE = struct.Struct("=BBBBBBBBI")
_NEXT_HOP = struct.Struct("=HBBi")  # length, flags, weight less one, link index
_NEIGHBOUR = struct.Struct("=BxxxiHBB")  # family, link index, state, flags, type
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_PRIORITY = 1, 4, 5, 6
_RTA_PREFSRC, _RTA_MULTIPATH = 7, 9
_RTN_UNICAST, _RTN_UNREACHABLE = 1, 7
_RT_TABLE_MAIN = 254
_RTPROT_STATIC = 4
_RT_SCOPE_UNIVERSE, _RT_SCOPE_LINK, _RT_SCOPE_NOWHERE = 0, 253, 255
_RTNH_F_ONLINK = 4
_NUD_PERMANENT = 0x80
_NDA_DST, _NDA_LLADDR = 1, 2
_FRA_IIFNAME, _FRA_PRIORITY = 3, 6
_FR_ACT_UNREACHABLE = 7


@dataclass(frozen=True)
class Route:
    """A route of the main table. `destination` is a prefix; the default is "0.0.0.0/0" or "::/0".

    A multipath route has several `gateways`, and the link of its first in `link_index`.
    """

    destination: str
    gateways: tuple[str, ...]
    link_index: int  # 0: none
    metric: int
    unreachable: bool


def replace(
    nl: Netlink,
    destination: str,
    *,
    via: str | Sequence[str] = (),
    link: str = "",
    onlink: bool = False,
    source: str = "",
    metric: int = 0,
) -> None:
    """Set the route to a prefix, or to "default" (IPv4) or "::/0".

    `via` is a gateway or several (multipath, equal weights); without it the destination is on
    `link`. `onlink`: the gateway is there though no route says so. `source` is the preferred
    source address. A route of the same destination and metric is replaced.
    Raises OSError ENETUNREACH for a gateway that cannot be reached, ENODEV for an unknown link.
    """
    gateways = [via] if isinstance(via, str) else list(via)
    family, packed, length = _destination(destination)
    flags = _RTNH_F_ONLINK if onlink else 0
    link_index = links.index(nl, link) if link else 0
    body = b""
    if packed:
        body += attribute(_RTA_DST, packed)
    if source:
        body += attribute(_RTA_PREFSRC, message.pack_prefix(source)[1])
    if metric:
        body += attribute(_RTA_PRIORITY, metric)
    if len(gateways) > 1:
        hops = b""
        for gateway in gateways:
            hop = attribute(_RTA_GATEWAY, message.pack_prefix(gateway)[1])
            hops += _NEXT_HOP.pack(_NEXT_HOP.size + len(hop), flags, 0, link_index) + hop
        body += attribute(_RTA_MULTIPATH, hops)
    else:
        if gateways:
            body += attribute(_RTA_GATEWAY, message.pack_prefix(gateways[0])[1])
        if link_index:
            body += attribute(_RTA_OIF, link_index)
    scope = _RT_SCOPE_UNIVERSE if gateways or family == socket.AF_INET6 else _RT_SCOPE_LINK
    head = _head(family, length, _RTN_UNICAST, scope, flags if len(gateways) < 2 else 0)
    _put(nl, head + body, f"setting the route to {destination}")


def replace_unreachable(nl: Netlink, destination: str, metric: int) -> None:
    """Refuse a prefix at once ("No route to host") where no better route exists."""
    family, packed, length = _destination(destination)
    head = _head(family, length, _RTN_UNREACHABLE, _RT_SCOPE_UNIVERSE)
    body = attribute(_RTA_DST, packed) + attribute(_RTA_PRIORITY, metric)
    _put(nl, head + body, f"setting the unreachable route to {destination}")


def delete(nl: Netlink, destination: str, *, metric: int = 0) -> bool:
    """Delete the route to a prefix with that metric (0: whichever); False when there is none."""
    family, packed, length = _destination(destination)
    body = _head(family, length, 0, _RT_SCOPE_NOWHERE, protocol=0)
    if packed:
        body += attribute(_RTA_DST, packed)
    if metric:
        body += attribute(_RTA_PRIORITY, metric)
    try:
        nl.request(_RTM_DELROUTE, 0, body, f"deleting the route to {destination}")
    except ProcessLookupError:  # ESRCH: no such route
        return False
    return True


def all_routes(nl: Netlink, family: int = socket.AF_INET) -> list[Route]:
    """The routes of the main table."""
    body = _ROUTE.pack(family, 0, 0, 0, _RT_TABLE_MAIN, 0, 0, 0, 0)
    answers = nl.query(_RTM_GETROUTE, body, "listing routes")
    return [_decode(answer, family) for answer in answers if answer[4] == _RT_TABLE_MAIN]


def set_neighbour(nl: Netlink, address: str, link: str, mac: str) -> None:
    """Fix an address' MAC on a link: never asked for, never expired."""
    family, packed, _length = message.pack_prefix(address)
    head = _NEIGHBOUR.pack(family, links.index(nl, link), _NUD_PERMANENT, 0, 0)
    body = attribute(_NDA_DST, packed) + attribute(_NDA_LLADDR, message.pack_mac(mac))
    flags = message.NLM_F_CREATE | message.NLM_F_REPLACE
    nl.request(_RTM_NEWNEIGH, flags, head + body, f"setting the neighbour {address} on {link}")


def add_unreachable_rule(
    nl: Netlink, input_link: str, priority: int, family: int = socket.AF_INET
) -> None:
    """Refuse to route what comes in over a link, but for what rules before `priority` say.

    Rule 0, the table of local addresses, always comes before. Fine when the rule is there.
    """
    try:
        nl.request(
            _RTM_NEWRULE,
            message.NLM_F_CREATE | message.NLM_F_EXCL,
            _rule(input_link, priority, family),
            f"adding the unreachable rule for {input_link}",
        )
    except FileExistsError:
        return


def delete_unreachable_rule(
    nl: Netlink, input_link: str, priority: int, family: int = socket.AF_INET
) -> bool:
    """Delete what `add_unreachable_rule` added; False when there is none."""
    what = f"deleting the unreachable rule for {input_link}"
    try:
        nl.request(_RTM_DELRULE, 0, _rule(input_link, priority, family), what)
    except FileNotFoundError:
        return False
    return True


def _rule(input_link: str, priority: int, family: int) -> bytes:
    head = _ROUTE.pack(family, 0, 0, 0, 0, 0, 0, _FR_ACT_UNREACHABLE, 0)
    return head + attribute(_FRA_PRIORITY, priority) + attribute(_FRA_IIFNAME, input_link)


def default_of(address: str) -> str:
    """The destination of the default route of an address' family, as `replace` takes it."""
    return "::/0" if ":" in address else "default"


def _destination(destination: str) -> tuple[int, bytes, int]:
    if destination == "default":
        return socket.AF_INET, b"", 0
    family, packed, length = message.pack_prefix(destination)
    return family, packed if length else b"", length


def _head(
    family: int, length: int, kind: int, scope: int, flags: int = 0, protocol: int = _RTPROT_STATIC
) -> bytes:
    return _ROUTE.pack(family, length, 0, 0, _RT_TABLE_MAIN, protocol, scope, kind, flags)


def _put(nl: Netlink, body: bytes, what: str) -> None:
    nl.request(_RTM_NEWROUTE, message.NLM_F_CREATE | message.NLM_F_REPLACE, body, what)


def _decode(answer: bytes, family: int) -> Route:
    _family, length, _src, _tos, _table, _protocol, _scope, kind, _flags = _ROUTE.unpack_from(
        answer
    )
    given = message.attributes(answer[_ROUTE.size :])
    anything = bytes(4 if family == socket.AF_INET else 16)
    link_index = int.from_bytes(given.get(_RTA_OIF, b""), sys.byteorder)
    gateways = [given[_RTA_GATEWAY]] if _RTA_GATEWAY in given else []
    hops = given.get(_RTA_MULTIPATH, b"")
    while len(hops) >= _NEXT_HOP.size:
        size, _flags, _weight, hop_link = _NEXT_HOP.unpack_from(hops)
        hop = message.attributes(hops[_NEXT_HOP.size : size])
        if _RTA_GATEWAY in hop:
            gateways.append(hop[_RTA_GATEWAY])
        link_index = link_index or hop_link
        hops = hops[(size + 3) & ~3 :]
    return Route(
        destination=f"{message.text_address(given.get(_RTA_DST, anything))}/{length}",
        gateways=tuple(message.text_address(gateway) for gateway in gateways),
        link_index=link_index,
        metric=int.from_bytes(given.get(_RTA_PRIORITY, b""), sys.byteorder),
        unreachable=kind == _RTN_UNREACHABLE,
    )
