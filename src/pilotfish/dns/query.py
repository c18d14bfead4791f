"""A query as it came: what is asked, and how much the asker can take. Pure.

Source: RFC 1035 section 4.1, RFC 6891 (EDNS), RFC 9619 (exactly one question).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from pilotfish.dns import wire

MAX_UDP_BYTES = 1232  # fits any path without fragments; what resolvers agreed on in 2020
_PLAIN_UDP_BYTES = 512
_MAX_STREAM_BYTES = 65535
_DNSSEC_OK = 0x8000

_HEADER = struct.Struct("!HHHHHH")
_OPT = struct.Struct("!BHHBBHH")  # root, type, payload size, extended rcode, version, flags, 0


class BadQuery(Exception):  # the name says what it is, like HTTP's Bad Request
    """A query that gets an error for an answer: `reply` is that answer, whole."""

    def __init__(self, reply: bytes) -> None:
        super().__init__(f"rcode {reply[3] & 15}")
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Query:
    """One question, and what a reply to it must repeat."""

    id: bytes
    flags: int
    question: bytes  # name, type and class, in the asker's own spelling
    name: bytes  # the name in lower case, in wire form
    kind: int
    qclass: int
    edns: bool
    dnssec_ok: bool
    limit: int  # bytes a reply may have

    def reply(self, rcode: int, flags: int, counts: bytes, body: bytes) -> bytes:
        """A reply. `counts` are the six bytes of the sections' counts, `body` their records.

        `flags` beside QR: AA, TC, RA, AD; RD and CD are the query's own (RFC 4035 section 3.2.2).
        The OPT record is added where the query had one.
        """
        kept = wire.RECURSION_DESIRED | wire.CHECKING_DISABLED
        flags |= wire.QR | (self.flags & kept) | (rcode & 15)
        if self.edns:
            counts = counts[:4] + (int.from_bytes(counts[4:], "big") + 1).to_bytes(2, "big")
            body += opt_record(rcode, self.dnssec_ok)
        head = self.id + flags.to_bytes(2, "big") + b"\0\1" + counts
        return head + self.question + body

    @property
    def room(self) -> int:
        """Bytes that are left for records when header, question and OPT are in place."""
        used = wire.HEADER_BYTES + len(self.question) + (_OPT.size if self.edns else 0)
        return self.limit - used


def opt_record(rcode: int, dnssec_ok: bool) -> bytes:
    """Our OPT record (RFC 6891 section 6.1.2); the DO bit is repeated (RFC 3225 section 3)."""
    flags = _DNSSEC_OK if dnssec_ok else 0
    return _OPT.pack(0, wire.OPT, MAX_UDP_BYTES, rcode >> 4, 0, flags, 0)


def parse(packet: bytes, stream: bool) -> Query | None:
    """The query in a packet. None where silence is the answer: a reply, or no header at all.

    Raises BadQuery with the reply for what cannot be answered: FORMERR for nonsense, NOTIMP for
    another opcode, BADVERS for a later EDNS.
    """
    if len(packet) < wire.HEADER_BYTES:
        return None
    _id, flags, questions, answers, authorities, additionals = _HEADER.unpack_from(packet)
    if flags & wire.QR:
        return None  # to answer a reply would make two servers talk for ever
    if flags & wire.OPCODE:
        raise BadQuery(_bare_reply(packet, flags, wire.NOTIMP))
    if questions != 1:
        raise BadQuery(_bare_reply(packet, flags, wire.FORMERR))
    try:
        end = _question_end(packet)
        opt = _find_opt(packet, end, answers + authorities, additionals)
    except wire.MalformedPacket:
        raise BadQuery(_bare_reply(packet, flags, wire.FORMERR)) from None
    limit = _MAX_STREAM_BYTES if stream else _PLAIN_UDP_BYTES
    if opt and not stream:
        limit = min(max(opt.rclass, _PLAIN_UDP_BYTES), MAX_UDP_BYTES)
    kind, qclass = struct.unpack_from("!HH", packet, end - 4)
    query = Query(
        id=packet[:2],
        flags=flags,
        question=packet[wire.HEADER_BYTES : end],
        name=packet[wire.HEADER_BYTES : end - 4].lower(),
        kind=kind,
        qclass=qclass,
        edns=opt is not None,
        dnssec_ok=bool(opt and opt.ttl & _DNSSEC_OK),
        limit=limit,
    )
    if opt and (opt.ttl >> 16) & 0xFF:
        raise BadQuery(query.reply(wire.BADVERS, 0, bytes(6), b""))
    return query


def _question_end(packet: bytes) -> int:
    # There is nothing yet that a pointer could point at, so the name stands uncompressed.
    offset = wire.HEADER_BYTES
    while True:
        if offset >= len(packet):
            raise wire.MalformedPacket("the question runs past the end")
        length = packet[offset]
        if length > wire.MAX_LABEL_BYTES:
            raise wire.MalformedPacket("the question's name is compressed")
        offset += 1 + length
        if length == 0:
            break
    if offset - wire.HEADER_BYTES > wire.MAX_NAME_BYTES or offset + 4 > len(packet):
        raise wire.MalformedPacket("the question's name is too long, or its type is missing")
    return offset + 4


def _find_opt(packet: bytes, offset: int, before: int, additionals: int) -> wire.Record | None:
    """The OPT record among the additional records, when everything in the packet is in order."""
    opt = None
    for number in range(before + additionals):
        found = wire.read_record(packet, offset)
        offset = found.end
        if found.kind != wire.OPT:
            continue
        if number < before or opt or packet[found.start] != 0:
            raise wire.MalformedPacket("an OPT record in a wrong place (RFC 6891 section 6.1.1)")
        _check_options(packet, found)
        opt = found
    if offset != len(packet):
        raise wire.MalformedPacket("bytes after the last record")
    return opt


def _check_options(packet: bytes, opt: wire.Record) -> None:
    offset = opt.data
    while offset < opt.end:
        if offset + 4 > opt.end:
            raise wire.MalformedPacket("an EDNS option runs past the end")
        offset += 4 + int.from_bytes(packet[offset + 2 : offset + 4], "big")
    if offset != opt.end:
        raise wire.MalformedPacket("an EDNS option runs past the end")


def _bare_reply(packet: bytes, flags: int, rcode: int) -> bytes:
    kept = flags & (wire.OPCODE | wire.RECURSION_DESIRED | wire.CHECKING_DISABLED)
    return packet[:2] + (wire.QR | kept | rcode).to_bytes(2, "big") + bytes(8)
