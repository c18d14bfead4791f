"""Nothing of a cluster leaves by the machine's uplink, also while its nodes are gone.

Two things on the host see to it:

- an `unreachable` route of high metric under each of the cluster's ranges: when a node's own
  route vanishes with its link, a packet to it is refused, not sent to the default gateway;
- a policy rule: what comes in over the host's link to the cluster is for the host itself or
  refused, so a Pod's packet is never routed to the uplink with an address that nobody there can
  answer. It is refused with an ICMP error (so that a connect fails at once), which the kernel only
  sends where forwarding is on for the input link.
"""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Collection

from pilotfish.network import message, namespaces, routes
from pilotfish.network.netlink import Netlink

# Worse than any that an administrator sets. On the host the lower 24 bits name the cluster: an
# unreachable route has no link that would.
METRIC = 0xFF000000
RULE_PRIORITY = 30064  # after an administrator's, before the main table's (32766)


def guard(nl: Netlink, link: str, ranges: Collection[str]) -> None:
    """Put both in place for a link of the calling thread's namespace; idempotent."""
    for prefix in ranges:
        routes.replace_unreachable(nl, prefix, _metric(link))
    for family in {message.family_of(prefix) for prefix in ranges}:
        routes.add_unreachable_rule(nl, link, RULE_PRIORITY, family)
    namespaces.sysctl(f"ipv4/conf/{link}/forwarding", 1)


def unguard(nl: Netlink, link: str) -> list[str]:
    """Take both away, whatever the ranges were; returns those whose routes were there.

    Fine when they, or the link, are gone.
    """
    found = []
    for family in _families():
        for route in _guards(nl, link, family):
            routes.delete(nl, route.destination, metric=route.metric)
            found.append(route.destination)
        routes.delete_unreachable_rule(nl, link, RULE_PRIORITY, family)
    return found


def guarded(nl: Netlink, link: str) -> list[str]:
    """The ranges whose unreachable routes are there."""
    return [route.destination for family in _families() for route in _guards(nl, link, family)]


def _guards(nl: Netlink, link: str, family: int) -> list[routes.Route]:
    return [
        route
        for route in routes.all_routes(nl, family)
        if route.unreachable and route.metric == _metric(link)
    ]


def _families() -> list[int]:
    with_ipv6 = namespaces.has_sysctl("ipv6")
    return [socket.AF_INET, socket.AF_INET6] if with_ipv6 else [socket.AF_INET]


def _metric(link: str) -> int:
    digest = hashlib.sha256(link.encode()).digest()
    return METRIC | int.from_bytes(digest[:3], "big")
