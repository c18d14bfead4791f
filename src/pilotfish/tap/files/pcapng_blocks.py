"""The pcapng format, written: one function a block.

A file is a section header, an interface description for each interface, and packets that name
them by number; name resolution blocks may stand anywhere. Written in little-endian order, with
nanoseconds.

Source: the IETF draft draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterable, Mapping

_SECTION, _INTERFACE, _NAMES, _PACKET = 0x0A0D0D0A, 1, 4, 6
_COMMENT, _USER_APPLICATION, _NAME, _TIME_RESOLUTION = 1, 4, 2, 9
_NAME_IPV4, _NAME_IPV6 = 1, 2
_NANOSECONDS = b"\x09"
# Option values and records carry their length in 16 bits.
_MAX_OPTION_BYTES = 0xFFFF


def section_header(application: str = "pilotfish") -> bytes:
    """The first block of a file; `application` is who wrote it."""
    # The length of the section is not known beforehand: -1.
    head = struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)
    return _block(_SECTION, head + _options((_USER_APPLICATION, application.encode())))


def interface_description(name: str, link_type: int = 1) -> bytes:
    """An interface; the first in a section has number 0."""
    options = _options((_NAME, name.encode()), (_TIME_RESOLUTION, _NANOSECONDS))
    return _block(_INTERFACE, struct.pack("<HHI", link_type, 0, 0) + options)


def packet(interface: int, time_s: float, data: bytes, length: int, comment: str = "") -> bytes:
    """An enhanced packet block.

    Args:
        interface: number of its interface.
        time_s: seconds since 1970.
        data: the frame, as far as it was captured.
        length: how long it was on the wire.
        comment: a line that Wireshark shows with it.
    """
    ticks = int(time_s * 1e9)
    head = struct.pack("<IIIII", interface, ticks >> 32, ticks & 0xFFFFFFFF, len(data), length)
    options = _options((_COMMENT, comment.encode()[:_MAX_OPTION_BYTES])) if comment else b""
    return _block(_PACKET, head + _padded(data) + options)


def name_resolution(names: Mapping[str, Iterable[str]]) -> bytes:
    """Names of addresses (IPv4 or IPv6, as text)."""
    records = b""
    for address, given in names.items():
        packed = ipaddress.ip_address(address).packed
        kind = _NAME_IPV4 if len(packed) == 4 else _NAME_IPV6
        value = packed + b"".join(each.encode() + b"\0" for each in given)
        records += struct.pack("<HH", kind, len(value)) + _padded(value)
    return _block(_NAMES, records + struct.pack("<HH", 0, 0))


def _block(kind: int, body: bytes) -> bytes:
    length = len(body) + 12
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


def _options(*options: tuple[int, bytes]) -> bytes:
    written = b"".join(
        struct.pack("<HH", code, len(value)) + _padded(value) for code, value in options
    )
    return written + struct.pack("<HH", 0, 0)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
