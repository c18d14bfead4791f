"""Asking a resolver, and its answer turned into our reply: the bytes of both. Pure.

Source: RFC 1035 section 4, RFC 2308 section 5 (how long to keep a negative answer), RFC 5452
section 9 (what makes an answer acceptable).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from pilotfish.dns import wire
from pilotfish.dns.answers import Forward, fit
from pilotfish.dns.query import opt_record
from pilotfish.dns.zone import compile_answer

MAX_TTL_S = 30  # also what is kept longer elsewhere is asked for again soon, as in kubeadm's setup

_KEPT_FLAGS = wire.AUTHENTIC_DATA
# Where a record's data begins with fixed fields, and how many names follow (RFC 3597 section 4:
# only these old types may have their names compressed; SRV may be found so all the same).
_NAMES = {
    wire.NS: (0, 1),
    wire.CNAME: (0, 1),
    wire.PTR: (0, 1),
    wire.DNAME: (0, 1),
    wire.MX: (2, 1),
    wire.SRV: (6, 1),
    wire.SOA: (0, 2),
}


@dataclass(frozen=True, slots=True)
class Upstream:
    """A resolver's answer, taken apart: valid for `ttl_s` from when it came (0: not to keep)."""

    rcode: int
    flags: int
    truncated: bool
    sections: tuple[tuple[bytes, ...], tuple[bytes, ...], tuple[bytes, ...]]
    ttl_offsets: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
    expanded: tuple[bytes, ...]  # the answer section without compression
    ttl_s: int


def cache_key(order: Forward) -> bytes:
    """What distinguishes answers: the question without its case, and DO and CD."""
    query = order.query
    checking = bytes(((query.flags & wire.CHECKING_DISABLED) >> 4 | query.dnssec_ok << 1,))
    return order.question[:-4].lower() + order.question[-4:] + checking


def build_query(order: Forward, packet_id: int) -> bytes:
    """The packet that asks a resolver: recursion desired, EDNS with our own size."""
    flags = wire.RECURSION_DESIRED | (order.query.flags & wire.CHECKING_DISABLED)
    flags |= wire.AUTHENTIC_DATA  # we pass the bit on to those who want it
    head = struct.pack("!HHHHHH", packet_id, flags, 1, 0, 0, 1)
    return head + order.question + opt_record(0, order.query.dnssec_ok)


def read_answer(packet: bytes, asked: bytes) -> Upstream | None:
    """A resolver's answer to the packet `asked`. None when it is an answer to something else.

    Raises wire.MalformedPacket for what is no answer at all.
    """
    if len(packet) < wire.HEADER_BYTES or packet[:2] != asked[:2]:
        return None
    _id, flags, questions, *counts = struct.unpack_from("!HHHHHH", packet)
    if not flags & wire.QR:
        return None
    rcode = flags & 15
    if questions == 0 and rcode:
        # An error may come without the question, e.g. FORMERR from a server without EDNS.
        return Upstream(rcode, 0, False, ((), (), ()), ((), (), ()), (), 0)
    end = wire.skip_name(asked, wire.HEADER_BYTES) + 4
    question = packet[wire.HEADER_BYTES : end]
    if questions != 1 or question.lower() != asked[wire.HEADER_BYTES : end].lower():
        return None
    sections: list[tuple[bytes, ...]] = []
    offsets: list[tuple[int, ...]] = []
    expanded: list[bytes] = []
    ttls: list[int] = []
    place = end
    for number, count in enumerate(counts):
        records: list[bytes] = []
        places: list[int] = []
        for _ in range(count):
            found = wire.read_record(packet, place)
            place = found.end
            if found.kind == wire.OPT:
                rcode |= (found.ttl >> 24) << 4
                # What follows may point behind it, where nothing will be: only additional
                # records, which are a courtesy, are lost.
                break
            records.append(packet[found.start : found.end])
            places.append(found.ttl_offset - found.start)
            ttls.append(_ttl_s(packet, found, negative=number == 1))
            if number == 0:
                expanded.append(_expand(packet, found))
        sections.append(tuple(records))
        offsets.append(tuple(places))
    keep = rcode in (wire.NOERROR, wire.NXDOMAIN) and (sections[0] or sections[1])
    return Upstream(
        rcode=rcode,
        flags=flags & _KEPT_FLAGS,
        truncated=bool(flags & wire.TRUNCATED),
        sections=(sections[0], sections[1], sections[2]),
        ttl_offsets=(offsets[0], offsets[1], offsets[2]),
        expanded=tuple(expanded),
        ttl_s=min([MAX_TTL_S, *ttls]) if keep and ttls else 0,
    )


def build_reply(order: Forward, answer: Upstream, age_s: int) -> bytes:
    """Our reply to the asker: the resolver's answer, its TTLs less the time it was kept."""
    query = order.query
    flags = wire.RECURSION_AVAILABLE
    if query.dnssec_ok or query.flags & wire.AUTHENTIC_DATA:
        flags |= answer.flags
    if order.aliases:
        # The resolver was asked for another name: its compressed records would not fit ours.
        records = _aged(
            answer.expanded, [wire.skip_name(one, 0) + 4 for one in answer.expanded], age_s
        )
        return fit(query, compile_answer([*order.aliases, *records], rcode=answer.rcode), flags)
    answers, authorities, additionals = (
        _aged(section, offsets, age_s)
        for section, offsets in zip(answer.sections, answer.ttl_offsets, strict=True)
    )
    whole = compile_answer(answers, authorities, additionals, rcode=answer.rcode)
    return fit(query, whole, flags)


def failure(order: Forward) -> bytes:
    """SERVFAIL: nobody answered. The aliases are told, so that the asker sees how far it got."""
    answer = compile_answer(order.aliases, rcode=wire.SERVFAIL)
    return fit(order.query, answer, wire.RECURSION_AVAILABLE)


def _ttl_s(packet: bytes, record: wire.Record, negative: bool) -> int:
    # The top bit set means zero (RFC 2181 section 8).
    ttl = record.ttl if record.ttl < 1 << 31 else 0
    if negative and record.kind == wire.SOA:
        ttl = min(ttl, int.from_bytes(packet[record.end - 4 : record.end], "big"))
    return ttl


def _expand(packet: bytes, record: wire.Record) -> bytes:
    owner = wire.read_name(packet, record.start)
    data = packet[record.data : record.end]
    if record.kind in _NAMES:
        fixed, names = _NAMES[record.kind]
        place = record.data + fixed
        data = packet[record.data : place]
        for _ in range(names):
            data += wire.read_name(packet, place)
            place = wire.skip_name(packet, place)
        data += packet[place : record.end]
    head = struct.pack("!HHIH", record.kind, record.rclass, record.ttl, len(data))
    return owner + head + data


def _aged(records: Sequence[bytes], offsets: Sequence[int], age_s: int) -> list[bytes]:
    if not age_s:
        return list(records)
    aged = []
    for one, offset in zip(records, offsets, strict=True):
        ttl = max(int.from_bytes(one[offset : offset + 4], "big") - age_s, 0)
        aged.append(one[:offset] + ttl.to_bytes(4, "big") + one[offset + 4 :])
    return aged
