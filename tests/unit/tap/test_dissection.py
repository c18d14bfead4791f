"""Frames of several interfaces become exchanges, each of them once."""

from __future__ import annotations

import random
import struct
from ipaddress import ip_address

import pytest

from pilotfish.tap import streams
from pilotfish.tap.dissection import Dissection
from pilotfish.tap.exchange import Exchange
from support.wire import ACK, FIN, RST, SYN, ethernet, ip, tcp, udp

POD, OTHER, SERVICE, NODE = "10.244.0.5", "10.244.0.6", "10.96.0.7", "10.244.0.1"
VETH, OTHER_VETH, ETH0 = 7, 8, 2
GET = b"GET /hello HTTP/1.1\r\nHost: api\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

Address = tuple[str, int]


def enters(source: bytes, _target: bytes, _port: int, interface: int, outgoing: bool) -> bool:
    """What a node with two Pods says."""
    if outgoing:
        return source == ip_address(NODE).packed
    return interface in (VETH, OTHER_VETH)


class Node:
    """A dissection of what a node's interfaces see, and what was emitted."""

    def __init__(self, live: bool = True) -> None:
        self.exchanges: list[Exchange] = []
        self.dissection = Dissection(self.exchanges.append, enters if live else None)
        self.time_s = 1000.0

    def see(self, frame: bytes, interface: int = 0, outgoing: bool = False) -> None:
        self.time_s += 0.001
        self.dissection.feed(self.time_s, frame, 1, interface, outgoing)

    def seen(self) -> list[tuple[str, str]]:
        return [(each.protocol, each.failure) for each in self.exchanges]


def talk(client: Address, server: Address, isn: int = 100) -> list[tuple[bool, bytes]]:
    """A request and its answer: frames, and whether the server sent them."""
    asked, told = isn + 1 + len(GET), 501 + len(OK)
    return [
        (False, tcp(client, server, isn, flags=SYN)),
        (True, tcp(server, client, 500, isn + 1, SYN | ACK)),
        (False, tcp(client, server, isn + 1, 501)),
        (False, tcp(client, server, isn + 1, 501, payload=GET)),
        (True, tcp(server, client, 501, asked, payload=OK)),
        (False, tcp(client, server, asked, told, FIN | ACK)),
        (True, tcp(server, client, told, asked + 1, FIN | ACK)),
    ]


def icmp_unreachable(reporter: str, target: str, code: int, about: bytes) -> bytes:
    """An ICMP error about a frame."""
    return ethernet(ip(reporter, target, 1, struct.pack("!BBHI", 3, code, 0, 0) + about[14:42]))


def test_a_packet_that_crosses_two_interfaces_is_told_once() -> None:
    node = Node()
    for from_server, frame in talk((POD, 40000), (OTHER, 80)):
        first, second = (OTHER_VETH, VETH) if from_server else (VETH, OTHER_VETH)
        node.see(frame, first, outgoing=False)
        node.see(frame, second, outgoing=True)
    assert node.seen() == [("http", "")]


def test_a_service_is_told_as_the_client_sees_it() -> None:
    node = Node()
    asked = talk((POD, 40000), (SERVICE, 80))
    translated = talk((POD, 40000), (OTHER, 8080))
    for (from_server, before), (_, after) in zip(asked, translated, strict=True):
        if from_server:
            node.see(after, OTHER_VETH)
            node.see(before, VETH, outgoing=True)
        else:
            node.see(before, VETH)
            node.see(after, OTHER_VETH, outgoing=True)
    assert node.seen() == [("http", "")]
    assert node.exchanges[0].connection.server == ip_address(SERVICE).packed


