"""One direction of a TCP connection: segments in any order → bytes in order.

Sans-I/O, and without knowledge of connections. Loss, retransmission, overlap
and reordering are put right as a receiver would (RFC 9293 section 3.4):
sequence numbers are compared modulo 2³². What never comes is a gap: reported
once too much waits behind it, or once the receiver has
acknowledged it (then the capture lost it, and nobody will send it again).
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import NamedTuple

MAX_WAITING_BYTES = 1 << 20
MAX_WAITING_SEGMENTS = 4096

_MASK = (1 << 32) - 1
_HALF = 1 << 31


class Piece(NamedTuple):
    """Bytes in order, or `missing` bytes that were not captured."""

    payload: bytes
    missing: int = 0


class ByteStream:
    """The bytes that one side sends.

    Attributes:
        next: the sequence number that comes next; -1 before any is known. Whoever
            takes a segment that begins right there, while nothing waits, may
            deliver it and move `next` on without asking (the hot path does).
        waiting: segments that came early, by where they begin: bytes from a point that stays the
            same as long as any of them waits.
        waiting_bytes: how much that is.
    """

    __slots__ = ("_at", "_end", "_order", "finished", "next", "waiting", "waiting_bytes")

    def __init__(self) -> None:
        self.next = -1
        self.waiting: dict[int, bytes] = {}
        self.finished = False
        self.waiting_bytes = 0
        self._end = -1
        self._at = 0  # where `next` is, on the scale of `waiting`
        self._order: list[int] | None = None  # a heap of the keys of `waiting`

    def segment(self, seq: int, payload: bytes, length: int) -> list[Piece]:
        """Take a segment; what can be delivered now, in order.

        Args:
            seq: sequence number of its first byte.
            payload: its bytes as far as they were captured.
            length: how many there were on the wire.
        """
        if self.next == -1:
            self.next = seq  # the beginning was not captured: begin here
        ahead = (seq - self.next) & _MASK
        if ahead >= _HALF:
            behind = _MASK + 1 - ahead
            if behind >= length:
                return []
            payload, length, ahead = payload[behind:], length - behind, 0
        if ahead == 0:
            return [*self._pieces(payload, length), *self._ready()]
        if self._order is None or not self.waiting:
            self._order, self._at = [], 0
        begin = self._at + ahead
        known = self.waiting.get(begin)
        if known is None:
            heappush(self._order, begin)
        elif len(known) >= len(payload):
            return []
        self.waiting[begin] = payload
        self.waiting_bytes += len(payload) - len(known or b"")
        too_much = (
            self.waiting_bytes > MAX_WAITING_BYTES or len(self.waiting) > MAX_WAITING_SEGMENTS
        )
        return self._skip() if too_much else []

    def give_up(self) -> list[Piece]:
        """Wait no longer: everything that came early can be delivered, gaps included."""
        pieces: list[Piece] = []
        while self.waiting:
            pieces += self._skip()
        return pieces

    def end(self, seq: int) -> None:
        """A FIN says that the stream ends before `seq`."""
        if self.next == -1:
            self.next = seq
        self._end = seq
        self.finished = self.next == seq

    def acknowledged(self, ack: int) -> list[Piece]:
        """The receiver has everything before `ack`; what can be delivered now, gaps included."""
        pieces: list[Piece] = []
        ahead = (ack - self.next) & _MASK
        if ahead < _HALF:
            known = self._at + ahead
            while self._order and self._order[0] <= known:
                pieces += self._skip()
        if not self.waiting and self._end != -1 and not self.finished:
            behind_end = (ack - self._end) & _MASK < _HALF
            if behind_end:
                pieces += self._pieces(b"", (self._end - self.next) & _MASK)
        return pieces

    def _pieces(self, payload: bytes, length: int) -> list[Piece]:
        self.next = (self.next + length) & _MASK
        self._at += length
        self.finished = self.next == self._end
        pieces = [Piece(payload)] if payload else []
        if len(payload) < length:
            pieces.append(Piece(b"", length - len(payload)))
        return pieces

    def _ready(self) -> list[Piece]:
        """What waited for the bytes that were just delivered."""
        pieces: list[Piece] = []
        while self._order and self._order[0] <= self._at:
            first = heappop(self._order)
            behind = self._at - first
            payload = self.waiting.pop(first)
            self.waiting_bytes -= len(payload)
            if behind < len(payload):
                pieces += self._pieces(payload[behind:], len(payload) - behind)
        return pieces

    def _skip(self) -> list[Piece]:
        """Give up on the missing bytes: go on with the first that wait."""
        assert self._order
        return [*self._pieces(b"", self._order[0] - self._at), *self._ready()]
