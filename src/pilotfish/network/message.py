"""Netlink messages as bytes: encoding and decoding, without a socket.

A message is a 16-byte header, a fixed body that depends on its type, and attributes
(type, length, value; padded to 4 bytes; possibly nested).
Source: RFC 3549, and the kernel's include/uapi/linux/{netlink,rtnetlink}.h.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

NLMSG_ERROR = 2
NLMSG_DONE = 3

NLM_F_REQUEST = 0x1
NLM_F_ACK = 0x4
NLM_F_REPLACE = 0x100
NLM_F_DUMP = 0x300
NLM_F_EXCL = 0x200
NLM_F_CREATE = 0x400
NLM_F_ACK_TLVS = 0x200
NLM_F_CAPPED = 0x100

_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_ATTRIBUTE_TYPE = 0x3FFF  # without the "nested" and "network byte order" bits
_NLMSGERR_ATTR_MSG = 1


def attribute(kind: int, value: bytes | str | int) -> bytes:
    """One padded attribute. A str becomes zero-terminated, an int 32 bits in host order."""
    if isinstance(value, int):
        value = struct.pack("=I", value)
    elif isinstance(value, str):
        value = value.encode() + b"\0"
    length = 4 + len(value)
    return _ATTRIBUTE.pack(length, kind) + value + bytes(-length % 4)


def attributes(data: bytes) -> dict[int, bytes]:
    """The attributes in data by type; of a repeated type the last one."""
    found = {}
    offset = 0
    while offset + 4 <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        if length < 4:
            break
        found[kind & _ATTRIBUTE_TYPE] = data[offset + 4 : offset + length]
        offset += (length + 3) & ~3
    return found


def request(kind: int, flags: int, sequence: int, body: bytes) -> bytes:
    """A whole request; the kernel fills in nothing, so the length is exact."""
    return _HEADER.pack(16 + len(body), kind, flags | NLM_F_REQUEST, sequence, 0) + body


def messages(datagram: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Each message of a received datagram as (type, flags, sequence, body)."""
    offset = 0
    while offset + 16 <= len(datagram):
        length, kind, flags, sequence, _port = _HEADER.unpack_from(datagram, offset)
        if length < 16:
            break
        yield kind, flags, sequence, datagram[offset + 16 : offset + length]
        offset += (length + 3) & ~3


def error(flags: int, body: bytes) -> tuple[int, str]:
    """An NLMSG_ERROR's positive errno (0: acknowledged) and the kernel's explanation, if any."""
    (code,) = struct.unpack_from("=i", body)
    if not code or not flags & NLM_F_ACK_TLVS:
        return -code, ""
    # The failed request's header follows the code, and its body unless the kernel capped it.
    (length,) = struct.unpack_from("=I", body, 4)
    tail = 20 if flags & NLM_F_CAPPED else 4 + ((length + 3) & ~3)
    text = attributes(body[tail:]).get(_NLMSGERR_ATTR_MSG, b"")
    return -code, text.rstrip(b"\0").decode(errors="replace")


def family_of(address: str) -> int:
    """AF_INET or AF_INET6 of a textual address or prefix ("10.0.0.1", "fd00::/64")."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def pack_prefix(prefix: str) -> tuple[int, bytes, int]:
    """ "10.244.0.0/24" as (family, packed address, length); without a length, a host's own."""
    address, slash, length = prefix.partition("/")
    family = family_of(address)
    packed = socket.inet_pton(family, address)
    return family, packed, int(length) if slash else 8 * len(packed)


def text_address(packed: bytes) -> str:
    """A packed address of either family as text."""
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)


def pack_mac(mac: str) -> bytes:
    """ "02:00:00:00:00:01" as six bytes."""
    return bytes.fromhex(mac.replace(":", ""))