def test_the_pod_that_refuses_is_known_by_the_syn_that_went_to_it() -> None:
    node = Node()
    node.see(tcp((POD, 40000), (SERVICE, 80), 99, flags=SYN), VETH)
    node.see(tcp((POD, 40000), (OTHER, 8080), 99, flags=SYN), OTHER_VETH, outgoing=True)
    node.see(tcp((OTHER, 8080), (POD, 40000), 0, 100, RST | ACK), OTHER_VETH)
    node.see(tcp((SERVICE, 80), (POD, 40000), 0, 100, RST | ACK), VETH, outgoing=True)
    (refused,) = node.exchanges
    assert refused.failure == "refused"
    assert refused.connection.led_to == (ip_address(OTHER).packed, 8080)
    assert refused.connection.reset_ttl == 64


def test_what_came_from_another_node_is_told_there() -> None:
    node = Node()
    for from_server, frame in talk(("10.244.1.9", 40000), (POD, 80)):
        node.see(frame, VETH if from_server else ETH0, outgoing=False)
        node.see(frame, ETH0 if from_server else VETH, outgoing=True)
    assert node.seen() == []


def test_a_masqueraded_connection_is_known_by_its_sequence_number() -> None:
    node = Node()
    asked = talk((POD, 40000), (SERVICE, 80), isn=123456)
    masqueraded = talk((NODE, 50000), (POD, 8080), isn=123456)
    for (from_server, before), (_, after) in zip(asked, masqueraded, strict=True):
        if from_server:
            node.see(after, VETH)
            node.see(before, VETH, outgoing=True)
        else:
            node.see(before, VETH)
            node.see(after, VETH, outgoing=True)
    assert len(node.exchanges) == 1
    assert node.exchanges[0].connection.client == ip_address(POD).packed


def test_a_node_that_asks_a_pod_is_told() -> None:
    node = Node()
    for from_server, frame in talk((NODE, 40000), (POD, 80)):
        node.see(frame, VETH, outgoing=not from_server)
    assert node.seen() == [("http", "")]


def test_ports_that_belonged_to_another_nodes_connection_may_be_used_anew() -> None:
    node = Node()
    node.see(tcp((OTHER, 40000), (POD, 80), 100, 1, ACK, GET), ETH0)
    for from_server, frame in talk((OTHER, 40000), (POD, 80)):
        node.see(frame, OTHER_VETH, outgoing=from_server)
    assert node.seen() == [("http", "")]


def test_the_middle_of_a_connection_begins_with_what_the_client_says() -> None:
    node = Node()
    node.see(tcp((OTHER, 80), (POD, 40000), 500, 100, ACK, OK), OTHER_VETH)
    node.see(tcp((POD, 40000), (OTHER, 80), 100, 540, ACK, GET), VETH)
    node.see(tcp((OTHER, 80), (POD, 40000), 540, 140, ACK, OK), OTHER_VETH)
    node.see(tcp((OTHER, 80), (POD, 40000), 540, 140, ACK, OK), VETH, outgoing=True)
    assert node.seen() == [("http", "")]


def test_requests_that_came_in_the_wrong_order_are_all_told() -> None:
    node = Node(live=False)
    client, server = (POD, 40000), (OTHER, 80)
    for _, frame in talk(client, server)[:3]:
        node.see(frame)
    again = 101 + len(GET)
    node.see(tcp(client, server, again, 501, payload=GET * 2))
    node.see(tcp(client, server, 101, 501, payload=GET))
    node.see(tcp(server, client, 501, again + 2 * len(GET), payload=OK * 3))
    assert node.seen() == [("http", "")] * 3


def test_a_udp_flow_is_told_once_too() -> None:
    node = Node()
    for interface, outgoing in ((VETH, False), (OTHER_VETH, True)):
        node.see(udp((POD, 5000), (OTHER, 6000), b"ping"), interface, outgoing)
    for interface, outgoing in ((OTHER_VETH, False), (VETH, True)):
        node.see(udp((OTHER, 6000), (POD, 5000), b"pong"), interface, outgoing)
    node.dissection.finish(node.time_s)
    (exchange,) = node.exchanges
    assert (exchange.protocol, exchange.connection.octets) == ("udp", [4, 4])


