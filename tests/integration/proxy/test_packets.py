"""What happens to real packets: connections from Pods, nodes and the host through Services."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections import Counter
from typing import Any

import pytest

VIP = "10.96.0.77"
NODE_PORT = {"port": 80, "protocol": "TCP", "nodePort": 30080}
UDP = [{"port": 80, "protocol": "UDP"}]
NODE_1, NODE_2 = "192.168.64.2", "192.168.64.3"
HOST = "192.168.64.1"


def test_a_pod_reaches_endpoints_on_both_nodes_and_they_see_the_pod(
    world: Any, make_service: Any, make_slice: Any
) -> None:
    world.apply((make_service("web", VIP), [make_slice("bd")]))
    answers = {world.ask("a", VIP, 80) for _ in range(40)}
    assert {answer.pod for answer in answers} == {"b", "d"}
    assert {answer.client for answer in answers} == {"10.244.0.2"}


def test_connections_spread_in_equal_shares(world: Any, make_service: Any, make_slice: Any) -> None:
    world.apply((make_service("web", VIP), [make_slice("abcde")]))
    counts = Counter(world.ask("a", VIP, 80).pod for _ in range(1000))
    chi_square = sum((count - 200) ** 2 / 200 for count in counts.values())
    # 4 degrees of freedom: 23.5 is exceeded by fair choices once in 10,000 runs.
    assert len(counts) == 5
    assert chi_square < 23.5


def test_round_robin_is_strict_for_each_service(
    world: Any, make_service: Any, make_slice: Any
) -> None:
    turns = {"pilotfish.dev/load-balancing": "round-robin"}
    other = "10.96.0.78"
    world.apply(
        (make_service("web", VIP, annotations=turns), [make_slice("bcd")]),
        (make_service("other", other, annotations=turns), [make_slice("bcd")]),
    )
    asked = []
    for number in range(30):
        asked.append(world.ask("a", VIP, 80).pod)
        if number % 2:
            world.ask("a", other, 80)
    assert asked == ["b", "c", "d"] * 10


def test_round_robin_stays_strict_when_an_endpoint_joins(
    world: Any, make_service: Any, make_slice: Any
) -> None:
    turns = make_service("web", VIP, annotations={"pilotfish.dev/load-balancing": "round-robin"})
    world.apply((turns, [make_slice("bc")]))
    world.ask("a", VIP, 80)
    world.apply((turns, [make_slice("bcd")]))
    asked = [world.ask("a", VIP, 80).pod for _ in range(9)]
    assert asked == asked[:3] * 3
    assert set(asked) == {"b", "c", "d"}


@pytest.mark.parametrize("place", ["a", "d", "node-1", "host"])
def test_without_endpoints_tcp_is_refused_at_once(
    world: Any, make_service: Any, place: str
) -> None:
    ports = [NODE_PORT]
    world.apply((make_service("web", VIP, type="NodePort", ports=ports), []))
    for address, port in ((VIP, 80), (NODE_1, 30080)):
        with pytest.raises(ConnectionRefusedError):
            world.ask(place, address, port)


@pytest.mark.parametrize("place", ["a", "node-1", "host"])
def test_without_endpoints_udp_is_refused_at_once(
    world: Any, make_service: Any, place: str
) -> None:
    world.apply((make_service("dns", VIP, ports=UDP), []))
    with world.open(place, socket.SOCK_DGRAM) as asking:
        asking.connect((VIP, 80))
        # On the node itself the kernel refuses to send at all, with EPERM.
        with pytest.raises((ConnectionRefusedError, PermissionError)):
            asking.send(b"?")
            asking.recv(100)


@pytest.mark.parametrize("place", ["a", "node-1", "host"])
def test_service_addresses_that_no_service_has_are_refused(world: Any, place: str) -> None:
    with pytest.raises(ConnectionRefusedError):
        world.ask(place, "10.100.1.2", 80)


def test_a_port_that_the_service_does_not_have_is_refused(
    world: Any, make_service: Any, make_slice: Any
) -> None:
    world.apply((make_service("web", VIP), [make_slice("b")]))
    with pytest.raises(ConnectionRefusedError):
        world.ask("a", VIP, 81)


def test_a_pod_reaches_itself_through_its_service(
    world: Any, make_service: Any, make_slice: Any
) -> None:
    world.apply((make_service("web", VIP), [make_slice("a")]))
    answer = world.ask("a", VIP, 80)
    assert answer.pod == "a"
    assert answer.client != "10.244.0.2"


def test_a_node_reaches_endpoints_here_and_there(
    world: Any, make_service: Any, make_slice: Any
) -> None:
    world.apply((make_service("web", VIP), [make_slice("ad")]))
    assert {world.ask("node-1", VIP, 80).pod for _ in range(40)} == {"a", "d"}


def test_the_host_is_seen_as_itself_by_a_local_endpoint_and_as_the_node_by_a_remote_one(
    world: Any, make_service: Any, make_slice: Any
) -> None:
    world.apply((make_service("web", VIP, type="NodePort", ports=[NODE_PORT]), [make_slice("ad")]))
    answers = {world.ask("host", NODE_1, 30080) for _ in range(40)}
    assert {(a.pod, a.client) for a in answers} == {("a", HOST), ("d", NODE_1)}


@pytest.mark.parametrize("place", ["host", "a", "d", "node-1", "node-2"])
@pytest.mark.parametrize("address", [NODE_1, NODE_2])
def test_a_node_port_answers_on_every_node_to_everyone(
    world: Any, make_service: Any, make_slice: Any, place: str, address: str
) -> None:
    world.apply((make_service("web", VIP, type="NodePort", ports=[NODE_PORT]), [make_slice("ad")]))
    assert {world.ask(place, address, 30080).pod for _ in range(40)} == {"a", "d"}


@pytest.mark.parametrize("place", ["a", "d", "node-1", "node-2", "host"])
def test_endpoints_on_the_nodes_own_network_answer(
    world: Any, make_service: Any, make_slice: Any, place: str
) -> None:
    world.serve("node-1", 9100)
    made = make_slice("")
    made["ports"][0]["port"] = 9100
    made["endpoints"] = [{"addresses": [NODE_1], "nodeName": "node-1"}]
    for affinity in ("None", "ClientIP"):
        world.apply((make_service("agent", VIP, sessionAffinity=affinity), [made]))
        for _ in range(2):
            assert world.ask(place, VIP, 80).pod == "node-1"


def test_external_policy_local_keeps_to_the_node_and_shows_the_client(
    world: Any, make_service: Any, make_slice: Any
) -> None:
    local = make_service(
        "web", VIP, type="NodePort", ports=[NODE_PORT], externalTrafficPolicy="Local"
    )
    world.apply((local, [make_slice("ad")]))
    for node, pod in ((NODE_1, "a"), (NODE_2, "d")):
        answers = {world.ask("host", node, 30080) for _ in range(20)}
        assert {(a.pod, a.client) for a in answers} == {(pod, HOST)}
    # The node's own Pods are not outside: they reach all.
    assert {world.ask("b", NODE_1, 30080).pod for _ in range(40)} == {"a", "d"}


def test_external_policy_local_is_silent_where_no_endpoint_is(
    world: Any, make_service: Any, make_slice: Any
) -> None:
    local = make_service(
        "web", VIP, type="NodePort", ports=[NODE_PORT], externalTrafficPolicy="Local"
    )
    world.apply((local, [make_slice("a")]))
    asking = world.open("host")
    asking.settimeout(0.2)
    with asking, pytest.raises(TimeoutError):
        asking.connect((NODE_2, 30080))


def test_external_addresses_answer_and_others_of_that_network_do_not(
    world: Any, make_service: Any, make_slice: Any
) -> None:
    world.apply((make_service("web", VIP, externalIPs=["203.0.113.7"]), [make_slice("b")]))
    assert world.ask("a", "203.0.113.7", 80).pod == "b"


def test_source_ranges_let_only_their_clients_in(
    world: Any, make_service: Any, make_slice: Any
) -> None:
    balanced = make_service(
        "web",
        VIP,
        type="LoadBalancer",
        loadBalancerSourceRanges=["10.244.0.2/32"],
        status={"loadBalancer": {"ingress": [{"ip": "203.0.113.8"}]}},
    )
    world.apply((balanced, [make_slice("d")]))
    assert world.ask("a", "203.0.113.8", 80).pod == "d"
    asking = world.open("b")
    asking.settimeout(0.2)
    with asking, pytest.raises(TimeoutError):
        asking.connect(("203.0.113.8", 80))
    assert world.ask("b", VIP, 80).pod == "d"


def test_tcp_and_udp_of_one_port_are_apart(world: Any, make_service: Any, make_slice: Any) -> None:
    ports = [
        {"name": "dns", "port": 80, "protocol": "UDP"},
        {"name": "dns-tcp", "port": 80, "protocol": "TCP"},
    ]
    udp, tcp = make_slice("b", protocol="UDP"), make_slice("c")
    udp["ports"][0]["name"], tcp["ports"][0]["name"] = "dns", "dns-tcp"
    world.apply((make_service("dns", VIP, ports=ports), [udp, tcp]))
    assert world.ask_udp("a", VIP, 80).pod == "b"
    assert world.ask("a", VIP, 80).pod == "c"


def test_a_udp_flow_leaves_an_endpoint_that_went_at_once(
    world: Any, make_service: Any, make_slice: Any
) -> None:
    dns = make_service("dns", VIP, ports=UDP)
    world.apply((dns, [make_slice("b", protocol="UDP")]))
    with world.open("a", socket.SOCK_DGRAM) as asking:
        asking.connect((VIP, 80))
        asking.send(b"?")
        assert asking.recv(100).startswith(b"b ")
        world.apply((dns, [make_slice("d", protocol="UDP")]))
        asking.send(b"?")
        assert asking.recv(100).startswith(b"d ")


def test_a_udp_flow_keeps_an_endpoint_that_stays(
    world: Any, make_service: Any, make_slice: Any
) -> None:
    dns = make_service("dns", VIP, ports=UDP)
    world.apply((dns, [make_slice("bcd", protocol="UDP")]))
    with world.open("a", socket.SOCK_DGRAM) as asking:
        asking.connect((VIP, 80))
        asking.send(b"?")
        first = asking.recv(100)
        gone = "c" if first.startswith(b"b") else "b"
        left = "bcd".replace(gone, "")
        world.apply((dns, [make_slice(left, protocol="UDP")]))
        for _ in range(10):
            asking.send(b"?")
            assert asking.recv(100) == first


def test_a_udp_client_that_was_refused_is_served_once_there_is_an_endpoint(
    world: Any, make_service: Any, make_slice: Any
) -> None:
    dns = make_service("dns", VIP, ports=UDP)
    world.apply((dns, []))
    with world.open("a", socket.SOCK_DGRAM) as asking:
        asking.connect((VIP, 80))
        asking.send(b"?")
        with pytest.raises(ConnectionRefusedError):
            asking.recv(100)
        world.apply((dns, [make_slice("b", protocol="UDP")]))
        asking.send(b"?")
        assert asking.recv(100).startswith(b"b ")


def test_a_udp_flow_to_a_node_moves_when_its_port_becomes_a_node_port(
    world: Any, make_service: Any, make_slice: Any
) -> None:
    with world.open("host", socket.SOCK_DGRAM) as asking:
        asking.connect((NODE_1, 30053))
        asking.send(b"?")
        with pytest.raises(ConnectionRefusedError):
            asking.recv(100)
        ports = [{"port": 80, "protocol": "UDP", "nodePort": 30053}]
        dns = make_service("dns", VIP, type="NodePort", ports=ports)
        world.apply((dns, [make_slice("a", protocol="UDP")]))
        asking.send(b"?")
        assert asking.recv(100).startswith(b"a ")


def test_a_sticky_service_keeps_a_client_while_other_endpoints_come_and_go(
    world: Any, make_service: Any, make_slice: Any
) -> None:
    sticky = make_service("web", VIP, sessionAffinity="ClientIP")
    world.apply((sticky, [make_slice("bcd")]))
    mine = world.ask("a", VIP, 80).pod
    assert {world.ask("a", VIP, 80).pod for _ in range(20)} == {mine}
    others = "bcd".replace(mine, "")
    for pods in (mine, mine + "e", others[0] + mine + "e", "bcde"):
        world.apply((sticky, [make_slice(pods)]))
        assert {world.ask("a", VIP, 80).pod for _ in range(10)} == {mine}
    world.apply((sticky, [make_slice(others)]))
    assert len({world.ask("a", VIP, 80).pod for _ in range(10)} - {mine}) == 1


def test_a_sticky_client_keeps_an_endpoint_on_the_nodes_own_network(
    world: Any, make_service: Any, make_slice: Any
) -> None:
    made = []
    for port in (9101, 9102, 9103):
        world.serve("node-1", port)
        one = make_slice("")
        one["ports"][0]["port"] = port
        one["endpoints"] = [{"addresses": [NODE_1], "nodeName": "node-1"}]
        made.append(one)
    world.apply((make_service("agent", VIP, sessionAffinity="ClientIP"), made))
    for place in ("a", "host", "node-1"):
        world.ask(place, VIP, 80)
    remembered = dict(world.proxies["node-1"].kernel.read("affinity"))
    # These packets do not leave the node, so they pass no postrouting hook.
    assert ("10.244.0.2", VIP, "tcp", 80) in remembered


def test_stickiness_can_be_switched_on_and_off_on_a_live_service(
    world: Any, make_service: Any, make_slice: Any
) -> None:
    slices = [make_slice("bcd")]
    world.apply((make_service("web", VIP), slices))
    assert len({world.ask("a", VIP, 80).pod for _ in range(60)}) == 3
    world.apply((make_service("web", VIP, sessionAffinity="ClientIP"), slices))
    assert len({world.ask("a", VIP, 80).pod for _ in range(20)}) == 1
    world.apply((make_service("web", VIP), slices))
    assert len({world.ask("a", VIP, 80).pod for _ in range(60)}) == 3


def test_a_sticky_client_is_remembered_when_the_proxy_starts_again(
    world: Any, make_service: Any, make_slice: Any
) -> None:
    sticky = make_service("web", VIP, sessionAffinity="ClientIP")
    world.apply((sticky, [make_slice("bcd")]))
    mine = world.ask("a", VIP, 80).pod
    world.proxies["node-1"].restart()
    assert {world.ask("a", VIP, 80).pod for _ in range(20)} == {mine}


def test_a_sticky_client_is_forgotten_when_the_timeout_is_over(
    world: Any, make_service: Any, make_slice: Any
) -> None:
    config = {"clientIP": {"timeoutSeconds": 1}}
    sticky = make_service("web", VIP, sessionAffinity="ClientIP", sessionAffinityConfig=config)
    world.apply((sticky, [make_slice("bcde")]))
    seen = set()
    for _ in range(12):
        seen.add(world.ask("a", VIP, 80).pod)
        if len(seen) > 1:
            return
        time.sleep(1.05)
    pytest.fail(f"after 12 timeouts still {seen}")


def test_established_connections_survive_changes_and_restarts(
    world: Any, make_service: Any, make_slice: Any
) -> None:
    world.apply((make_service("web", VIP), [make_slice("bcd")]))
    with world.connect("a", VIP, 80) as connection:
        pod = connection.recv(100).decode().split()[0]
        others = "bcd".replace(pod, "")
        for step in (
            lambda: world.apply((make_service("web", VIP), [make_slice(pod)])),
            lambda: world.proxies["node-1"].restart(),
            lambda: world.apply((make_service("web", VIP), [make_slice(others)])),
            lambda: world.apply((make_service("web", VIP), [])),
            lambda: world.apply(),
        ):
            step()
            connection.sendall(b"still there?")
            assert connection.recv(100) == b"still there?"


def test_no_connection_fails_while_tables_change_a_thousand_times(
    world: Any, make_service: Any, make_slice: Any
) -> None:
    web = make_service("web", VIP)
    world.apply((web, [make_slice("b")]))
    failures: list[OSError] = []
    answered = [0, 0]
    done = threading.Event()

    def ask(worker: int) -> None:
        while not done.is_set():
            try:
                world.ask("a", VIP, 80)
                answered[worker] += 1
            except OSError as error:
                failures.append(error)

    workers = [threading.Thread(target=ask, args=(worker,)) for worker in range(2)]
    for worker in workers:
        worker.start()
    try:
        for number in itertools.count():
            if failures or (number >= 1000 and min(answered) > 50):
                break
            world.apply((web, [make_slice(("b", "bc", "bcde", "cd", "db")[number % 5])]))
            if number % 100 == 0:
                world.proxies["node-1"].restart()
    finally:
        done.set()
        for worker in workers:
            worker.join()
    assert failures == []
