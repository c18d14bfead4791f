"""A connection is reported where it enters the cluster, and nowhere else."""

from __future__ import annotations

from ipaddress import ip_address
from typing import NamedTuple

import pytest

from pilotfish.tap.doorway import Doorway

POD_LINK, OTHER_POD_LINK, ETH0 = 5, 6, 2


def packed(text: str) -> bytes:
    return ip_address(text).packed


POD, OTHER_POD, FAR_POD = "10.244.0.2", "10.244.0.3", "10.244.1.2"
NODE, NODE_TO_ITS_PODS, FAR_NODE = "192.168.64.2", "10.244.0.1", "192.168.64.3"
SERVICE, HOST, WORLD = "10.96.0.50", "192.168.64.1", "203.0.113.7"
NODE_PORT = 30080


@pytest.fixture
def doorway() -> Doorway:
    found = Doorway(
        pod_links={POD_LINK, OTHER_POD_LINK},
        outer_links={ETH0},
        own={packed(NODE), packed(NODE_TO_ITS_PODS), packed("127.0.0.1")},
        nodes={packed(NODE), packed(NODE_TO_ITS_PODS), packed(FAR_NODE), packed("10.244.1.1")},
        services={packed(SERVICE)},
        node_ports={NODE_PORT},
    )
    found.set_pod_networks([(packed("10.244.0.0"), 24), (packed("10.244.1.0"), 24)])
    return found


class Sight(NamedTuple):
    """A connection's first packet, and where it is seen."""

    source: str
    target: str
    port: int
    link: int
    outgoing: bool = False


ENTERS = {
    "a Pod asks a Service": Sight(POD, SERVICE, 80, POD_LINK),
    "a Pod asks a Pod": Sight(POD, OTHER_POD, 8080, POD_LINK),
    "a Pod asks its node's NodePort": Sight(POD, NODE, NODE_PORT, POD_LINK),
    "a Pod asks another node, not for a NodePort": Sight(POD, FAR_NODE, 53, POD_LINK),
    "a Pod elsewhere asks this node's NodePort": Sight(FAR_POD, NODE, NODE_PORT, ETH0),
    "the host asks a Service": Sight(HOST, SERVICE, 80, ETH0),
    "the host asks a Pod": Sight(HOST, POD, 8080, ETH0),
    "the world asks a NodePort": Sight(WORLD, NODE, NODE_PORT, ETH0),
    "the node asks its Pod": Sight(NODE_TO_ITS_PODS, POD, 8080, POD_LINK, True),
    "the node asks a Pod elsewhere": Sight(NODE, FAR_POD, 8080, ETH0, True),
    "a machine that is no node asks a Service": Sight(NODE, SERVICE, 80, ETH0, True),
}

PASSES = {
    "a Pod's request goes on to a local Pod": Sight(POD, OTHER_POD, 8080, OTHER_POD_LINK, True),
    "a Pod's request leaves for another node": Sight(POD, FAR_POD, 8080, ETH0, True),
    "a request arrives from a Pod elsewhere": Sight(FAR_POD, POD, 8080, ETH0),
    "a Service's request from elsewhere ends at this node": Sight(FAR_POD, NODE, 53, ETH0),
    "a masqueraded request comes from another node": Sight(FAR_NODE, POD, 8080, ETH0),
    "the host's request goes on to a Pod": Sight(HOST, POD, 8080, POD_LINK, True),
    "a Pod asks another node's NodePort": Sight(POD, FAR_NODE, NODE_PORT, POD_LINK),
    "the node asks the world": Sight(NODE, WORLD, 443, ETH0, True),
    "the node asks itself": Sight(NODE, NODE, 80, ETH0, True),
    "something else's link": Sight(POD, SERVICE, 80, 99),
}


@pytest.mark.parametrize("sight", ENTERS.values(), ids=ENTERS)
def test_it_enters_where(doorway: Doorway, sight: Sight) -> None:
    assert enters(doorway, sight)


@pytest.mark.parametrize("sight", PASSES.values(), ids=PASSES)
def test_it_is_not_reported_where(doorway: Doorway, sight: Sight) -> None:
    assert not enters(doorway, sight)


def test_ranges_of_one_family_say_nothing_about_the_other(doorway: Doorway) -> None:
    doorway.set_pod_networks([(packed("fd00::"), 64)])
    assert not enters(doorway, Sight("fd00::1", "fd00::2", 80, ETH0))
    assert enters(doorway, Sight("fd01::1", "fd00::2", 80, ETH0))
    assert enters(doorway, Sight("0.0.0.1", POD, 80, ETH0))


def enters(doorway: Doorway, sight: Sight) -> bool:
    return doorway.enters(
        packed(sight.source), packed(sight.target), sight.port, sight.link, sight.outgoing
    )