def test_an_icmp_error_ends_a_connection_that_waits_for_its_server() -> None:
    node = Node(live=False)
    syn = tcp((POD, 40000), (SERVICE, 80), 100, flags=SYN)
    node.see(syn)
    node.see(icmp_unreachable(NODE, POD, 3, syn))
    node.see(syn)
    node.dissection.finish(node.time_s)
    assert node.seen() == [("tcp", "icmp port unreachable")]


def test_an_icmp_error_about_a_datagram_is_its_answer() -> None:
    node = Node(live=False)
    datagram = udp((POD, 40000), (OTHER, 9999), b"anybody there?")
    node.see(datagram)
    node.see(icmp_unreachable(OTHER, POD, 3, datagram))
    node.dissection.finish(node.time_s)
    assert node.seen() == [("udp", "icmp port unreachable")]


def test_an_icmp_error_about_something_unknown_is_passed_over() -> None:
    node = Node(live=False)
    node.see(icmp_unreachable(OTHER, POD, 1, tcp((POD, 1), (OTHER, 2), 1, flags=SYN)))
    assert node.seen() == []


def test_a_server_that_never_answers_is_told_while_people_wait() -> None:
    node = Node(live=False)
    syn = tcp((POD, 40000), (OTHER, 80), 100, flags=SYN)
    for second in (0, 1, 3, 7, 15):
        node.time_s = 1000.0 + second
        node.see(syn)
    node.dissection.sweep(1000.0 + streams.UNANSWERED_TIMEOUT_S + 2)
    assert node.seen() == [("tcp", "timed out")]
    node.time_s = 1031.0
    node.see(syn)
    node.dissection.finish(1032.0)
    assert node.seen() == [("tcp", "timed out")]


def test_the_last_words_of_what_was_over_before_are_not_told() -> None:
    node = Node(live=False)
    node.see(tcp((POD, 40000), (OTHER, 80), 100, 1, FIN | ACK))
    node.see(tcp((OTHER, 80), (POD, 40000), 1, 101, RST | ACK))
    node.dissection.finish(node.time_s)
    assert node.seen() == []


def test_what_nobody_recognises_is_a_flow() -> None:
    node = Node(live=False)
    for _, frame in talk((POD, 40000), (OTHER, 80))[:3]:
        node.see(frame)
    node.see(tcp((POD, 40000), (OTHER, 80), 101, 501, payload=b"\x99unheard of"))
    node.see(tcp((OTHER, 80), (POD, 40000), 501, 112, payload=b"indeed"))
    node.dissection.finish(node.time_s)
    (exchange,) = node.exchanges
    assert (exchange.protocol, exchange.failure) == ("tcp", "")
    assert exchange.request is not None
    assert exchange.response is not None
    assert exchange.request.fields()["text"] == "\ufffdunheard of"
    assert (exchange.request.size, exchange.response.size) == (11, 6)


def test_a_refused_connection_is_told() -> None:
    node = Node(live=False)
    node.see(tcp((POD, 40000), (OTHER, 81), 100, flags=SYN))
    node.see(tcp((OTHER, 81), (POD, 40000), 0, 101, RST | ACK))
    assert node.seen() == [("tcp", "refused")]


def test_connections_that_begin_elsewhere_are_remembered_within_bounds() -> None:
    node = Node()
    asked: list[int] = []

    def count(*_: object) -> bool:
        asked.append(1)
        return False

    node.dissection = Dissection(node.exchanges.append, count)
    for _ in range(3):
        for port in range(2000, 2100):
            node.see(tcp((OTHER, port), (POD, 80), 1, 1, ACK, b"x"), ETH0)
    assert len(asked) == 100


