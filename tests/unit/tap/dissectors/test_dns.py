"""DNS queries find their answers, over UDP and TCP."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.tap.connection import CLIENT, SERVER
from pilotfish.tap.datagrams import Flow
from pilotfish.tap.dissectors.dns import DnsDatagrams, recognise
from pilotfish.tap.dissectors.dns_message import DnsMessage, looks_like_dns
from pilotfish.tap.exchange import Exchange
from support.dissection import (
    Said,
    Wire,
    assert_mutations_do_no_harm,
    assert_splitting_changes_nothing,
)

NAME = "go-demo-2-db.default.svc.cluster.local."


def query(name: str = NAME, kind: str = "A", id_: int = 7) -> bytes:
    return dns.message.make_query(name, kind, id=id_, use_edns=True).to_wire()


def answer(to: bytes, *records: tuple[str, ...], rcode: int = 0) -> bytes:
    response = dns.message.make_response(dns.message.from_wire(to))
    response.set_rcode(rcode)
    for name, kind, *data in records:
        response.answer.append(dns.rrset.from_text(name, 30, "IN", kind, *data))
    return response.to_wire()


def framed(message: bytes) -> bytes:
    return len(message).to_bytes(2, "big") + message


class Datagrams:
    """A UDP flow, and what was emitted."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        flow = Flow(b"\x0a\0\0\1", 40000, b"\x0a\0\0\2", 53, 0.0)
        self.dissector = DnsDatagrams(flow, self.exchanges.append)

    def say(self, side: int, payload: bytes, time_s: float) -> None:
        self.dissector.datagram(side, payload, time_s)


def test_an_answer_finds_its_query_by_id_and_name() -> None:
    wire = Datagrams()
    one, other = query(kind="A", id_=1), query(kind="AAAA", id_=1)
    wire.say(CLIENT, one, 1.0)
    wire.say(CLIENT, other, 1.1)
    wire.say(SERVER, answer(other), 1.2)
    wire.say(SERVER, answer(one, (NAME, "A", "10.96.0.7", "10.96.0.8")), 1.5)
    second, first = wire.exchanges
    assert first.request is not None
    assert first.response is not None
    asked, said = first.request.fields(), first.response.fields()
    assert (asked["name"], asked["type"], asked["method"]) == (NAME, "A", "A")
    assert sorted(each["data"] for each in said["answers"]) == ["10.96.0.7", "10.96.0.8"]
    assert (said["rcode"], said["answers"][0]["ttl"]) == ("NOERROR", 30)
    assert first.elapsed_s == pytest.approx(0.5)
    assert second.response is not None
    assert second.response.fields()["answers"] == []


def test_a_name_that_does_not_exist_is_an_answer() -> None:
    wire = Datagrams()
    wire.say(CLIENT, query("nowhere.example."), 1.0)
    wire.say(SERVER, answer(query("nowhere.example."), rcode=3), 1.1)
    assert wire.exchanges[0].response is not None
    assert wire.exchanges[0].response.fields()["status"] == "NXDOMAIN"


def test_a_query_that_is_sent_again_is_one_exchange() -> None:
    wire = Datagrams()
    wire.say(CLIENT, query(), 1.0)
    wire.say(CLIENT, query(), 6.0)
    wire.say(SERVER, answer(query()), 6.5)
    (exchange,) = wire.exchanges
    assert exchange.request_s == 1.0


def test_a_query_without_an_answer_times_out_or_fails_as_icmp_says() -> None:
    wire = Datagrams()
    wire.say(CLIENT, query(), 1.0)
    wire.dissector.failed("icmp port unreachable", 1.1)
    wire.say(CLIENT, query(id_=8), 2.0)
    wire.dissector.ended("closed", 20.0)
    assert [each.failure for each in wire.exchanges] == ["icmp port unreachable", "timed out"]


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("CNAME", "db.example."),
        ("SRV", "0 50 6379 db.example."),
        ("MX", "10 mail.example."),
        ("AAAA", "fd00::7"),
        ("TXT", '"v=1" "two words"'),
        ("PTR", "db.example."),
        ("SOA", "ns.example. admin.example. 1 2 3 4 5"),
    ],
)
def test_records_read_as_zone_files_write_them(kind: str, data: str) -> None:
    message = DnsMessage(answer(query(kind=kind), (NAME, kind, data)))
    assert [record.data for record in message.records] == [data]


TCP: list[Said] = [
    (CLIENT, framed(query(id_=1)) + framed(query("b.example.", id_=2))),
    (SERVER, framed(answer(query("b.example.", id_=2), ("b.example.", "A", "10.0.0.2")))),
    (SERVER, framed(answer(query(id_=1), (NAME, "A", "10.96.0.7")))),
]


def test_queries_over_tcp_are_answered_in_any_order() -> None:
    wire = Wire().say(*TCP)
    assert [each.protocol for each in wire.exchanges] == ["dns", "dns"]
    assert [each["name"] for each in wire.requests] == ["b.example.", NAME]


def test_splitting_at_every_byte_changes_nothing() -> None:
    assert_splitting_changes_nothing(TCP)


def test_a_name_whose_pointers_go_in_circles_is_no_dns() -> None:
    assert not looks_like_dns(query()[:12] + b"\xc0\x0c\x00\x01\x00\x01")


def test_bytes_that_are_not_printable_are_written_as_numbers() -> None:
    wire = query()[:12] + b"\x03a\x1b.\x00\x00\x01\x00\x01"
    question = DnsMessage(wire).question
    assert question is not None
    assert question.name == "a\\027\\046."


@pytest.mark.parametrize(
    "said", [b"\x00\x10GET / HTTP/1.1\r\n", b"\x00" * 40, bytes(range(40))], ids=["text", "0", "up"]
)
def test_other_bytes_are_not_dns(said: bytes) -> None:
    assert recognise(said, b"") is False
    assert not looks_like_dns(said)


@pytest.mark.parametrize("seed", range(60))
def test_mutations_do_no_harm(seed: int) -> None:
    assert_mutations_do_no_harm(TCP, seed)


@given(st.binary(max_size=100), st.binary(max_size=100))
def test_garbage_does_no_harm(one: bytes, other: bytes) -> None:
    looks_like_dns(one)
    wire = Datagrams()
    wire.say(CLIENT, query()[:12] + one, 1.0)
    wire.say(SERVER, answer(query())[:12] + other, 1.0)
    wire.dissector.ended("closed", 2.0)
    for each in wire.exchanges:
        assert each.request is None or each.request.fields()
        assert each.response is None or each.response.fields()
