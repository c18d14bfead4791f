"""IP fragments → whole packets, within bounds.

RFC 791 section 3.2 and RFC 8200 section 4.5. Overlapping fragments are an
attack or a fault, never ordinary: for IPv6 RFC 5722 demands that the whole
packet be dropped, and we do the same for IPv4.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import OrderedDict
from dataclasses import dataclass, field

from pilotfish.tap.packets import Packet

MAX_PACKETS = 256
MAX_PACKET_BYTES = 65_535
# Of one packet; a path whose packets are smaller than 128 bytes is an attack.
MAX_PIECES = 512
# RFC 8200 gives a packet 60 seconds to become whole.
TIMEOUT_S = 60.0

_Key = tuple[bytes, bytes, int, int]


@dataclass(slots=True)
class _Partial:
    first_seen_s: float
    pieces: dict[int, bytes] = field(default_factory=dict)
    offsets: list[int] = field(default_factory=list)  # of the pieces, in order
    received: int = 0
    end: int | None = None
    protocol: int = 0
    broken: bool = False


class Reassembler:
    """Puts fragments together; keeps at most `MAX_PACKETS` unfinished packets.

    Attributes:
        dropped: unfinished packets given up: too old, too many, overlapping, too large.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._partial: OrderedDict[_Key, _Partial] = OrderedDict()

    def feed(self, time_s: float, packet: Packet) -> Packet | None:
        """Take a fragment; the whole packet when this was the last piece missing."""
        if packet.fragment is None:
            return packet
        identification, offset, more = packet.fragment
        # In IPv6 only the first fragment shows the final protocol: the identification suffices.
        protocol = packet.protocol if len(packet.source) == 4 else 0
        key = (packet.source, packet.target, protocol, identification)
        partial = self._partial.get(key)
        if partial is None:
            self._expire(time_s)
            partial = self._partial[key] = _Partial(time_s)
        self._add(partial, offset, packet, more)
        if partial.broken or partial.end is None or partial.received < partial.end:
            return None
        del self._partial[key]
        payload = b"".join(partial.pieces[offset] for offset in partial.offsets)
        return packet._replace(
            payload=payload, length=len(payload), protocol=partial.protocol, fragment=None
        )

    def _add(self, partial: _Partial, offset: int, packet: Packet, more: bool) -> None:
        end = offset + len(packet.payload)
        if partial.pieces.get(offset) == packet.payload:
            return  # the very same fragment twice: a retransmission
        too_many = len(partial.pieces) >= MAX_PIECES
        if (
            partial.broken
            or too_many
            or _overlaps(partial, offset, end)
            or end > MAX_PACKET_BYTES
            or len(packet.payload) < packet.length
        ):
            partial.broken = True
            partial.pieces.clear()
            partial.offsets.clear()
            return
        partial.pieces[offset] = packet.payload
        insort(partial.offsets, offset)
        partial.received += len(packet.payload)
        if offset == 0:
            partial.protocol = packet.protocol
        if not more:
            partial.end = end

    def _expire(self, time_s: float) -> None:
        while self._partial:
            oldest = next(iter(self._partial.values()))
            if len(self._partial) < MAX_PACKETS and time_s - oldest.first_seen_s < TIMEOUT_S:
                return
            self._partial.popitem(last=False)
            self.dropped += 1


def _overlaps(partial: _Partial, offset: int, end: int) -> bool:
    """Whether a piece overlaps with one that is there: then with its neighbour."""
    offsets = partial.offsets
    at = bisect_left(offsets, offset)
    if at and offset < offsets[at - 1] + len(partial.pieces[offsets[at - 1]]):
        return True
    return at < len(offsets) and (offsets[at] < end or offsets[at] == offset)
