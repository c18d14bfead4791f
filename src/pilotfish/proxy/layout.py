"""The fixed part of a node's nftables table: its sets, maps, chains and rules.

Everything that depends on Services is an element of a map or a set; the rules below never change.
The only chains that come and go are those that choose an endpoint: one for each *number* of
endpoints in use, and one for each Service port that asked for strict turns (`choosing_rules`).
`docs/reference/kernel-tables.md` shows the whole as nft prints it.

Where a packet goes (chains with a hook are entered by the kernel, in the order of priority):

    prerouting / output  -110   refuse-*      new connection → refusals: reset, unreachable or drop
    prerouting / output  -100   translate-*   new connection → services: goto lb-N → dnat
    forward / input / output 0  stray-*       still to a Service's address: nothing answers there
    postrouting / input   100   leave-*       note the client of a sticky front; masquerade, only
                                              where the reply would miss this node

`reject` is not allowed in a nat chain, so refusing has chains of its own, before translation: there
the packet still says which front it was sent to. All first packets of a connection only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from pilotfish.proxy import expressions as x
from pilotfish.proxy.family import Family
from pilotfish.proxy.fronts import Chain, Remember

TABLE = "pilotfish"
PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132}
PROTOCOL_NAMES = {number: name for name, number in PROTOCOLS.items()}

# What a key or value is made of.
ADDRESS = "address"
PROTOCOL = "protocol"
PORT = "port"
SLOT = "slot"
CIDR = "cidr"  # an address range
VERDICT = "verdict"

_FRONT = (ADDRESS, PROTOCOL, PORT)
_ENDPOINT = (ADDRESS, PORT)


@dataclass(frozen=True)
class Set:
    """A set, or a map when it has `data`. `remembers`: the rules themselves add to it."""

    name: str
    key: tuple[str, ...]
    data: tuple[str, ...] = ()
    remembers: bool = False


SETS = {
    s.name: s
    for s in (
        Set("services", _FRONT, (VERDICT,)),
        Set("endpoints", (*_FRONT, SLOT), _ENDPOINT),
        # The same for fronts whose policy is Local, asked only for connections from outside.
        Set("external-services", _FRONT, (VERDICT,)),
        Set("external-endpoints", (*_FRONT, SLOT), _ENDPOINT),
        # The same for Service ports that deal out their connections in turn.
        Set("turn-endpoints", (*_FRONT, SLOT), _ENDPOINT),
        Set("external-turn-endpoints", (*_FRONT, SLOT), _ENDPOINT),
        Set("refused", _FRONT, (VERDICT,)),
        Set("external-refused", _FRONT, (VERDICT,)),
        # sessionAffinity: ClientIP: for how long, and client + front → the endpoint it has
        Set("sticky", _FRONT, (VERDICT,)),
        Set("affinity", (ADDRESS, *_FRONT), _ENDPOINT, remembers=True),
        # An endpoint of this node and itself: it may reach itself through its Service.
        Set("hairpins", (ADDRESS, ADDRESS)),
        # LoadBalancer addresses, which are this machine's own while it answers for them
        Set("balanced", (ADDRESS,)),
        Set("source-limited", _FRONT),
        Set("allowed-sources", (*_FRONT, CIDR)),
        Set("own-addresses", (CIDR,)),
        Set("service-ranges", (CIDR,)),
    )
}


class Hook(NamedTuple):
    """Where a base chain is entered: NF_INET_* hook number and priority."""

    type: str
    number: int
    priority: int


_PREROUTING, _INPUT, _FORWARD, _OUTPUT, _POSTROUTING = range(5)
_BEFORE_DNAT, _DNAT, _FILTER, _SNAT = -110, -100, 0, 100

HOOKS = {
    "refuse-prerouting": Hook("filter", _PREROUTING, _BEFORE_DNAT),
    "refuse-output": Hook("filter", _OUTPUT, _BEFORE_DNAT),
    "translate-prerouting": Hook("nat", _PREROUTING, _DNAT),
    "translate-output": Hook("nat", _OUTPUT, _DNAT),
    "stray-forward": Hook("filter", _FORWARD, _FILTER),
    "stray-input": Hook("filter", _INPUT, _FILTER),
    "stray-output": Hook("filter", _OUTPUT, _FILTER),
    "leave-input": Hook("nat", _INPUT, _SNAT),
    "leave-postrouting": Hook("nat", _POSTROUTING, _SNAT),
}


class Rule(NamedTuple):
    chain: str
    expressions: bytes


def chains() -> Iterator[tuple[str, Hook | None]]:
    """The fixed chains; those without a hook first, as rules refer to them."""
    for name in ("refuse", "check-source", "refusals", "translate", "remember"):
        yield name, None
    yield from HOOKS.items()


def rules(family: Family) -> Iterator[Rule]:
    """The fixed rules, in order."""
    words = family.words
    source = x.source_address(family, 0)
    destination = x.destination_address(family, 0)
    front = _front_at(family, 0)
    # Who asks decides under policy Local: not this node, and none of its Pods.
    from_outside = source + x.in_set("own-addresses", 0, inverted=True)

    yield Rule("refuse", x.protocol_is(PROTOCOLS["tcp"]) + x.reject_with_tcp_reset())
    yield Rule("refuse", x.reject_with_port_unreachable(family))

    with_source = front + x.source_address(family, words + 2)
    yield Rule("check-source", with_source + x.in_set("allowed-sources", 0) + x.leave())
    yield Rule("check-source", x.drop())

    yield Rule("refusals", front + x.in_set("source-limited", 0) + x.jump("check-source"))
    yield Rule("refusals", from_outside + front + x.map_verdict("external-refused", 0))
    yield Rule("refusals", front + x.map_verdict("refused", 0))

    client = source + _front_at(family, words)
    recalled = client + x.map_value("affinity", 0, 0)
    yield Rule("translate", recalled + x.dnat(family, 0, words))
    yield Rule("translate", from_outside + front + x.map_verdict("external-services", 0))
    yield Rule("translate", front + x.map_verdict("services", 0))

    # Only the first packets of a flow ask here; the kernel asks nat chains for no others.
    new = x.conntrack_has(x.CT_STATE, x.STATE_NEW)
    for hook in ("prerouting", "output"):
        yield Rule(f"refuse-{hook}", new + x.jump("refusals"))
        yield Rule(f"translate-{hook}", x.jump("translate"))
    for hook in ("forward", "input", "output"):
        stray = destination + x.in_set("service-ranges", 0)
        yield Rule(f"stray-{hook}", stray + x.goto("refuse"))
    # Else whatever listens on all of the node's addresses would answer at a Service's.
    balanced = destination + x.in_set("balanced", 0)
    for protocol in (PROTOCOLS["tcp"], PROTOCOLS["udp"]):
        yield Rule("stray-input", balanced + x.protocol_is(protocol) + x.goto("refuse"))

    # Translation is done here, so the packet shows the endpoint, and conntrack what was asked for.
    translated = x.conntrack_has(x.CT_STATUS, x.STATUS_DNAT)
    yield Rule("remember", _asked_at(family, 0) + x.map_verdict("sticky", 0))
    yield Rule("leave-input", translated + x.jump("remember"))
    yield Rule("leave-postrouting", translated + x.jump("remember"))
    pair = source + x.destination_address(family, words)
    yield Rule("leave-postrouting", translated + pair + x.in_set("hairpins", 0) + x.masquerade())
    yield Rule(
        "leave-postrouting",
        translated
        + from_outside
        + destination
        + x.in_set("own-addresses", 0, inverted=True)
        + x.masquerade(),
    )


def chain_rules(family: Family, chain: Chain) -> Iterator[Rule]:
    """The rules of a chain that verdict maps lead to.

    The number chosen goes straight into the key, so no packet mark is used that could meet other
    users of marks or change the route.

    A packet may be under way while a transaction takes effect: sent here by the old verdict, it
    finds the new slots, fewer than `among` (set lookups go by the generation of their moment,
    net/netfilter/nft_set_hash.c). It takes slot 0 then, which every Service with endpoints has.
    """
    words = family.words
    if isinstance(chain, Remember):
        endpoint = 2 * words + 2
        client = x.source_address(family, 0) + _asked_at(family, words)
        chosen = x.destination_address(family, endpoint) + x.destination_port(endpoint + words)
        yield Rule(
            chain.name, client + chosen + x.remember("affinity", 0, endpoint, chain.timeout_s)
        )
        return
    found = x.map_value(chain.map, 0, 0) + x.dnat(family, 0, words)
    choose = x.number(chain.among, words + 2, counting=bool(chain.counter))
    yield Rule(chain.name, _front_at(family, 0) + choose + found)
    if chain.among > 1:
        first = x.number(1, words + 2, counting=False)
        yield Rule(chain.name, _front_at(family, 0) + first + found)


def _front_at(family: Family, start: int) -> bytes:
    words = family.words
    return (
        x.destination_address(family, start)
        + x.protocol(start + words)
        + x.destination_port(start + words + 1)
    )


def _asked_at(family: Family, start: int) -> bytes:
    """The front that the connection's first packet was sent to, before translation."""
    words = family.words
    return (
        x.original_destination(family, start)
        + x.protocol(start + words)
        + x.original_destination_port(start + words + 1)
    )
