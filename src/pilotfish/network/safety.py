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

from collections.abc import Collection

from pilotfish.network import message, namespaces, routes
from pilotfish.network.netlink import Netlink

METRIC = 0xFF000000  # worse than any that an administrator sets
RULE_PRIORITY = 30064  # after an administrator's, before the main table's (32766)


def guard(nl: Netlink, link: str, ranges: Collection[str]) -> None:
    """Put both in place for a link of the calling thread's namespace; idempotent."""
    for prefix in ranges:
        routes.replace_unreachable(nl, prefix, METRIC)
    for family in {message.family_of(prefix) for prefix in ranges}:
        routes.add_unreachable_rule(nl, link, RULE_PRIORITY, family)
    namespaces.sysctl(f"ipv4/conf/{link}/forwarding", 1)


def unguard(nl: Netlink, link: str, ranges: Collection[str]) -> None:
    """Take both away; fine when they, or the link, are gone."""
    for prefix in ranges:
        routes.delete(nl, prefix, metric=METRIC)
    for family in {message.family_of(prefix) for prefix in ranges}:
        routes.delete_unreachable_rule(nl, link, RULE_PRIORITY, family)
