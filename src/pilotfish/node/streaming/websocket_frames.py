"""WebSocket messages, the server's side: the opening handshake, and bytes to messages and back.

Source: RFC 6455; section 4.2.2 (handshake), 5.2 (framing), 5.4 (fragments), 5.5 (control
frames), 7.4.1 (close codes). A frame:

    |FIN|RSV 3|opcode 4| |MASK|length 7| [length 16 or 64] [mask key 32] payload

The client masks every frame, the server none. As for SPDY, a payload is handed out in the
pieces in which it arrives, so the length of a message is of no concern here.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from dataclasses import dataclass

CONTINUATION, TEXT, BINARY = 0x0, 0x1, 0x2
CLOSE, PING, PONG = 0x8, 0x9, 0xA

CLOSE_NORMAL = 1000
CLOSE_PROTOCOL_ERROR = 1002
CLOSE_INTERNAL_ERROR = 1011

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_MAX_CONTROL_BYTES = 125  # 5.5


class WebSocketError(Exception):
    """The peer broke the protocol; close with code 1002."""


@dataclass(frozen=True, slots=True)
class MessagePart:
    """Some bytes of a data message; `first` and `last` mark where messages begin and end."""

    opcode: int
    data: bytes
    first: bool
    last: bool


@dataclass(frozen=True, slots=True)
class PingReceived:
    """Answer with a PONG frame of the same payload."""

    data: bytes


@dataclass(frozen=True, slots=True)
class CloseReceived:
    """The client has ended the conversation; it reads nothing more than our CLOSE."""

    code: int


Event = MessagePart | PingReceived | CloseReceived


def accept_key(key: str) -> str:
    """Sec-WebSocket-Accept for the client's Sec-WebSocket-Key (4.2.2, step 5.4)."""
    return base64.b64encode(hashlib.sha1((key + _GUID).encode()).digest()).decode()


def encode_frame(opcode: int, payload: bytes) -> bytes:
    """One whole message (or control frame), unmasked as a server sends it."""
    length = len(payload)
    if length < 126:
        head = struct.pack("!BB", 0x80 | opcode, length)
    elif length < 1 << 16:
        head = struct.pack("!BBH", 0x80 | opcode, 126, length)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 127, length)
    return head + payload


def encode_close(code: int, reason: str = "") -> bytes:
    payload = struct.pack("!H", code) + reason.encode()
    return encode_frame(CLOSE, payload[:_MAX_CONTROL_BYTES])


class WebSocketDecoder:
    """Turns a client's bytes, in pieces of any size, into events."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        # The frame whose payload is still arriving.
        self._opcode = 0
        self._fin = False
        self._left = 0
        self._mask = b"\0\0\0\0"
        self._in_payload = False
        # The message that this frame is a part of; 0 between messages.
        self._message_opcode = 0
        self._message_begun = False

    def feed(self, data: bytes) -> list[Event]:
        """Raises WebSocketError; the decoder is then of no more use."""
        self._buffer += data
        events: list[Event] = []
        while True:
            if not self._in_payload and not self._read_head():
                return events
            event = self._read_payload()
            if event is None:
                return events
            if not isinstance(event, _Nothing):
                events.append(event)

    def _read_head(self) -> bool:
        buffer = self._buffer
        if len(buffer) < 2:
            return False
        first, second = buffer[0], buffer[1]
        length, offset = second & 0x7F, 2
        if length == 126:
            if len(buffer) < 4:
                return False
            length, offset = int.from_bytes(buffer[2:4], "big"), 4
        elif length == 127:
            if len(buffer) < 10:
                return False
            length, offset = int.from_bytes(buffer[2:10], "big"), 10
        if first & 0x70:
            raise WebSocketError("a reserved bit is set without an extension")
        if not second & 0x80:
            raise WebSocketError("a frame of the client is not masked")
        if len(buffer) < offset + 4:
            return False
        self._opcode, self._fin = first & 0x0F, bool(first & 0x80)
        self._mask = bytes(buffer[offset : offset + 4])
        self._left = length
        del buffer[: offset + 4]
        self._check_head(length)
        self._in_payload = True
        return True

    def _check_head(self, length: int) -> None:
        if self._opcode in (CLOSE, PING, PONG):
            if not self._fin or length > _MAX_CONTROL_BYTES:
                raise WebSocketError("a control frame is fragmented or too long")
        elif self._opcode in (TEXT, BINARY):
            if self._message_opcode:
                raise WebSocketError("a message begins inside another")
            self._message_opcode, self._message_begun = self._opcode, False
        elif self._opcode != CONTINUATION:
            raise WebSocketError(f"opcode {self._opcode} is unknown")
        elif not self._message_opcode:
            raise WebSocketError("a continuation without a beginning")

    def _read_payload(self) -> Event | _Nothing | None:
        if self._opcode in (CLOSE, PING, PONG):
            if len(self._buffer) < self._left:
                return None
            payload = self._take(self._left)
            self._in_payload = False
            return _control_event(self._opcode, payload)
        if self._left and not self._buffer:
            return None
        piece = self._take(min(self._left, len(self._buffer)))
        self._in_payload = self._left > 0
        last = self._fin and not self._in_payload
        first, self._message_begun = not self._message_begun, True
        part = MessagePart(self._message_opcode, piece, first, last)
        if last:
            self._message_opcode = 0
        return part

    def _take(self, count: int) -> bytes:
        """The next `count` bytes, unmasked (5.3)."""
        masked = bytes(self._buffer[:count])
        del self._buffer[:count]
        self._left -= count
        key = (self._mask * (count // 4 + 1))[:count]
        # The rest of the frame goes on where the key was left.
        self._mask = self._mask[count % 4 :] + self._mask[: count % 4]
        whole = int.from_bytes(masked, "little") ^ int.from_bytes(key, "little")
        return whole.to_bytes(count, "little")


class _Nothing:
    """A frame that means nothing to the caller."""


def _control_event(opcode: int, payload: bytes) -> Event | _Nothing:
    if opcode == PING:
        return PingReceived(payload)
    if opcode == CLOSE:
        # 7.1.5: no code given counts as 1005.
        return CloseReceived(int.from_bytes(payload[:2], "big") if len(payload) > 1 else 1005)
    return _Nothing()
