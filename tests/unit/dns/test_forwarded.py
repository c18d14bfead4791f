"""What we ask a resolver, what we take for an answer, and what the asker gets."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.dns import forwarded, wire
from pilotfish.dns.answers import Forward
from pilotfish.dns.compiler import Compiler
from pilotfish.dns.forwarded import Upstream, build_query, build_reply, cache_key, read_answer


def order_for(
    name: str = "www.Example.com", kind: str = "A", target: str = "", **options: object
) -> Forward:
    """The order that a query for a name gives; with a target, through an ExternalName."""
    compiler = Compiler("cluster.local", "10.96.0.10", ["10.96.0.0/12"])
    compiler.answerer.synced = True
    if target:
        name = "out.default.svc.cluster.local"
        spec = {"type": "ExternalName", "externalName": target}
        metadata = {"name": "out", "namespace": "default"}
        compiler.set_service({"metadata": metadata, "spec": spec}, [])
    query = dns.message.make_query(name, kind, **options)  # type: ignore[arg-type]
    order = compiler.answerer.answer(query.to_wire())
    assert isinstance(order, Forward)
    return order


def upstream(asked: bytes, *records: str, section: str = "answer") -> dns.message.Message:
    reply = dns.message.make_response(dns.message.from_wire(asked), recursion_available=True)
    for record in records:
        name, ttl, rclass, kind, data = record.split(maxsplit=4)
        getattr(reply, section).append(dns.rrset.from_text(name, int(ttl), rclass, kind, data))
    return reply


def exchange(order: Forward, *records: str, section: str = "answer") -> Upstream:
    asked = build_query(order, 7)
    found = read_answer(upstream(asked, *records, section=section).to_wire(), asked)
    assert found is not None
    return found


def test_the_resolver_is_asked_with_recursion_and_edns() -> None:
    asked = dns.message.from_wire(build_query(order_for(want_dnssec=True), 0xABCD))
    assert asked.id == 0xABCD
    assert asked.flags & dns.flags.RD
    assert asked.payload == 1232
    assert asked.ednsflags & dns.flags.DO
    assert str(asked.question[0]) == "www.Example.com. IN A"


def test_the_asker_gets_the_answer_in_its_own_spelling_and_without_edns() -> None:
    order = order_for("WWW.example.COM")
    reply = build_reply(order, exchange(order, "www.example.com. 60 IN A 192.0.2.1"), 0)
    assert b"\x03WWW\x07example\x03COM" in reply
    parsed = dns.message.from_wire(reply)
    assert parsed.edns == -1
    assert parsed.flags & dns.flags.RA
    assert not parsed.flags & dns.flags.AA
    assert [str(one) for one in parsed.answer] == ["WWW.example.COM. 60 IN A 192.0.2.1"]


def test_a_kept_answer_ages() -> None:
    order = order_for()
    found = exchange(order, "www.example.com. 60 IN A 192.0.2.1")
    assert found.ttl_s == forwarded.MAX_TTL_S
    assert dns.message.from_wire(build_reply(order, found, 17)).answer[0].ttl == 43


@pytest.mark.parametrize(
    ("records", "section", "kept_s"),
    [
        (["www.example.com. 9 IN A 192.0.2.1", "www.example.com. 4 IN TXT x"], "answer", 4),
        (["www.example.com. 0 IN A 192.0.2.1"], "answer", 0),
        (["example.com. 60 IN SOA a. b. 1 2 3 4 12"], "authority", 12),
        (["example.com. 5 IN SOA a. b. 1 2 3 4 12"], "authority", 5),
        ([], "answer", 0),
    ],
    ids=["shortest TTL", "zero", "SOA's minimum", "SOA's TTL", "nothing to tell how long"],
)
def test_an_answer_is_kept_as_long_as_it_says(
    records: list[str], section: str, kept_s: int
) -> None:
    assert exchange(order_for(), *records, section=section).ttl_s == kept_s


def test_a_failure_is_not_kept() -> None:
    order = order_for()
    asked = build_query(order, 7)
    reply = upstream(asked, "example.com. 60 IN SOA a. b. 1 2 3 4 12", section="authority")
    reply.set_rcode(dns.rcode.SERVFAIL)
    found = read_answer(reply.to_wire(), asked)
    assert found is not None
    assert found.ttl_s == 0


def test_an_answer_to_something_else_is_none() -> None:
    order = order_for()
    asked = build_query(order, 7)
    good = upstream(asked, "www.example.com. 60 IN A 192.0.2.1").to_wire()
    assert read_answer(good, asked) is not None
    assert read_answer(b"\0\x08" + good[2:], asked) is None
    assert read_answer(asked, asked) is None
    assert read_answer(good.replace(b"xample", b"vample", 1), asked) is None
    other_type = build_query(order_for(kind="AAAA"), 7)
    assert read_answer(good, other_type) is None


def test_an_external_names_answer_comes_behind_its_alias() -> None:
    order = order_for(target="www.example.com")
    found = exchange(
        order,
        "www.example.com. 60 IN CNAME edge.example.com.",
        "edge.example.com. 50 IN A 192.0.2.1",
    )
    parsed = dns.message.from_wire(build_reply(order, found, 10))
    assert [str(one) for one in parsed.answer] == [
        "out.default.svc.cluster.local. 5 IN CNAME www.example.com.",
        "www.example.com. 50 IN CNAME edge.example.com.",
        "edge.example.com. 40 IN A 192.0.2.1",
    ]


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("MX", "10 mail.example.com."),
        ("SRV", "1 2 3 host.example.com."),
        ("SOA", "ns.example.com. root.example.com. 1 2 3 4 5"),
        ("NS", "ns.example.com."),
        ("TXT", '"v=1 example.com"'),
        ("AAAA", "2001:db8::1"),
    ],
)
def test_compressed_names_in_records_survive_an_alias(kind: str, data: str) -> None:
    order = order_for(kind=kind, target="example.com")
    found = exchange(order, f"example.com. 60 IN {kind} {data}")
    parsed = dns.message.from_wire(build_reply(order, found, 0))
    assert str(parsed.answer[1]) == f"example.com. 60 IN {kind} {data}"


def test_nobodys_answer_is_servfail_with_the_alias() -> None:
    reply = dns.message.from_wire(forwarded.failure(order_for(target="example.com")))
    assert reply.rcode() == dns.rcode.SERVFAIL
    assert len(reply.answer) == 1


def test_a_large_answer_is_cut_for_udp() -> None:
    order = order_for()
    addresses = [f"www.example.com. 60 IN A 192.0.2.{n}" for n in range(1, 60)]
    parsed = dns.message.from_wire(build_reply(order, exchange(order, *addresses), 0))
    assert parsed.flags & dns.flags.TC
    assert len(parsed.to_wire()) <= 512


def test_case_does_not_tell_kept_answers_apart_but_dnssec_does() -> None:
    assert cache_key(order_for("WWW.example.com")) == cache_key(order_for("www.EXAMPLE.com"))
    assert cache_key(order_for()) != cache_key(order_for(want_dnssec=True))
    assert cache_key(order_for()) != cache_key(order_for(kind="AAAA"))


def test_the_authentic_data_bit_is_for_those_who_ask_for_it() -> None:
    for flags, wanted in ((dns.flags.RD, 0), (dns.flags.RD | dns.flags.AD, dns.flags.AD)):
        order = order_for(flags=flags)
        asked = build_query(order, 7)
        reply = upstream(asked, "www.example.com. 60 IN A 192.0.2.1")
        reply.flags |= dns.flags.AD
        found = read_answer(reply.to_wire(), asked)
        assert found is not None
        parsed = dns.message.from_wire(build_reply(order, found, 0))
        assert parsed.flags & dns.flags.AD == wanted


@given(st.binary(max_size=300))
def test_a_resolvers_garbage_is_refused_or_harmless(rest: bytes) -> None:
    order = ORDER
    asked = build_query(order, 7)
    for packet in (rest, b"\0\x07\x81\x80" + rest, b"\0\x07\x81\x80\0\1" + rest):
        take(order, packet, asked)
    question = asked[12:-11]
    take(order, b"\0\x07\x81\x80\0\1\0\2\0\1\0\1" + question + rest, asked)


def take(order: Forward, packet: bytes, asked: bytes) -> None:
    try:
        found = read_answer(packet, asked)
    except wire.MalformedPacket:
        return
    if found is not None:
        build_reply(order, found, 3)


ORDER = order_for(target="example.com")


def test_compression_pointers_that_go_round_are_refused() -> None:
    order = order_for(target="example.com")
    asked = build_query(order, 7)
    question = asked[12:-11]
    here = 12 + len(question)
    loop = b"\xc0" + bytes((here,)) + b"\0\1\0\1\0\0\0\x3c\0\4\x0a\0\0\1"
    packet = b"\0\x07\x81\x80\0\1\0\1\0\0\0\0" + question + loop
    with pytest.raises(wire.MalformedPacket, match="leads forwards"):
        read_answer(packet, asked)
