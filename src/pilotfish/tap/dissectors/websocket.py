"""WebSocket: messages in both directions, after an HTTP/1 upgrade.

RFC 6455 (frames, masks, fragments, close codes) and RFC 7692 (permessage-
deflate). Neither side waits for the other, so a message is an exchange of its
own: the client's is its request, the server's its response. Pings and pongs
keep the connection alive and say nothing; they are not told.
"""

from __future__ import annotations

import zlib
from functools import cached_property
from typing import Any

from pilotfish.tap.connection import CLIENT, SERVER, Connection, End
from pilotfish.tap.conversation import Context
from pilotfish.tap.dissectors.http_message import MAX_BODY_BYTES, HttpMessage
from pilotfish.tap.exchange import Exchange

# zlib's window and tables.
INFLATER_BYTES = 48 * 1024
# A message that unpacks to more than this is a bomb, or a download that nobody reads here.
MAX_UNPACKED_BYTES = 16 * 1024 * 1024

_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0, 1, 2, 8, 9, 10
_NAMES = {_TEXT: "text", _BINARY: "binary", _CLOSE: "close"}
_KNOWN = frozenset((_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG))
# RFC 7692, section 7.2.2: what the sender left out behind each message.
_TAIL = b"\x00\x00\xff\xff"


class WebSocketMessage:
    """A text, binary or close message.

    Attributes:
        kind: "text", "binary" or "close".
        path: of the request that opened the WebSocket.
        body_size: how long it is, bytes, unpacked; as sent where it could not be unpacked.
        size: bytes on the wire.
        fragments: frames that it came in.
        compressed: whether it was.
        unpacked: whether the body is readable.
    """

    __slots__ = (
        "__dict__",
        "_body",
        "body_size",
        "compressed",
        "fragments",
        "kind",
        "path",
        "size",
        "unpacked",
    )

    def __init__(self, kind: str, path: str, compressed: bool) -> None:
        self.kind = kind
        self.path = path
        self.compressed = compressed
        self.unpacked = True
        self._body = bytearray()
        self.body_size = self.size = self.fragments = 0

    @property
    def body(self) -> bytes:
        """What it begins with, unmasked and unpacked."""
        return bytes(self._body)

    @property
    def kept(self) -> int:
        """Bytes of it that are in memory."""
        return len(self._body)

    def add(self, part: bytes) -> None:
        """Take the next part, unmasked and unpacked, and keep so much of it as is shown."""
        self.body_size += len(part)
        room = MAX_BODY_BYTES - len(self._body)
        if room > 0:
            self._body += part[:room]

    @cached_property
    def close(self) -> tuple[int, str]:
        """Code and reason of a close message (1005: none was given; RFC 6455, 7.1.5)."""
        if len(self.body) < 2:
            return 1005, ""
        return int.from_bytes(self.body[:2], "big"), self.body[2:].decode("utf-8", "replace")

    def fields(self) -> dict[str, Any]:
        """What it says, as JSON values."""
        said: dict[str, Any] = {
            "method": self.kind,
            "path": self.path,
            "body_size": self.body_size,
            "size": self.size,
            "fragments": self.fragments,
            "compressed": self.compressed,
        }
        if self.kind == "close":
            code, reason = self.close
            return {**said, "close_code": code, "close_reason": reason}
        return {**said, "body": self.body.decode("utf-8", "replace")}


class _Inflater:
    """Unpacks the compressed messages of one side."""

    def __init__(self, keeps_context: bool) -> None:
        self._keeps_context = keeps_context
        self._unpacker: Any = zlib.decompressobj(-zlib.MAX_WBITS)
        self._unpacked = 0

    def feed(self, packed: bytes) -> bytes | None:
        """Unpack a part of a message; None when the state was lost."""
        pieces = []
        while packed and self._unpacker is not None:
            try:
                piece = self._unpacker.decompress(packed, 1 << 16)
            except zlib.error:
                self.lose()
                return None
            self._unpacked += len(piece)
            if self._unpacked <= 2 * MAX_BODY_BYTES:
                pieces.append(piece)
            packed = self._unpacker.unconsumed_tail
            if self._unpacked > MAX_UNPACKED_BYTES:
                self.lose()
        return b"".join(pieces) if self._unpacker is not None else None

    def end(self) -> bytes | None:
        """A message is whole: what is left of it."""
        rest = self.feed(_TAIL)
        self._unpacked = 0
        if not self._keeps_context:
            self._unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        return rest

    def lose(self) -> None:
        """What follows refers to bytes that are not known."""
        self._unpacker = None


class _Side:
    """What one side sends.

    Attributes:
        pending: part of a frame's head.
        left: payload bytes of the frame that are to come.
        message: the message that is being read, over its fragments.
        target: what the frame's payload goes to: that message, a close, or nothing.
    """

    def __init__(self, inflater: _Inflater | None) -> None:
        self.inflater = inflater
        self.pending = b""
        self.left = 0
        self.mask = b""
        self.final = False
        self.begun_s = 0.0
        self.message: WebSocketMessage | None = None
        self.target: WebSocketMessage | None = None
        self.lost = False

    @property
    def kept(self) -> int:
        """Of the message that is being read, and the compression's window; bytes."""
        said = len(self.pending) + (self.message.kept if self.message is not None else 0)
        return said + (INFLATER_BYTES if self.inflater is not None else 0)


