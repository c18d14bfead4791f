"""What is made of a query whatever it asks for: EDNS, sizes, bad packets, caching."""

from __future__ import annotations

from typing import Any

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.reversename
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.dns.answers import Forward
from pilotfish.dns.compiler import Compiler
from support.zone import DOMAIN, add_headless, add_web, ask, data, endpoint


def test_edns_is_answered_with_edns(compiler: Compiler) -> None:
    add_web(compiler)
    for name in ("web.default.svc.cluster.local", "no.default.svc.cluster.local"):
        reply = ask(compiler.answerer, name, use_edns=0, payload=4096)
        assert (reply.edns, reply.payload) == (0, 1232)
        assert not reply.ednsflags & dns.flags.DO
        assert ask(compiler.answerer, name, want_dnssec=True).ednsflags & dns.flags.DO
        assert ask(compiler.answerer, name).edns == -1


def test_edns_options_are_taken_and_ignored(compiler: Compiler) -> None:
    add_web(compiler)
    options = [dns.edns.GenericOption(10, b"12345678")]
    reply = ask(compiler.answerer, "web.default.svc.cluster.local", options=options)
    assert data(reply) == ["10.96.3.4"]


def test_a_later_edns_version_is_badvers(compiler: Compiler) -> None:
    add_web(compiler)
    reply = ask(compiler.answerer, "web.default.svc.cluster.local", use_edns=1)
    assert reply.rcode() == dns.rcode.BADVERS
    assert reply.edns == 0


def test_a_reply_too_large_for_udp_is_cut_at_a_record_and_says_so(compiler: Compiler) -> None:
    add_headless(compiler, *(endpoint(f"10.244.0.{n}") for n in range(1, 201)))
    name = "db.default.svc.cluster.local"
    cut = ask(compiler.answerer, name)
    assert cut.flags & dns.flags.TC
    assert len(cut.answer[0]) == (512 - 12 - 34) // 16
    assert len(ask(compiler.answerer, name, use_edns=0, payload=4096).answer[0]) == 73
    whole = ask(compiler.answerer, name, stream=True)
    assert not whole.flags & dns.flags.TC
    assert len(whole.answer[0]) == 200


def test_a_cut_reply_does_not_always_hold_the_same_addresses(compiler: Compiler) -> None:
    add_headless(compiler, *(endpoint(f"10.244.0.{n}") for n in range(1, 101)))
    seen = {
        address
        for _ in range(100)
        for address in data(ask(compiler.answerer, "db.default.svc.cluster.local"))
    }
    assert len(seen) == 100


def test_additional_records_that_do_not_fit_go_without_truncation(compiler: Compiler) -> None:
    add_headless(compiler, *(endpoint(f"10.244.0.{n}", hostname=f"d{n}") for n in range(1, 9)))
    reply = ask(compiler.answerer, "_http._tcp.db.default.svc.cluster.local", "SRV")
    assert not reply.flags & dns.flags.TC
    assert len(reply.answer[0]) == 8
    assert len(reply.additional) < 8


def test_replies_and_scraps_are_met_with_silence(compiler: Compiler) -> None:
    query = dns.message.make_query("web.default.svc.cluster.local", "A")
    query.flags |= dns.flags.QR
    assert compiler.answerer.answer(query.to_wire()) is None
    assert compiler.answerer.answer(b"") is None
    assert compiler.answerer.answer(b"12345678901") is None


def rcode_of(reply: bytes | Forward | None) -> dns.rcode.Rcode:
    assert isinstance(reply, bytes)
    return dns.message.from_wire(reply).rcode()


def test_another_opcode_is_not_implemented(compiler: Compiler) -> None:
    query = dns.message.make_query("web.default.svc.cluster.local", "A")
    query.set_opcode(dns.opcode.STATUS)
    assert rcode_of(compiler.answerer.answer(query.to_wire())) == dns.rcode.NOTIMP


def test_no_question_and_two_questions_are_format_errors(compiler: Compiler) -> None:
    packet = dns.message.make_query("web.default.svc.cluster.local", "A").to_wire()
    none = packet[:4] + bytes(8)
    assert rcode_of(compiler.answerer.answer(none)) == dns.rcode.FORMERR
    two = packet[:4] + b"\0\2" + packet[6:] + packet[12:]
    assert rcode_of(compiler.answerer.answer(two)) == dns.rcode.FORMERR


