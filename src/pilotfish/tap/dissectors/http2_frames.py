"""HTTP/2 frames: one side's bytes → frames, wherever they are split.

RFC 9113 section 4. DATA is passed on as it comes, so that no frame is kept
whole; every other frame is small, or it is passed over.
"""

from __future__ import annotations

from typing import NamedTuple

from pilotfish.tap.dissectors.pending import Pending

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE = 0, 1, 2, 3, 4, 5
PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 6, 7, 8, 9
END_STREAM, END_HEADERS, PADDED, HAS_PRIORITY = 0x1, 0x4, 0x8, 0x20

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD_BYTES = 9
MAX_FRAME_BYTES = 256 * 1024

# What flags each type may have, and the length it must have (0: any).
_FLAGS = {0: 0x09, 1: 0x2D, 2: 0, 3: 0, 4: 0x01, 5: 0x0C, 6: 0x01, 7: 0, 8: 0, 9: 0x04}
_LENGTHS = {PRIORITY: 5, RST_STREAM: 4, PING: 8, WINDOW_UPDATE: 4}
_ON_CONNECTION = frozenset((SETTINGS, PING, GOAWAY))
# The size that no peer exceeds unless it was asked to (SETTINGS_MAX_FRAME_SIZE).
_USUAL_FRAME_BYTES = 16 * 1024


class Frame(NamedTuple):
    """A frame, or a part of one that carries DATA.

    Attributes:
        kind, flags, stream: of its head.
        payload: without padding.
        length: bytes of it on the wire that were not reported before, head and padding included.
        last: whether the frame ends here.
    """

    kind: int
    flags: int
    stream: int
    payload: bytes
    length: int
    last: bool = True


class FrameReader:
    """Cuts one side's bytes into frames.

    Attributes:
        lost: the place is lost: bytes are passed over until they look like frames again.
    """

    __slots__ = ("_data", "_padding", "_pending", "_skip", "lost")

    def __init__(self) -> None:
        self.lost = False
        self._pending = Pending()
        # Of a DATA frame that is being read: head, bytes to come before the padding, padding.
        self._data: tuple[int, int, int] | None = None
        self._padding = 0
        self._skip = 0

    @property
    def kept(self) -> int:
        """Bytes of a frame that is not whole."""
        return len(self._pending)

    def feed(self, payload: bytes) -> list[Frame]:
        """Take bytes; the frames that are whole now."""
        if self.lost:
            if look_like_frames(payload) is not True:
                return []
            self.lost = False
        data = self._pending.take(payload)
        frames: list[Frame] = []
        at = 0
        while at < len(data):
            step = self._rest_of_data(data, at, frames) if self._data or self._skip else 0
            if not step:
                step = self._frame(data, at, frames)
            if not step:
                rest = data[at:]
                self._pending.keep(rest, _need(rest))
                break
            at += step
        return frames

    def lose(self) -> None:
        """Bytes are missing."""
        self.lost = True
        self._pending.clear()
        self._data, self._padding, self._skip = None, 0, 0

    def _frame(self, data: bytes, at: int, frames: list[Frame]) -> int:
        """Read a frame; how many bytes it took, 0 when it is not whole."""
        if len(data) - at < HEAD_BYTES:
            return 0
        length = int.from_bytes(data[at : at + 3], "big")
        kind, flags = data[at + 3], data[at + 4]
        stream = int.from_bytes(data[at + 5 : at + 9], "big") & 0x7FFF_FFFF
        start = at + HEAD_BYTES
        if kind == DATA:
            padding = 0
            if flags & PADDED:
                if length and len(data) == start:
                    return 0
                padding = min(data[start], length - 1) if length else 0
                start += 1 if length else 0
            self._padding = padding
            left = length - (start - at - HEAD_BYTES) - padding
            self._data = (flags, stream, left)
            if not left:
                frames.append(Frame(DATA, flags, stream, b"", HEAD_BYTES + length))
                self._data, self._skip = None, padding
            return start - at
        if length > MAX_FRAME_BYTES:
            self._skip = length
            frames.append(Frame(kind, flags, stream, b"", HEAD_BYTES + length, last=False))
            return HEAD_BYTES
        end = start + length
        if len(data) < end:
            return 0
        payload = data[start:end]
        frames.append(
            Frame(kind, flags, stream, _unpadded(kind, flags, payload), HEAD_BYTES + length)
        )
        return end - at

    def _rest_of_data(self, data: bytes, at: int, frames: list[Frame]) -> int:
        """Go on with a DATA frame, its padding, or a frame that is passed over."""
        if self._data is None:
            step = min(self._skip, len(data) - at)
            self._skip -= step
            return step
        flags, stream, left = self._data
        payload = data[at : at + left]
        left -= len(payload)
        last = left == 0
        size = len(payload) + (HEAD_BYTES + self._padding if last else 0)
        frames.append(Frame(DATA, flags, stream, payload, size, last))
        self._data = None if last else (flags, stream, left)
        if last:
            self._skip = self._padding
        return len(payload)


def _need(begun: bytes) -> int:
    """How many bytes of a frame tell something that its beginning does not."""
    if len(begun) < HEAD_BYTES:
        return HEAD_BYTES
    if begun[3] == DATA:
        return HEAD_BYTES + 1
    return HEAD_BYTES + int.from_bytes(begun[:3], "big")


def look_like_frames(data: bytes) -> bool | None:
    """Whether these bytes can hardly be anything but HTTP/2 frames; None: too few to say.

    For connections whose beginning was not captured: two frames that keep to every rule,
    or one that ends where the bytes do.
    """
    at = frames = 0
    while at < len(data) and frames < 2:
        if data[at]:
            return False  # longer than any usual frame
        if len(data) - at < HEAD_BYTES:
            return None
        length = int.from_bytes(data[at : at + 3], "big")
        kind, flags, word = data[at + 3], data[at + 4], int.from_bytes(data[at + 5 : at + 9], "big")
        if (
            length > _USUAL_FRAME_BYTES
            or flags & ~_FLAGS.get(kind, 0)
            or kind not in _FLAGS
            or length != _LENGTHS.get(kind, length)
            or (kind == SETTINGS and length % 6)
            or (kind != WINDOW_UPDATE and (kind in _ON_CONNECTION) != (word == 0))
            or word >= 1 << 31
            or (kind == DATA and not length and not flags & END_STREAM)
        ):
            return False
        at += HEAD_BYTES + length
        frames += 1
    return True if frames and at <= len(data) else None


def _unpadded(kind: int, flags: int, payload: bytes) -> bytes:
    """A frame's payload without padding and priority fields."""
    if kind not in (HEADERS, PUSH_PROMISE):
        return payload
    if flags & PADDED and payload:
        padding = payload[0]
        payload = payload[1 : max(len(payload) - padding, 1)]
    if kind == HEADERS and flags & HAS_PRIORITY:
        payload = payload[5:]
    return payload
