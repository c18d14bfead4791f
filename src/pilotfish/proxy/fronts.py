"""The words in which the proxy thinks: fronts, their targets, and the elements that these become.

A *front* is an address, protocol and port at which a Service answers. Its *target* says what
happens to a new connection there.

Slots: N endpoints of a front are the elements front+0 … front+(N-1) of the map `endpoints`, so that
one random number below N chooses. When an endpoint leaves, the last one moves into its slot
(`assign_slots`): at most two elements change, however many endpoints there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

At = tuple[str, str, int]  # address, protocol, port: what a packet shows of a front


class Endpoint(NamedTuple):
    address: str
    port: int


class Front(NamedTuple):
    """`external`: only for connections that neither this node nor one of its Pods opens."""

    address: str
    protocol: str  # "tcp", "udp", "sctp"
    port: int
    external: bool = False

    @property
    def at(self) -> At:
        return self[:3]


class Choose(NamedTuple):
    """A chain that chooses one of `among` endpoints; all Services of that count share it.

    `counter`: the Service port whose connections are dealt out in strict turn ("": random).
    """

    among: int
    external: bool = False
    counter: str = ""

    @property
    def name(self) -> str:
        scope = "external-" if self.external else ""
        if self.counter:
            return f"{scope}turn-{self.among}/{self.counter}"
        return f"{scope}lb-{self.among}"

    @property
    def map(self) -> str:
        """The map that it looks into.

        The kernel walks a whole map when a rule that uses it is added. Chains of Service ports
        with turns come and go, so their endpoints are apart from the many.
        """
        return f"{'external-' if self.external else ''}{'turn-' if self.counter else ''}endpoints"


class Remember(NamedTuple):
    """A chain that notes which endpoint a client got, for `timeout_s` after its last connection."""

    timeout_s: int

    @property
    def name(self) -> str:
        return f"remember-{self.timeout_s}"


Chain = Choose | Remember


@dataclass(frozen=True, slots=True)
class Balance:
    """Choose one of `endpoints` (never empty); once installed, their order is that of the slots.

    `sticky_s`: a client keeps its endpoint for that long (0: each connection chooses anew).
    """

    endpoints: tuple[Endpoint, ...]
    sticky_s: int = 0
    counter: str = ""


Target = Balance | Literal["refuse", "drop"]
Key = tuple[str | int, ...]
Value = Chain | Endpoint | Literal["refuse", "drop"] | None  # None: a set's element has no value


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one Service wants of the tables of one family.

    `own_endpoints`: its endpoints on this node, which may reach themselves through it.
    `sources`: fronts that answer only to these CIDRs (loadBalancerSourceRanges), in either scope.
    `balanced`: its LoadBalancer addresses that are not the node's, at whose other ports nothing
    answers.
    """

    fronts: Mapping[Front, Target] = field(default_factory=dict)
    own_endpoints: frozenset[str] = frozenset()
    sources: Mapping[Front, tuple[str, ...]] = field(default_factory=dict)
    balanced: frozenset[str] = frozenset()


NOTHING = Wanted()


def assign_slots(
    installed: tuple[Endpoint, ...], wanted: Iterable[Endpoint]
) -> tuple[Endpoint, ...]:
    """Slots for `wanted` that move as few as possible of the `installed` ones."""
    remaining = dict.fromkeys(wanted)
    slots = list(installed)
    slot = 0
    while slot < len(slots):
        if slots[slot] in remaining:
            del remaining[slots[slot]]
            slot += 1
        else:
            last = slots.pop()
            if slot < len(slots):
                slots[slot] = last
    return (*slots, *remaining)


class Installed(NamedTuple):
    """What happens at a front, and whom it answers to (None: all)."""

    target: Target
    sources: tuple[str, ...] | None = None


def elements(front: Front, installed: Installed) -> Iterator[tuple[str, Key, Value]]:
    """The elements (map, key, value) that make it happen at `front`."""
    key = front.at
    scope = "external-" if front.external else ""
    target, sources = installed
    if sources is not None:
        yield "source-limited", key, None
        for source in sources:
            yield "allowed-sources", (*key, source), None
    if not isinstance(target, Balance):
        yield f"{scope}refused", key, target
        return
    chain = choice(front, target)
    yield f"{scope}services", key, chain
    if target.sticky_s and not front.external:  # what is remembered has no scope
        yield "sticky", key, Remember(target.sticky_s)
    for slot, endpoint in enumerate(target.endpoints):
        yield chain.map, (*key, slot), endpoint


def choice(front: Front, target: Balance) -> Choose:
    """The chain that connections to `front` go to."""
    return Choose(len(target.endpoints), front.external, target.counter)
