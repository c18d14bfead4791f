"""The kernel takes every change that the core can think of, and then holds just what it should."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator

import pytest

from pilotfish.network import namespaces
from pilotfish.proxy import layout
from pilotfish.proxy.family import IPV4, IPV6, Family
from pilotfish.proxy.fronts import NOTHING, Balance, Endpoint, Front, Target, Wanted
from pilotfish.proxy.kernel import KernelTables
from pilotfish.proxy.nfnetlink import NetfilterSocket
from pilotfish.proxy.tables import Tables
from support.fake_tables import FakeTables

NAMESPACE = "pf-test-kernel"


@pytest.fixture
def netfilter() -> Iterator[NetfilterSocket]:
    namespaces.delete(NAMESPACE)
    namespaces.create(NAMESPACE)
    with namespaces.inside(NAMESPACE):
        opened = NetfilterSocket()
    yield opened
    opened.close()
    namespaces.delete(NAMESPACE)


def address(family: Family, number: int) -> str:
    return f"10.0.0.{number}" if family is IPV4 else f"fd00::{number:x}"


def random_wanted(family: Family, chance: random.Random) -> Wanted:
    if chance.random() < 0.2:
        return NOTHING
    fronts: dict[Front, Target] = {}
    for number in chance.sample(range(1, 7), chance.randint(1, 3)):
        protocol = chance.choice(["tcp", "udp", "sctp"])
        front = Front(address(family, number), protocol, 80, chance.random() < 0.3)
        among = chance.sample(range(10, 22), chance.randint(1, 8))
        endpoints = tuple(Endpoint(address(family, n), 8080) for n in among)
        sticky_s, counter = chance.choice([0, 0, 60, 90]), chance.choice(["", "", "default/a/80"])
        fronts[front] = chance.choice(
            [Balance(endpoints, sticky_s, counter), Balance(endpoints), "refuse", "drop"]
        )
    own = frozenset(address(family, n) for n in chance.sample(range(10, 22), 2))
    ranges = ("10.0.0.0/8", "10.0.0.7/32", "11.0.0.0/8")
    if family is IPV6:
        ranges = ("fd00::/16", "fd00::7/128", "fc00::/16")
    sources = {
        front: (chance.choice(ranges[:2]), ranges[2])
        for front in fronts
        if not front.external and chance.random() < 0.3
    }
    balanced = frozenset(address(family, n) for n in range(1, chance.randint(2, 5)))
    return Wanted(fronts, own, sources, balanced)


@pytest.mark.parametrize("family", [IPV4, IPV6], ids=["ip", "ip6"])
def test_any_history_of_changes_is_taken_and_read_back(
    netfilter: NetfilterSocket, family: Family
) -> None:
    chance = random.Random(20)
    tables, kernel, fake = Tables(), KernelTables(netfilter, family), FakeTables()
    own = (f"{address(family, 9)}/{8 * family.address_bytes}",)
    kernel.replace(tables.everything())
    for step in range(300):
        names = chance.sample(["a", "b", "c", "d"], chance.randint(1, 3))
        change = tables.change({name: random_wanted(family, chance) for name in names}, own)
        kernel.apply(change)
        fake.apply(change)
        if step % 50 == 49:
            everything = tables.everything()
            kernel.replace(everything)
            fake.replace(everything)
        assert kernel.is_whole()
        if step % 10 == 0:
            for name in layout.SETS:
                if name not in ("affinity", "own-addresses", "service-ranges"):
                    expected = {k: getattr(v, "name", v) for k, v in fake.elements[name].items()}
                    assert dict(kernel.read(name)) == expected, name


@pytest.mark.parametrize("family", [IPV4, IPV6], ids=["ip", "ip6"])
def test_nft_lists_the_whole_table_in_its_own_words(
    netfilter: NetfilterSocket, family: Family
) -> None:
    web = Front(address(family, 1), "tcp", 80)
    endpoints = tuple(Endpoint(address(family, n), 8080) for n in (10, 11, 12))
    wanted = Wanted({web: Balance(endpoints, sticky_s=60)})
    turns = Wanted({web._replace(port=81): Balance(endpoints, counter="default/a/81/tcp")})
    tables, kernel = Tables(), KernelTables(netfilter, family)
    tables.change({"web": wanted, "turns": turns})
    kernel.replace(tables.everything())
    command = ["ip", "netns", "exec", NAMESPACE, "nft", "list", "table", family.name, "pilotfish"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    daddr = f"{family.name} daddr"
    for line in (
        f"dnat {family.name} to {daddr} . meta l4proto . th dport . numgen random mod 3"
        " map @endpoints",
        f"dnat {family.name} to {daddr} . meta l4proto . th dport . numgen inc mod 3"
        " map @turn-endpoints",
        # For who is under way while the Service loses an endpoint.
        f"dnat {family.name} to {daddr} . meta l4proto . th dport . numgen random mod 1"
        " map @endpoints",
        f"{daddr} . meta l4proto . th dport vmap @services",
        f"{daddr} @service-ranges goto refuse",
        "ct status dnat jump remember",
        "reject with tcp reset",
    ):
        assert line in listed
