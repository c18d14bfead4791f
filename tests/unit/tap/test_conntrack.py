"""What connection tracking answers is read, and leads to the endpoint that was chosen."""

from __future__ import annotations

import struct
from ipaddress import ip_address

import pytest

from pilotfish.network.message import attribute, attributes, messages
from pilotfish.tap.conntrack import Endpoint, Tuple, chosen, entry, query

NESTED = 0x8000


def direction(source: str, source_port: int, target: str, target_port: int) -> Tuple:
    return Tuple(ip_address(source).packed, source_port, ip_address(target).packed, target_port)


ASKED = direction("10.244.0.2", 40000, "10.96.0.50", 80)
ANSWERED = direction("10.244.0.3", 8080, "10.244.0.2", 40000)
ASKED_V6 = direction("fd00::2", 40000, "fd96::50", 80)
ANSWERED_V6 = direction("fd00::3", 8080, "fd00::2", 40000)


def encoded(kind: int, flow: Tuple) -> bytes:
    """A tuple as the kernel writes it: include/uapi/linux/netfilter/nfnetlink_conntrack.h."""
    source, target = (1, 2) if len(flow.source) == 4 else (3, 4)
    ip = attribute(source, flow.source) + attribute(target, flow.target)
    proto = attribute(1, b"\x06")
    proto += attribute(2, struct.pack("!H", flow.source_port))
    proto += attribute(3, struct.pack("!H", flow.target_port))
    return attribute(kind | NESTED, attribute(1 | NESTED, ip) + attribute(2 | NESTED, proto))


def answer(original: Tuple, reply: Tuple) -> bytes:
    return b"\x02\x00\x00\x00" + encoded(1, original) + encoded(2, reply) + attribute(3, 0)


@pytest.mark.parametrize(
    ("asked", "answered"), [(ASKED, ANSWERED), (ASKED_V6, ANSWERED_V6)], ids=["IPv4", "IPv6"]
)
def test_an_entry_is_read_and_says_who_was_chosen(asked: Tuple, answered: Tuple) -> None:
    found = entry(answer(asked, answered))
    assert found == (asked, answered)
    assert chosen(asked, *found) == Endpoint(answered.source, 8080)


def test_what_was_not_translated_had_nothing_chosen() -> None:
    reply = direction("10.96.0.50", 80, "10.244.0.2", 40000)
    assert chosen(ASKED, ASKED, reply) is None


def test_what_was_seen_after_translation_had_nothing_chosen() -> None:
    seen = direction("10.244.0.2", 40000, "10.244.0.3", 8080)
    assert chosen(seen, ASKED, ANSWERED) is None


def test_an_entry_without_ports_is_none() -> None:
    assert entry(b"\x02\x00\x00\x00" + encoded(1, ASKED)) is None


def test_an_entry_that_is_cut_off_anywhere_is_none_or_whole() -> None:
    whole = answer(ASKED, ANSWERED)
    for length in range(len(whole)):
        assert entry(whole[:length]) in (None, (ASKED, ANSWERED))


@pytest.mark.parametrize("flow", [ASKED, ASKED_V6], ids=["IPv4", "IPv6"])
def test_the_query_names_the_flow(flow: Tuple) -> None:
    ((kind, _, sequence, body),) = messages(query(flow, 6, 7))
    assert (kind, sequence, body[0]) == (0x101, 7, 2 if len(flow.source) == 4 else 10)
    assert attribute(1 | NESTED, attributes(body[4:])[1]) == encoded(1, flow)
