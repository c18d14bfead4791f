"""A whole cluster's wires, in a namespace that plays the host: the machine stays untouched."""

from __future__ import annotations

import errno
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator

import pytest

from pilotfish.network import links, namespaces, naming, node_link, pod_link, routes
from pilotfish.network.netlink import Netlink
from pilotfish.network.node_link import ClusterNetwork, NodeNetwork

Make = Callable[[str], str]

NETWORK = ClusterNetwork("t-g", "192.168.64.0/24", "10.244.0.0/16", "10.96.0.0/12")
NODES = (
    NodeNetwork("node-1", "192.168.64.2", "10.244.0.0/24"),
    NodeNetwork("node-2", "192.168.64.3", "10.244.1.0/24"),
)
PODS = {
    "aaaaaaaa-aaaa": ("node-1", "10.244.0.5"),
    "bbbbbbbb-bbbb": ("node-1", "10.244.0.6"),
    "cccccccc-cccc": ("node-2", "10.244.1.5"),
}


def pod(uid: str) -> str:
    return naming.pod_namespace("t-g", uid)


def node(name: str) -> str:
    return naming.node_namespace("t-g", name)


A, B, C = map(pod, PODS)


@pytest.fixture
def host(make_namespace: Make) -> Iterator[str]:
    """A host with an uplink, on which the cluster is built; the test runs on it."""
    name = make_namespace("host")
    with namespaces.inside(name):
        with Netlink() as nl:
            links.create_veth(nl, "uplink", "internet")
            links.add_address(nl, "uplink", "203.0.113.1/24")
            links.set_up(nl, "uplink")
            links.set_up(nl, "internet")
            routes.replace(nl, "default", via="203.0.113.254")
        build()
        yield name
        tear_down()


def build() -> None:
    node_link.create_bridge(NETWORK)
    for one in NODES:
        node_link.create_node(NETWORK, one)
    node_link.set_routes(NETWORK, NODES)
    for uid, (place, address) in PODS.items():
        with namespaces.inside(node(place)):
            pod_link.create(pod(uid), naming.pod_link(uid), [address])


def tear_down() -> None:
    node_link.remove_cluster(NETWORK.cluster)


def peer_seen(server: str, client: str, address: str) -> str:
    """The client's address as a server in namespace `server` sees it."""
    with namespaces.inside(server):
        listener = socket.create_server((address, 8080))
    seen: list[str] = []

    def accept() -> None:
        connection, peer = listener.accept()
        seen.append(peer[0])
        connection.close()

    listener.settimeout(3)
    thread = threading.Thread(target=accept)
    thread.start()
    connect(client, address).close()
    thread.join()
    listener.close()
    return seen[0]


def connect(client: str, address: str) -> socket.socket:
    if not client:
        return socket.create_connection((address, 8080), 3)
    with namespaces.inside(client):
        return socket.create_connection((address, 8080), 3)


def refusal(client: str, address: str) -> int | None:
    """The errno of a failed connect; 110 or None would mean that nobody said no."""
    with pytest.raises(OSError, match=r"\[Errno") as caught:
        connect(client, address)
    return caught.value.errno


def test_pods_reach_each_other_with_their_own_addresses(host: str) -> None:
    assert peer_seen(server=B, client=A, address="10.244.0.6") == "10.244.0.5"
    assert peer_seen(server=C, client=A, address="10.244.1.5") == "10.244.0.5"


def test_a_node_reaches_its_pods_and_those_of_others(host: str) -> None:
    assert peer_seen(server=A, client=node("node-1"), address="10.244.0.5") == "10.244.0.1"
    assert peer_seen(server=C, client=node("node-1"), address="10.244.1.5") == "192.168.64.2"


def test_the_host_reaches_pods_as_the_first_address_of_the_bridge(host: str) -> None:
    assert peer_seen(server=A, client="", address="10.244.0.5") == "192.168.64.1"


def test_a_pod_reaches_the_host(host: str) -> None:
    assert peer_seen(server=host, client=A, address="192.168.64.1") == "10.244.0.5"
    assert peer_seen(server=host, client=A, address="203.0.113.1") == "10.244.0.5"


def test_what_is_not_there_is_refused_at_once_from_everywhere(host: str) -> None:
    refused = {errno.EHOSTUNREACH, errno.ENETUNREACH}
    for client in ("", node("node-1"), A):
        assert refusal(client, "10.244.0.99") in refused
        assert refusal(client, "10.244.77.1") in refused
    assert refusal(A, "10.244.1.5") == errno.ECONNREFUSED


def test_nothing_of_the_cluster_leaves_by_the_uplink(host: str) -> None:
    with namespaces.inside(host):
        # Also on a machine that routes for others.
        namespaces.sysctl("ipv4/ip_forward", 1)
    sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
    sniffer.bind(("internet", 0))
    sniffer.settimeout(0.2)
    assert refusal(A, "198.51.100.7") == errno.ENETUNREACH
    for name, rest in (("node-2", NODES[:1]), ("node-1", ())):
        node_link.remove_node(NETWORK, name)
        node_link.set_routes(NETWORK, rest)
        for address in ("10.244.1.5", "10.244.200.1"):
            assert refusal("", address) == errno.EHOSTUNREACH
    assert refusal("", "10.96.0.1") == errno.EHOSTUNREACH
    with pytest.raises(TimeoutError):
        while True:
            frame = sniffer.recv(2000)
            assert not is_cluster_packet(frame), frame.hex()
    sniffer.close()