class WebSocket:
    """The dissector of one connection."""

    name = "websocket"

    def __init__(
        self, connection: Connection, context: Context, request: HttpMessage, extensions: str
    ) -> None:
        """Make a dissector.

        Args:
            connection: the connection.
            context: what surrounds it.
            request: the one that opened the WebSocket.
            extensions: the Sec-WebSocket-Extensions that the server agreed to.
        """
        self._connection = connection
        self._emit = context.emit
        self._path = str(request.fields()["path"])
        agreed = extensions.lower()
        deflates = "permessage-deflate" in agreed
        self._sides = tuple(
            _Side(_Inflater(f"{name}_no_context_takeover" not in agreed) if deflates else None)
            for name in ("client", "server")
        )

    @property
    def kept(self) -> int:
        """The messages that are being read, and what the compression refers to."""
        return sum(side.kept for side in self._sides)

    def opened(self, time_s: float) -> None:
        """Nothing to do: the connection knows when it was opened."""

    def data(self, side: int, payload: bytes, time_s: float) -> None:
        """Take the next bytes of one side."""
        this = self._sides[side]
        if this.lost:
            return
        data = this.pending + payload
        this.pending = b""
        at = 0
        while at < len(data):
            if not this.left:
                length = self._head(this, data[at : at + 14], time_s)
                if not length:
                    if not this.lost:
                        this.pending = data[at:]
                    return
                at += length
            else:
                part = data[at : at + this.left]
                at += len(part)
                self._body(this, part)
            if not this.left:
                self._frame_ends(side, this, time_s)

    def gap(self, side: int, missing: int, time_s: float) -> None:
        """Bytes were lost: within a frame they are counted; else the place is lost for good."""
        this = self._sides[side]
        if this.inflater is not None:
            this.inflater.lose()
        if this.left < missing:
            # Nothing in the stream marks where a frame begins.
            this.lost = True
            if this.message is not None:
                self._tell(side, this.message, this.begun_s, time_s, "lost")
            this.message = this.target = None
            return
        if this.target is not None:
            this.target.size += missing
            this.target.body_size += missing
        this.left -= missing
        if not this.left:
            self._frame_ends(side, this, time_s)

    def closed(self, side: int, time_s: float) -> None:
        """Whoever closed says no more; the other one may."""

    def ended(self, how: End, time_s: float) -> None:
        """A message that is not whole stays so."""
        for side, this in enumerate(self._sides):
            if this.message is not None:
                self._tell(side, this.message, this.begun_s, time_s, how)
                this.message = None

    def _head(self, this: _Side, head: bytes, time_s: float) -> int:
        """Read a frame's head (RFC 6455, section 5.2); its length, 0 when it is not whole."""
        if len(head) < 2:
            return 0
        opcode, masked, length = head[0] & 0x0F, head[1] & 0x80, head[1] & 0x7F
        if opcode not in _KNOWN or head[0] & 0x30:
            this.lost = True  # this is no WebSocket
            return 0
        extended = {126: 2, 127: 8}.get(length, 0)
        size = 2 + extended + (4 if masked else 0)
        if len(head) < size:
            return 0
        if extended:
            length = int.from_bytes(head[2 : 2 + extended], "big")
        this.mask = head[size - 4 : size] if masked else b""
        this.left = length
        this.final = bool(head[0] & 0x80)
        this.target = self._target(this, opcode, bool(head[0] & 0x40), time_s)
        if this.target is not None:
            this.target.size += size
            this.target.fragments += 1
        return size

    def _target(
        self, this: _Side, opcode: int, compressed: bool, time_s: float
    ) -> WebSocketMessage | None:
        if opcode in (_TEXT, _BINARY):
            this.message = WebSocketMessage(_NAMES[opcode], self._path, compressed)
            this.begun_s = time_s
        if opcode == _CLOSE:
            return WebSocketMessage("close", self._path, compressed=False)
        return this.message if opcode in (_CONTINUATION, _TEXT, _BINARY) else None

    def _body(self, this: _Side, part: bytes) -> None:
        this.left -= len(part)
        target = this.target
        if target is None:
            return
        target.size += len(part)
        if this.mask:
            # The mask goes on where this part of the frame ends.
            turn = len(part) % 4
            part, this.mask = _unmasked(part, this.mask), this.mask[turn:] + this.mask[:turn]
        if target.compressed and this.inflater is not None and target.unpacked:
            self._add_unpacked(target, this.inflater.feed(part))
        else:
            target.add(part)

    def _add_unpacked(self, target: WebSocketMessage, unpacked: bytes | None) -> None:
        if unpacked is None:
            target.unpacked = False
            return
        target.add(unpacked)

    def _frame_ends(self, side: int, this: _Side, time_s: float) -> None:
        target, this.target = this.target, None
        if target is None:
            return
        if target.kind == "close":
            self._tell(side, target, time_s, time_s)
        elif this.final:
            if target.compressed and this.inflater is not None:
                rest = this.inflater.end()
                if target.unpacked:
                    self._add_unpacked(target, rest)
            this.message = None
            self._tell(side, target, this.begun_s, time_s)

    def _tell(
        self,
        side: int,
        message: WebSocketMessage,
        begun_s: float,
        end_s: float,
        failure: str = "",
    ) -> None:
        exchange = Exchange("websocket", self._connection, None, begun_s, failure=failure)
        exchange.end_s = end_s
        if side == CLIENT:
            exchange.request = message
        else:
            assert side == SERVER
            exchange.response, exchange.response_s = message, begun_s
        self._emit(exchange)


def _unmasked(part: bytes, mask: bytes) -> bytes:
    """RFC 6455, section 5.3; as one large number, since a loop would be a hundred times slower."""
    whole = (mask * (len(part) // 4 + 1))[: len(part)]
    return (int.from_bytes(part, "big") ^ int.from_bytes(whole, "big")).to_bytes(len(part), "big")
