"""Frames made by hand, for tests: Ethernet, IPv4 and IPv6, TCP and UDP."""

from __future__ import annotations

import struct
from ipaddress import ip_address

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


def ethernet(packet: bytes) -> bytes:
    """An IP packet in an Ethernet frame."""
    ethertype = b"\x08\x00" if packet[0] >> 4 == 4 else b"\x86\xdd"
    return b"\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02" + ethertype + packet


def ip(source: str, target: str, protocol: int, payload: bytes) -> bytes:
    """An IP packet of the addresses' family."""
    one, other = ip_address(source).packed, ip_address(target).packed
    if len(one) == 4:
        total = 20 + len(payload)
        head = struct.pack("!BBHHHBBH", 0x45, 0, total, 1, 0x4000, 64, protocol, 0)
    else:
        head = struct.pack("!IHBB", 6 << 28, len(payload), protocol, 64)
    return head + one + other + payload


def tcp(
    source: tuple[str, int],
    target: tuple[str, int],
    seq: int,
    ack: int = 0,
    flags: int = ACK,
    payload: bytes = b"",
) -> bytes:
    """A TCP segment in an Ethernet frame."""
    header = struct.pack(
        "!HHIIBBHHH", source[1], target[1], seq % 2**32, ack % 2**32, 0x50, flags, 1000, 0, 0
    )
    return ethernet(ip(source[0], target[0], 6, header + payload))


def udp(source: tuple[str, int], target: tuple[str, int], payload: bytes) -> bytes:
    """A UDP datagram in an Ethernet frame."""
    header = struct.pack("!HHHH", source[1], target[1], 8 + len(payload), 0)
    return ethernet(ip(source[0], target[0], 17, header + payload))
