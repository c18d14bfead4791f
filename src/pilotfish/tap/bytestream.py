"""One direction of a TCP connection: segments in any order → bytes in order.

Sans-I/O, and without knowledge of connections. Loss, retransmission, overlap
and reordering are put right as a receiver would (RFC 9293 section 3.4):
sequence numbers are compared modulo 2³². What never comes is a gap: reported
once more than `MAX_WAITING_BYTES` wait behind it, or once the receiver has
acknowledged it (then the capture lost it, and nobody will send it again).
"""

from __future__ import annotations

from typing import NamedTuple

MAX_WAITING_BYTES = 1 << 20

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
        waiting: segments that came early, by sequence number.
        waiting_bytes: how much that is.
    """

    __slots__ = ("_end", "finished", "next", "waiting", "waiting_bytes")

    def __init__(self) -> None:
        self.next = -1
        self.waiting: dict[int, bytes] = {}
        self.finished = False
        self.waiting_bytes = 0
        self._end = -1

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
        known = self.waiting.get(seq)
        if known is not None and len(known) >= len(payload):
            return []
        self.waiting[seq] = payload
        self.waiting_bytes += len(payload) - len(known or b"")
        return self._skip() if self.waiting_bytes > MAX_WAITING_BYTES else []

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
        while self.waiting and (ack - self._first_waiting()) & _MASK < _HALF:
            pieces += self._skip()
        if not self.waiting and self._end != -1 and not self.finished:
            behind_end = (ack - self._end) & _MASK < _HALF
            if behind_end:
                pieces += self._pieces(b"", (self._end - self.next) & _MASK)
        return pieces

    def _pieces(self, payload: bytes, length: int) -> list[Piece]:
        self.next = (self.next + length) & _MASK
        self.finished = self.next == self._end
        pieces = [Piece(payload)] if payload else []
        if len(payload) < length:
            pieces.append(Piece(b"", length - len(payload)))
        return pieces

    def _ready(self) -> list[Piece]:
        """What waited for the bytes that were just delivered."""
        pieces: list[Piece] = []
        while self.waiting:
            first = self._first_waiting()
            behind = (self.next - first) & _MASK
            if behind >= _HALF:
                break
            payload = self.waiting.pop(first)
            self.waiting_bytes -= len(payload)
            if behind < len(payload):
                pieces += self._pieces(payload[behind:], len(payload) - behind)
        return pieces

    def _skip(self) -> list[Piece]:
        """Give up on the missing bytes: go on with the first that wait."""
        missing = (self._first_waiting() - self.next) & _MASK
        return [*self._pieces(b"", missing), *self._ready()]

    def _first_waiting(self) -> int:
        # What lies behind `next` (an overlap) comes before what lies ahead.
        return min(self.waiting, key=lambda seq: (seq - self.next + _HALF) & _MASK)