@pytest.mark.parametrize("seed", range(60))
def test_frames_that_are_changed_anyhow_do_no_harm(seed: int) -> None:
    chance = random.Random(seed)
    node = Node(live=bool(seed % 2))
    said = [frame for _, frame in talk((POD, 40000), (SERVICE, 80))]
    said += [frame for _, frame in talk(("fd00::5", 40000), ("fd00::6", 80))]
    said += [udp((POD, 5000), (OTHER, 53), bytes(40)), icmp_unreachable(NODE, POD, 3, said[0])]
    for _ in range(300):
        frame = bytearray(chance.choice(said))
        for _ in range(chance.randrange(4)):
            frame[chance.randrange(len(frame))] = chance.randrange(256)
        cut = chance.choice((len(frame), chance.randrange(len(frame) + 1)))
        interface = chance.choice((VETH, OTHER_VETH, ETH0))
        link_type = chance.choice((1, 1, 1, 0, 101, 113, 276, 999))
        node.time_s += chance.choice((0.001, 0.001, 5.0))
        node.dissection.feed(node.time_s, bytes(frame[:cut]), link_type, interface)
    node.dissection.finish(node.time_s)
    for each in node.exchanges:
        assert each.connection.client_port >= 0
        for message in (each.request, each.response):
            assert message is None or message.fields()


@pytest.mark.parametrize(("server_port", "client_port"), [(53, 20000), (514, 40000), (8125, 51000)])
def test_a_udp_flow_that_begins_with_its_answer_in_a_file_has_its_client_all_the_same(
    server_port: int, client_port: int
) -> None:
    node = Node(live=False)
    node.see(udp((OTHER, server_port), (POD, client_port), b"pong"))
    node.see(udp((POD, client_port), (OTHER, server_port), b"ping!"))
    node.dissection.finish(node.time_s)
    (exchange,) = node.exchanges
    connection = exchange.connection
    assert (connection.client_port, connection.server_port) == (client_port, server_port)
    assert connection.client == ip_address(POD).packed
    assert exchange.request is not None
    assert exchange.response is not None
    assert (exchange.request.size, exchange.response.size) == (5, 4)


@pytest.mark.parametrize("ports", [(5000, 6000), (40000, 50000), (123, 123), (40000, 53)])
def test_other_udp_flows_begin_with_their_clients(ports: tuple[int, int]) -> None:
    node = Node(live=False)
    node.see(udp((POD, ports[0]), (OTHER, ports[1]), b"ping"))
    node.dissection.finish(node.time_s)
    assert node.exchanges[0].connection.client_port == ports[0]
    assert node.exchanges[0].connection.client == ip_address(POD).packed


def test_an_answer_whose_question_was_not_captured_begins_no_flow_of_its_server() -> None:
    node = Node()
    ask, answer = ((POD, 40000), (OTHER, 8125)), ((OTHER, 8125), (POD, 40000))
    node.see(udp(*answer, b"pong"), OTHER_VETH)
    node.see(udp(*answer, b"pong"), VETH, outgoing=True)
    # The client's next question shows where it enters: at its own link.
    node.see(udp(*ask, b"ping"), VETH)
    node.see(udp(*ask, b"ping"), OTHER_VETH, outgoing=True)
    node.see(udp(*answer, b"pong"), OTHER_VETH)
    node.see(udp(*answer, b"pong"), VETH, outgoing=True)
    node.dissection.finish(node.time_s)
    (exchange,) = node.exchanges
    assert exchange.connection.client == ip_address(POD).packed
    assert exchange.connection.interface == VETH
    assert exchange.response is not None
    assert exchange.response.size == 4


def test_who_sends_for_long_from_a_low_port_and_is_never_asked_is_a_client() -> None:
    node = Node()
    for _ in range(4):
        node.see(udp((POD, 700), (OTHER, 40000), b"tick"), VETH)
        node.time_s += 1.0
    node.dissection.finish(node.time_s)
    (exchange,) = node.exchanges
    assert exchange.connection.client == ip_address(POD).packed
    assert exchange.request is not None
    assert exchange.request.size == 8