def test_a_host_whose_firewall_forwards_nothing_does_not_part_the_nodes(host: str) -> None:
    # As Docker sets it up; with br_netfilter loaded it would hold for bridged packets too.
    rules = "add table ip f; add chain ip f c { type filter hook forward priority 0; policy drop; }"
    subprocess.run(["ip", "netns", "exec", host, "nft", rules], check=True)
    assert peer_seen(server=C, client=A, address="10.244.1.5") == "10.244.0.5"
    assert peer_seen(server=A, client="", address="10.244.0.5") == "192.168.64.1"


def is_cluster_packet(frame: bytes) -> bool:
    """IPv4 from or to 10/8, or an ARP question for it."""
    kind = frame[12:14]
    return (kind == b"\x08\0" and 10 in (frame[26], frame[30])) or (
        kind == b"\x08\x06" and frame[38] == 10
    )


def test_building_twice_changes_nothing(host: str) -> None:
    def state() -> str:
        shown = ""
        for name in (host, node("node-1"), A):
            for what in ("route", "rule", "address"):
                command = ["ip", "-n", name, what]
                shown += subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return shown

    before = state()
    build()
    assert state() == before


def test_a_removed_pod_is_unreachable_and_can_come_back(host: str) -> None:
    uid = "bbbbbbbb-bbbb"
    with namespaces.inside(node("node-1")):
        pod_link.remove(B, naming.pod_link(uid))
        pod_link.remove(B, naming.pod_link(uid))
    assert refusal(A, "10.244.0.6") == errno.EHOSTUNREACH
    with namespaces.inside(node("node-1")):
        pod_link.create(B, naming.pod_link(uid), ["10.244.0.6"])
    assert peer_seen(server=B, client=A, address="10.244.0.6") == "10.244.0.5"


def test_a_pod_may_have_an_address_of_each_family(host: str) -> None:
    with namespaces.inside(node("node-1")):
        namespaces.sysctl("ipv6/conf/all/forwarding", 1)
        pod_link.create(pod("dddddddd-dddd"), "vethd", ["10.244.0.7", "fd00:10:244::7"])
        pod_link.create(pod("eeeeeeee-eeee"), "vethe", ["10.244.0.8", "fd00:10:244::8"])
    seen = []
    with namespaces.inside(pod("dddddddd-dddd")):
        listener = socket.create_server(("fd00:10:244::7", 8080), family=socket.AF_INET6)
    with namespaces.inside(pod("eeeeeeee-eeee")):
        client = socket.create_connection(("fd00:10:244::7", 8080), 3)
    seen.append(listener.accept()[1][0])
    client.close()
    listener.close()
    assert seen == ["fd00:10:244::8"]


def test_a_pods_user_may_bind_port_80(host: str) -> None:
    command = ["ip", "netns", "exec", A, "sysctl", "-n", "net.ipv4.ip_unprivileged_port_start"]
    assert subprocess.run(command, capture_output=True, check=True).stdout == b"0\n"


def test_a_node_that_left_takes_its_routes_along(host: str) -> None:
    node_link.remove_node(NETWORK, "node-2")
    node_link.set_routes(NETWORK, NODES[:1])
    for place in ("", node("node-1")):
        with Netlink(place) as nl:
            found = [route for route in routes.all_routes(nl) if route.gateways]
            assert not [route for route in found if "192.168.64.3" in route.gateways]
            assert not [route for route in found if route.destination == "10.244.1.0/24"]


def test_a_removed_cluster_leaves_nothing(host: str) -> None:
    tear_down()
    with Netlink() as nl:
        assert {link.name for link in links.all_links(nl)} == {"lo", "uplink", "internet"}
        assert {route.destination for route in routes.all_routes(nl)} == {
            "0.0.0.0/0",
            "203.0.113.0/24",
        }
    rules = subprocess.run(["ip", "-n", host, "rule"], capture_output=True, text=True, check=True)
    assert "unreachable" not in rules.stdout
    assert namespaces.names("pf-t-g-") == []
    tear_down()


def test_guards_of_a_cluster_are_found_by_its_name_alone(host: str) -> None:
    """Its ranges may be forgotten: the file that has them can be damaged."""
    other = ClusterNetwork("t-g-2", "192.168.65.0/24", "10.245.0.0/16", "10.112.0.0/12")
    node_link.create_bridge(other)
    try:
        with Netlink() as nl:
            links.delete_link(nl, naming.host_link("t-g"))
        guarded = node_link.remove_cluster("t-g")
        assert sorted(guarded) == ["10.244.0.0/16", "10.96.0.0/12"]
        with Netlink() as nl:
            left = {route.destination for route in routes.all_routes(nl) if route.unreachable}
        assert left == {"10.245.0.0/16", "10.112.0.0/12"}
        rules = subprocess.run(["ip", "rule"], capture_output=True, text=True, check=True).stdout
        assert rules.count("unreachable") == 1
    finally:
        node_link.remove_cluster("t-g-2")
