"""Frames → IP packets: the link layers, IPv4 and IPv6 headers, extension headers.

Sans-I/O: bytes in, `Packet` out. What cannot be a packet gives None; a frame
cut short by the capture's snap length gives what is there.

Sources: IEEE 802.1Q, RFC 791, RFC 8200; link types as tcpdump.org lists them.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

# Link types (LINKTYPE_…) of capture files.
NULL = 0
ETHERNET = 1
RAW = 101
LOOP = 108
LINUX_SLL = 113
IPV4 = 228
IPV6 = 229
LINUX_SLL2 = 276

LINK_TYPES = frozenset((NULL, ETHERNET, 12, RAW, LOOP, LINUX_SLL, IPV4, IPV6, LINUX_SLL2))

TCP = 6
UDP = 17
ICMP = 1
ICMPV6 = 58

_ETHERTYPE_IPV4 = 0x0800
_ETHERTYPE_IPV6 = 0x86DD
_VLAN_TAGS = frozenset((0x8100, 0x88A8, 0x9100))
_EXTENSIONS = frozenset((0, 43, 60, 135, 139, 140))
_FRAGMENT = 44
_AUTHENTICATION = 51


class Packet(NamedTuple):
    """An IP packet's header and payload.

    Attributes:
        source, target: addresses, 4 or 16 bytes.
        protocol: IP protocol number of the payload.
        payload: what follows the IP headers, as far as it was captured.
        length: how long the payload was on the wire, bytes.
        fragment: (identification, offset in bytes, more fragments follow), or None.
    """

    source: bytes
    target: bytes
    protocol: int
    payload: bytes
    length: int
    fragment: tuple[int, int, bool] | None = None


def decode(frame: bytes, link_type: int = ETHERNET) -> Packet | None:
    """The IP packet in a frame; None when there is none, or its headers are broken."""
    start = _network_start(frame, link_type)
    if start is None or start >= len(frame):
        return None
    version = frame[start] >> 4
    if version == 4:
        return _ipv4(frame, start)
    if version == 6:
        return _ipv6(frame, start)
    return None


def _network_start(frame: bytes, link_type: int) -> int | None:
    """Where the IP header begins; None for frames that carry something else."""
    match link_type:
        case 1:
            return _after_ethertype(frame, 12)
        case 113:
            return _after_ethertype(frame, 14)
        case 276:
            # SLL2 has the protocol first and 18 bytes more of link information after it.
            known = len(frame) >= 20 and frame[:2] in (b"\x08\x00", b"\x86\xdd")
            return 20 if known else None
        case 0 | 108:
            return 4
        case 12 | 101 | 228 | 229:
            return 0
    return None


def _after_ethertype(frame: bytes, at: int) -> int | None:
    while len(frame) >= at + 2:
        ethertype = (frame[at] << 8) | frame[at + 1]
        if ethertype in (_ETHERTYPE_IPV4, _ETHERTYPE_IPV6):
            return at + 2
        if ethertype not in _VLAN_TAGS:
            return None
        at += 4
    return None


def _ipv4(frame: bytes, start: int) -> Packet | None:
    if len(frame) < start + 20:
        return None
    header = (frame[start] & 0x0F) * 4
    total, identification, flags = struct.unpack_from("!HHH", frame, start + 2)
    if total == 0:
        # Segmentation offload leaves the length of an over-long packet to the frame.
        total = len(frame) - start
    if header < 20 or total < header or len(frame) < start + header:
        return None
    offset, more = (flags & 0x1FFF) * 8, bool(flags & 0x2000)
    return Packet(
        source=frame[start + 12 : start + 16],
        target=frame[start + 16 : start + 20],
        protocol=frame[start + 9],
        payload=frame[start + header : start + total],
        length=total - header,
        fragment=(identification, offset, more) if offset or more else None,
    )


def _ipv6(frame: bytes, start: int) -> Packet | None:
    if len(frame) < start + 40:
        return None
    length = (frame[start + 4] << 8) | frame[start + 5]
    end = start + 40 + length if length else len(frame)
    protocol, at = frame[start + 6], start + 40
    fragment = None
    while protocol in _EXTENSIONS or protocol in (_FRAGMENT, _AUTHENTICATION):
        if len(frame) < at + 8:
            return None
        following = frame[at]
        if protocol == _FRAGMENT:
            word, identification = struct.unpack_from("!HI", frame, at + 2)
            fragment = (identification, word & 0xFFF8, bool(word & 1))
            at += 8
        elif protocol == _AUTHENTICATION:
            at += (frame[at + 1] + 2) * 4
        else:
            at += (frame[at + 1] + 1) * 8
        protocol = following
        if fragment is not None and fragment[1]:
            break  # a later fragment's payload has no headers of its own
    if at > end:
        return None
    return Packet(
        source=frame[start + 8 : start + 24],
        target=frame[start + 24 : start + 40],
        protocol=protocol,
        payload=frame[at:end],
        length=end - at,
        fragment=fragment,
    )
