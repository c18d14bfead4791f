"""DNS names and records as bytes: encoding them, and reading them out of a packet.

Source: RFC 1035 section 4 (message format, compression), RFC 3596 (AAAA), RFC 2782 (SRV).
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, SRV = 1, 2, 5, 6, 12, 15, 16, 28, 33
DNAME, OPT = 39, 41
IXFR, AXFR, MAILB, MAILA, ANY = 251, 252, 253, 254, 255
IN = 1

NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = 0, 1, 2, 3, 4, 5
BADVERS = 16

QR, AUTHORITATIVE, TRUNCATED = 0x8000, 0x0400, 0x0200
RECURSION_DESIRED, RECURSION_AVAILABLE = 0x0100, 0x0080
AUTHENTIC_DATA, CHECKING_DISABLED = 0x0020, 0x0010
OPCODE = 0x7800

HEADER_BYTES = 12
MAX_NAME_BYTES = 255
MAX_LABEL_BYTES = 63
QUESTION_NAME = b"\xc0\x0c"  # a pointer to the question's name, where every question begins

_RECORD = struct.Struct("!HHIH")  # type, class, TTL, data length


class MalformedPacket(ValueError):
    """The bytes are no DNS message."""


class Record(NamedTuple):
    """One record of a packet; offsets are into that packet."""

    start: int
    kind: int
    rclass: int
    ttl: int
    ttl_offset: int
    data: int
    end: int


def encode_name(text: str) -> bytes:
    """ "a.example." or "a.example" in wire form. Raises ValueError for what is no DNS name."""
    wire = b""
    for label in text.rstrip(".").encode("ascii").split(b".") if text.rstrip(".") else ():
        if not 0 < len(label) <= MAX_LABEL_BYTES:
            raise ValueError(f"{text!r} is no DNS name: a label has {len(label)} bytes")
        wire += bytes((len(label),)) + label
    if len(wire) >= MAX_NAME_BYTES:
        raise ValueError(f"{text!r} is no DNS name: longer than {MAX_NAME_BYTES} bytes")
    return wire + b"\0"


def decode_name(wire: bytes) -> str:
    """An uncompressed wire name as text, for logs: bytes that are not ASCII become \\ddd."""
    return ".".join(_text_label(label) for label in labels(wire)) + "."


def labels(wire: bytes) -> list[bytes]:
    """The labels of an uncompressed, well-formed wire name."""
    found = []
    offset = 0
    while wire[offset]:
        end = offset + 1 + wire[offset]
        found.append(wire[offset + 1 : end])
        offset = end
    return found


def ancestors(wire: bytes) -> Iterator[bytes]:
    """A wire name, its parent, and so on up to the last name before the root."""
    offset = 0
    while wire[offset]:
        yield wire[offset:]
        offset += 1 + wire[offset]


def record(owner: bytes, kind: int, ttl: int, data: bytes) -> bytes:
    """A whole record of class IN."""
    return owner + _RECORD.pack(kind, IN, ttl, len(data)) + data


def address_data(address: str) -> tuple[int, bytes]:
    """The type and data of an address' record. Raises OSError for what is no address."""
    if ":" in address:
        return AAAA, socket.inet_pton(socket.AF_INET6, address)
    return A, socket.inet_pton(socket.AF_INET, address)


def reverse_name(address: str) -> bytes:
    """The name that holds an address' PTR (RFC 1035 section 3.5, RFC 3596 section 2.5)."""
    kind, packed = address_data(address)
    if kind == A:
        return encode_name(".".join(str(byte) for byte in reversed(packed)) + ".in-addr.arpa")
    return encode_name(".".join(reversed(packed.hex())) + ".ip6.arpa")


def skip_name(packet: bytes, offset: int) -> int:
    """Where a name, compressed or not, ends."""
    while True:
        if offset >= len(packet):
            raise MalformedPacket("a name runs past the end")
        length = packet[offset]
        if length == 0:
            return offset + 1
        if length >= 0xC0:
            if offset + 2 > len(packet):
                raise MalformedPacket("a compressed name runs past the end")
            return offset + 2
        if length > MAX_LABEL_BYTES:
            raise MalformedPacket("a label of a reserved type")
        offset += 1 + length


def read_name(packet: bytes, offset: int) -> bytes:
    """The name at offset, uncompressed. Pointers must lead backwards, so it always ends."""
    wire = b""
    limit = offset
    while True:
        if offset >= len(packet):
            raise MalformedPacket("a name runs past the end")
        length = packet[offset]
        if length >= 0xC0:
            if offset + 2 > len(packet):
                raise MalformedPacket("a compressed name runs past the end")
            target = (length & 0x3F) << 8 | packet[offset + 1]
            if target >= limit:
                raise MalformedPacket("a compression pointer leads forwards")
            offset = limit = target
            continue
        if length > MAX_LABEL_BYTES:
            raise MalformedPacket("a label of a reserved type")
        end = offset + 1 + length
        if end > len(packet):
            raise MalformedPacket("a label runs past the end")
        wire += packet[offset:end]
        if len(wire) > MAX_NAME_BYTES:
            raise MalformedPacket("a name longer than 255 bytes")
        if length == 0:
            return wire
        offset = end


def read_record(packet: bytes, offset: int) -> Record:
    """The record at offset."""
    after_name = skip_name(packet, offset)
    data = after_name + _RECORD.size
    if data > len(packet):
        raise MalformedPacket("a record runs past the end")
    kind, rclass, ttl, length = _RECORD.unpack_from(packet, after_name)
    if data + length > len(packet):
        raise MalformedPacket("a record's data runs past the end")
    return Record(offset, kind, rclass, ttl, after_name + 4, data, data + length)


def _text_label(label: bytes) -> str:
    return "".join(
        chr(byte) if 0x21 <= byte <= 0x7E and byte not in b".\\" else f"\\{byte:03d}"
        for byte in label
    )
