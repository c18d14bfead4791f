"""A dual-stack cluster's wires, in a namespace that plays the host: what IPv6 adds."""

from __future__ import annotations

import errno
import socket
import subprocess
from collections.abc import Callable, Iterator

import pytest

from pilotfish.network import links, namespaces, naming, node_link, pod_link, routes
from pilotfish.network.netlink import Netlink
from pilotfish.network.node_link import ClusterNetwork, NodeNetwork

CLUSTER = "t-d"
NETWORK = ClusterNetwork(
    CLUSTER,
    "192.168.64.0/24",
    "10.244.0.0/16",
    "10.96.0.0/12",
    "fd00:192:168:64::/64",
    "fd00:10:244::/56",
    "fd00:10:96::/112",
)
NODES = (
    NodeNetwork(
        "node-1", "192.168.64.2", "10.244.0.0/24", "fd00:192:168:64::2", "fd00:10:244::/64"
    ),
    NodeNetwork(
        "node-2", "192.168.64.3", "10.244.1.0/24", "fd00:192:168:64::3", "fd00:10:244:1::/64"
    ),
)
PODS = {
    "aaaaaaaa-aaaa": ("node-1", "10.244.0.5", "fd00:10:244::5"),
    "bbbbbbbb-bbbb": ("node-2", "10.244.1.5", "fd00:10:244:1::5"),
}
A, B = (naming.pod_namespace(CLUSTER, uid) for uid in PODS)


@pytest.fixture
def host(make_namespace: Callable[[str], str]) -> Iterator[str]:
    """A host with an uplink, on which the cluster is built; the test runs on it."""
    name = make_namespace("host")
    with namespaces.inside(name):
        with Netlink() as nl:
            links.create_veth(nl, "uplink", "internet")
            links.add_address(nl, "uplink", "2001:db8::1/64")
            links.set_up(nl, "uplink")
            links.set_up(nl, "internet")
            routes.replace(nl, "::/0", via="2001:db8::fe")
        node_link.create_bridge(NETWORK)
        for one in NODES:
            node_link.create_node(NETWORK, one)
        node_link.set_routes(NETWORK, NODES)
        for uid, (place, *addresses) in PODS.items():
            with namespaces.inside(naming.node_namespace(CLUSTER, place)):
                pod_link.create(naming.pod_namespace(CLUSTER, uid), naming.pod_link(uid), addresses)
        yield name
        node_link.remove_cluster(NETWORK.cluster)


def source_seen(server: str, client: str, address: str) -> str:
    """The client's address as a server in namespace `server` sees it; "" is the host."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with namespaces.inside(server):
        listener = socket.create_server((address, 8080), family=family)
    with listener, connect(client, address):
        connection, peer = listener.accept()
        connection.close()
    return str(peer[0])


def connect(client: str, address: str) -> socket.socket:
    if not client:
        return socket.create_connection((address, 8080), 3)
    with namespaces.inside(client):
        return socket.create_connection((address, 8080), 3)


def refusal(client: str, address: str) -> int | None:
    """The errno of a failed connect; None would mean that nobody said no."""
    with pytest.raises(OSError, match=r"\[Errno") as caught:
        connect(client, address)
    return caught.value.errno


UNREACHABLE = (errno.EHOSTUNREACH, errno.ENETUNREACH)


def test_pods_reach_each_other_in_both_families_with_their_own_addresses(host: str) -> None:
    assert source_seen(B, A, "10.244.1.5") == "10.244.0.5"
    assert source_seen(B, A, "fd00:10:244:1::5") == "fd00:10:244::5"


def test_the_host_is_the_same_to_all_pods(host: str) -> None:
    assert source_seen(A, "", "fd00:10:244::5") == "fd00:192:168:64::1"
    assert source_seen(B, "", "fd00:10:244:1::5") == "fd00:192:168:64::1"


def test_a_pod_that_is_not_there_is_refused_at_once(host: str) -> None:
    for client in (A, ""):
        assert refusal(client, "fd00:10:244:1::99") in UNREACHABLE


def test_a_pods_packet_never_takes_the_uplink(host: str) -> None:
    assert refusal(A, "2001:db8:1::1") in UNREACHABLE


def test_without_nodes_the_ranges_are_refused_by_the_host(host: str) -> None:
    for one in NODES:
        node_link.remove_node(NETWORK, one.name)
    node_link.set_routes(NETWORK, ())
    for address in ("fd00:10:244::5", "fd00:10:96::7"):
        assert refusal("", address) in UNREACHABLE


def test_nothing_stays_on_the_host(host: str) -> None:
    node_link.remove_cluster(NETWORK.cluster)
    for what in (["route"], ["rule"]):
        left = subprocess.check_output(["ip", "-6", *what, "show"], text=True)
        assert "fd00" not in left
        assert "pf-" not in left
