"""HTTP/2 for a gRPC client: bytes in, events out; messages in, bytes out.

Only what one connection to one server needs (RFC 9113, and gRPC's "PROTOCOL-HTTP2"): requests are
POSTs with a constant head, answers are length-prefixed messages and trailers with a status.
"""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

if TYPE_CHECKING:
    from hpack import Decoder

_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _PING, _GOAWAY = 0, 1, 3, 4, 6, 7
_WINDOW_UPDATE, _CONTINUATION = 8, 9
_END_STREAM, _ACK, _END_HEADERS, _PADDED, _PRIORITY = 1, 1, 4, 8, 32
_HEADER_TABLE_SIZE, _INITIAL_WINDOW_SIZE, _MAX_FRAME_SIZE = 1, 4, 5
_DEFAULT_WINDOW: Final = 65_535
# What the server may send before we say that we have read it, on a stream and on the connection.
_OUR_WINDOW: Final = 1 << 24
_LAST_STREAM: Final = (1 << 31) - 1

UNAVAILABLE: Final = 14


class Http2Error(Exception):
    """What the other end sent is not HTTP/2, or it wants no more of it."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of an answer."""

    stream: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of an answer. status: gRPC's code, 0 when all is well."""

    stream: int
    status: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to a ping."""


Event = Message | Ended | Pong


class _Stream:
    __slots__ = ("inbox", "status", "text", "unread", "window")

    def __init__(self, window: int) -> None:
        self.window = window
        self.inbox = bytearray()
        self.unread = 0
        self.status: int | None = None
        self.text = ""


class Http2Connection:
    """One connection's state. Whoever has it sends what `take` gives after every call."""

    def __init__(self, authority: str, scheme: str) -> None:
        self._scheme_and_method = b"\x83" + (b"\x87" if scheme == "https" else b"\x86")
        # Literals that no table remembers (RFC 7541 section 6.2.2): the same bytes every time.
        self._fields = (
            b"\x01"
            + _literal(authority)
            + b"\x0f\x10"
            + _literal("application/grpc")
            + b"\x00"
            + _literal("te")
            + _literal("trailers")
        )
        self._heads: dict[str, bytes] = {}
        self._streams: dict[int, _Stream] = {}
        self._next_stream = 1
        self._received = bytearray()
        self._outgoing: list[bytes] = [
            _PREFACE,
            _frame(
                _SETTINGS,
                0,
                0,
                struct.pack(">HIHI", _HEADER_TABLE_SIZE, 0, _INITIAL_WINDOW_SIZE, _OUR_WINDOW),
            ),
            _window_update(0, _OUR_WINDOW - _DEFAULT_WINDOW),
        ]
        self._blocked: deque[tuple[int, memoryview]] = deque()
        self._window = _DEFAULT_WINDOW
        self._stream_window = _DEFAULT_WINDOW
        self._max_frame = 16_384
        self._unread = 0
        self._block: tuple[int, int, bytearray] | None = None
        self._decoder: Decoder | None = None
        # Trailers are nearly always the same bytes.
        self._known_blocks: dict[bytes, dict[str, str]] = {}

    @property
    def is_used_up(self) -> bool:
        """Whether no further request can be made, for want of numbers."""
        return self._next_stream > _LAST_STREAM

    def take(self) -> bytes:
        """What is to be sent now."""
        data = b"".join(self._outgoing)
        self._outgoing.clear()
        return data

    def request(self, path: str, message: bytes) -> int:
        """Begin a call of a method with its one message; returns the number of its stream."""
        stream = self._next_stream
        self._next_stream += 2
        head = self._heads.get(path)
        if head is None:
            head = self._scheme_and_method + b"\x04" + _literal(path) + self._fields
            self._heads[path] = head
        self._streams[stream] = _Stream(self._stream_window)
        self._outgoing.append(_frame(_HEADERS, _END_HEADERS, stream, head))
        body = memoryview(b"\x00" + struct.pack(">I", len(message)) + message)
        self._blocked.append((stream, body))
        self._send_data()
        return stream

    def cancel(self, stream: int) -> None:
        """End a call from this side."""
        if self._streams.pop(stream, None) is not None:
            self._outgoing.append(_frame(_RST_STREAM, 0, stream, struct.pack(">I", 8)))

    def ping(self) -> None:
        """Ask whether somebody is there; a Pong answers."""
        self._outgoing.append(_frame(_PING, 0, 0, bytes(8)))

    def receive(self, data: bytes) -> list[Event]:
        """Take in bytes.

        Raises:
            Http2Error: when the connection is of no use any more.
        """
        received = self._received
        received += data
        events: list[Event] = []
        position = 0
        while len(received) - position >= 9:
            length = int.from_bytes(received[position : position + 3])
            kind, flags = received[position + 3], received[position + 4]
            if received[position : position + 5] == b"HTTP/":
                raise Http2Error("it does not speak HTTP/2, as etcd does")
            end = position + 9 + length
            if length > 1 << 20:
                raise Http2Error("it does not speak HTTP/2, as etcd does")
            if len(received) < end:
                break
            stream = int.from_bytes(received[position + 5 : position + 9]) & _LAST_STREAM
            payload = bytes(received[position + 9 : end])
            try:
                self._frame_received(kind, flags, stream, payload, events)
            except (ValueError, IndexError, struct.error) as error:
                raise Http2Error(f"it sends a broken frame ({error})") from error
            position = end
        del received[:position]
        return events

    def _frame_received(
        self, kind: int, flags: int, stream: int, payload: bytes, events: list[Event]
    ) -> None:
        if kind == _DATA:
            self._data(flags, stream, payload, events)
        elif kind == _HEADERS:
            payload = _without_padding(flags, payload)
            block = bytearray(payload[5:] if flags & _PRIORITY else payload)
            self._block = (stream, flags & _END_STREAM, block)
            self._end_of_block(flags, events)
        elif kind == _CONTINUATION and self._block is not None:
            self._block[2].extend(payload)
            self._end_of_block(flags, events)
        elif kind == _SETTINGS and not flags & _ACK:
            self._settings(payload)
        elif kind == _WINDOW_UPDATE:
            increment = int.from_bytes(payload) & _LAST_STREAM
            if stream == 0:
                self._window += increment
            elif stream in self._streams:
                self._streams[stream].window += increment
            self._send_data()
        elif kind == _PING:
            if flags & _ACK:
                events.append(Pong())
            else:
                self._outgoing.append(_frame(_PING, _ACK, 0, payload))
        elif kind == _RST_STREAM:
            code = int.from_bytes(payload)
            self._end(stream, UNAVAILABLE, f"the call was broken off (HTTP/2 error {code})", events)
        elif kind == _GOAWAY:
            raise Http2Error(f"it closes the connection ({payload[8:].decode(errors='replace')})")

    def _data(self, flags: int, number: int, payload: bytes, events: list[Event]) -> None:
        self._unread += len(payload)
        if self._unread > _OUR_WINDOW // 2:
            self._outgoing.append(_window_update(0, self._unread))
            self._unread = 0
        stream = self._streams.get(number)
        if stream is None:
            return
        stream.unread += len(payload)
        if stream.unread > _OUR_WINDOW // 2:
            self._outgoing.append(_window_update(number, stream.unread))
            stream.unread = 0
        inbox = stream.inbox
        inbox += _without_padding(flags, payload)
        position = 0
        while len(inbox) - position >= 5:
            length = int.from_bytes(inbox[position + 1 : position + 5])
            if inbox[position]:
                raise Http2Error("it sends a compressed message, which nobody asked for")
            if len(inbox) - position < 5 + length:
                break
            events.append(Message(number, bytes(inbox[position + 5 : position + 5 + length])))
            position += 5 + length
        del inbox[:position]
        if flags & _END_STREAM:
            self._end(number, UNAVAILABLE, "the answer has no trailers", events)

    def _end_of_block(self, flags: int, events: list[Event]) -> None:
        assert self._block is not None
        if not flags & _END_HEADERS:
            return
        number, is_last, block = self._block
        self._block = None
        headers = self._decode(bytes(block))
        stream = self._streams.get(number)
        if stream is None:
            return
        if headers.get(":status", "200") != "200":
            stream.status, stream.text = UNAVAILABLE, f"HTTP status {headers[':status']}"
        if "grpc-status" in headers:
            stream.status = int(headers["grpc-status"])
            stream.text = unquote(headers.get("grpc-message", ""))
        if is_last:
            status = UNAVAILABLE if stream.status is None else stream.status
            self._end(number, status, stream.text, events)

    def _decode(self, block: bytes) -> dict[str, str]:
        known = self._known_blocks.get(block)
        if known is not None:
            return known
        if self._decoder is None:
            from hpack import Decoder

            self._decoder = Decoder()
        from hpack import HPACKError

        try:
            fields = self._decoder.decode(block)
        except HPACKError as error:
            raise Http2Error(f"it sends a head that cannot be read ({error})") from error
        decoded = {str(name): str(value) for name, value in fields}
        # We allow no table, so a block means the same wherever it comes.
        if len(self._known_blocks) < 64 and not self._decoder.header_table.dynamic_entries:
            self._known_blocks[block] = decoded
        return decoded

    def _end(self, number: int, status: int, text: str, events: list[Event]) -> None:
        if self._streams.pop(number, None) is not None:
            events.append(Ended(number, status, text))

    def _settings(self, payload: bytes) -> None:
        for identifier, value in struct.iter_unpack(">HI", payload):
            if identifier == _INITIAL_WINDOW_SIZE:
                for stream in self._streams.values():
                    stream.window += value - self._stream_window
                self._stream_window = value
            elif identifier == _MAX_FRAME_SIZE:
                self._max_frame = value
        self._outgoing.append(_frame(_SETTINGS, _ACK, 0, b""))
        self._send_data()

    def _send_data(self) -> None:
        """Send what waits, as far as the windows allow (RFC 9113 section 5.2)."""
        still_blocked: list[tuple[int, memoryview]] = []
        while self._blocked and self._window > 0:
            number, data = self._blocked.popleft()
            stream = self._streams.get(number)
            if stream is None:
                continue
            size = min(len(data), self._window, stream.window, self._max_frame)
            if size <= 0:
                still_blocked.append((number, data))
                continue
            stream.window -= size
            self._window -= size
            flags = _END_STREAM if size == len(data) else 0
            self._outgoing.append(_frame(_DATA, flags, number, bytes(data[:size])))
            if size < len(data):
                self._blocked.appendleft((number, data[size:]))
        self._blocked.extendleft(reversed(still_blocked))


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3) + bytes((kind, flags)) + stream.to_bytes(4) + payload


def _window_update(stream: int, increment: int) -> bytes:
    return _frame(_WINDOW_UPDATE, 0, stream, increment.to_bytes(4))


def _literal(text: str) -> bytes:
    """A string as HPACK has it without Huffman's code (RFC 7541 section 5.2)."""
    data = text.encode()
    assert len(data) < 127, "heads are made of short words"
    return bytes((len(data),)) + data


def _without_padding(flags: int, payload: bytes) -> bytes:
    return payload[1 : len(payload) - payload[0]] if flags & _PADDED else payload