@pytest.mark.parametrize(
    "spoil",
    [
        lambda packet: packet[:-1],
        lambda packet: packet + b"x",
        lambda packet: packet[:12] + b"\xc0\x0c" + packet[-4:],
        lambda packet: packet[:12] + b"\x3f" * 300 + b"\0" + packet[-4:],
        lambda packet: packet[:12] + (b"\x3f" + b"a" * 63) * 4 + b"\0" + packet[-4:],
        lambda packet: packet[:10] + b"\0\1" + packet[12:],
        lambda packet: packet[:10] + b"\0\2" + packet[12:] + (b"\0\0\x29" + bytes(8)) * 2,
        lambda packet: packet[:6] + b"\0\1" + packet[8:] + b"\0\0\x29" + bytes(8),
        lambda packet: packet[:10] + b"\0\1" + packet[12:] + b"\1a\0\0\x29" + bytes(8),
        lambda packet: packet[:10] + b"\0\1" + packet[12:] + b"\0\0\x29" + bytes(7) + b"\3abc",
    ],
    ids=[
        "cut",
        "longer",
        "compressed",
        "reserved label",
        "long name",
        "no OPT",
        "two OPT",
        "OPT as answer",
        "OPT with name",
        "cut option",
    ],
)
def test_a_malformed_packet_is_a_format_error(compiler: Compiler, spoil: Any) -> None:
    add_web(compiler)
    packet = dns.message.make_query("web.default.svc.cluster.local", "A").to_wire()
    reply = compiler.answerer.answer(spoil(packet))
    assert isinstance(reply, bytes)
    assert (reply[:2], reply[3] & 15) == (packet[:2], dns.rcode.FORMERR)


def test_zone_transfers_and_other_classes_are_refused(compiler: Compiler) -> None:
    for query in (
        dns.message.make_query("cluster.local", "AXFR"),
        dns.message.make_query("version.bind", "TXT", rdclass=dns.rdataclass.CH),
    ):
        assert rcode_of(compiler.answerer.answer(query.to_wire())) == dns.rcode.REFUSED


def test_any_gets_one_set_of_records(compiler: Compiler) -> None:
    add_web(compiler)
    assert data(ask(compiler.answerer, "web.default.svc.cluster.local", "ANY")) == ["10.96.3.4"]


def test_a_remembered_answer_is_the_same_and_forgotten_with_the_next_change(
    compiler: Compiler,
) -> None:
    add_web(compiler)
    for name in ("db.default.svc.cluster.local", "default.svc.cluster.local"):
        for options in ({}, {"use_edns": 0}, {"flags": 0}):
            query = dns.message.make_query(name, "A", id=7, **options).to_wire()
            first = compiler.answerer.answer(query)
            assert compiler.answerer.answer(query) == first
    add_headless(compiler, endpoint("10.244.0.5"))
    assert data(ask(compiler.answerer, "db.default.svc.cluster.local")) == ["10.244.0.5"]


def test_the_quick_way_and_the_longer_way_give_the_same_bytes(compiler: Compiler) -> None:
    add_web(compiler)
    for options in ({}, {"use_edns": 0, "payload": 512}, {"use_edns": 0, "payload": 4096}):
        for name, kind in (
            ("web.default.svc.cluster.local", "A"),
            ("_http._tcp.web.default.svc.cluster.local", "SRV"),
            ("no.default.svc.cluster.local", "A"),
        ):
            message = dns.message.make_query(name, kind, id=7, **options)
            quick = [compiler.answerer.answer(message.to_wire()) for _ in range(2)]
            # A reserved bit of the flags, which must be ignored, is not for the quick way.
            longer = message.to_wire()[:3] + b"\x40" + message.to_wire()[4:]
            assert [compiler.answerer.answer(longer)] * 2 == quick


@given(st.binary(max_size=600))
def test_garbage_never_raises(packet: bytes) -> None:
    check_garbage(packet)


@given(
    st.binary(min_size=2, max_size=2),
    st.lists(st.integers(0, 3), min_size=4, max_size=4),
    st.binary(max_size=300),
)
def test_garbage_behind_a_plausible_header_never_raises(
    id_: bytes, counts: list[int], rest: bytes
) -> None:
    header = id_ + b"\1\0" + b"".join(count.to_bytes(2, "big") for count in counts)
    check_garbage(header + rest)


@given(st.data())
def test_a_query_with_a_spoiled_byte_never_raises(draw: st.DataObject) -> None:
    query = dns.message.make_query("web.default.svc.cluster.local", "A", use_edns=0)
    packet = bytearray(query.to_wire())
    packet[draw.draw(st.integers(0, len(packet) - 1))] = draw.draw(st.integers(0, 255))
    check_garbage(bytes(packet))


GARBAGE_COMPILER = Compiler(DOMAIN, "10.96.0.10", ["10.96.0.0/12"])
add_web(GARBAGE_COMPILER)
GARBAGE_COMPILER.answerer.synced = True


def check_garbage(packet: bytes) -> None:
    for stream in (False, True):
        reply = GARBAGE_COMPILER.answerer.answer(packet, stream)
        if isinstance(reply, bytes):
            assert reply[:2] == packet[:2]
            assert reply[2] & 0x80
            dns.message.from_wire(reply)
        elif reply is None:
            assert len(packet) < 12 or packet[2] & 0x80
