"""HTTP/1.0 and 1.1: requests and responses on one connection, pipelined or not.

Framing by RFC 9112 section 6: Content-Length, chunked, until close; responses
to HEAD, 1xx, 204 and 304 have no body; a 101, or a 2xx to CONNECT, hands the
connection to another protocol.
"""

from __future__ import annotations

import re
from collections import deque

from pilotfish.tap.connection import CLIENT, SERVER, Connection, End, Listener
from pilotfish.tap.conversation import Context
from pilotfish.tap.dissectors.http2 import Http2
from pilotfish.tap.dissectors.http_message import MAX_BODY_BYTES, HttpMessage
from pilotfish.tap.dissectors.websocket import WebSocket
from pilotfish.tap.exchange import Exchange
from pilotfish.tap.memory import PIECE_BYTES

MAX_HEAD_BYTES = 64 * 1024
MAX_PIPELINED = 1000
# Of all requests that wait for their answers.
MAX_WAITING_BYTES = 8 * 1024 * 1024

_METHODS = (
    rb"GET|POST|PUT|DELETE|HEAD|OPTIONS|PATCH|CONNECT|TRACE|PROPFIND|PROPPATCH|MKCOL|COPY|MOVE"
    rb"|LOCK|UNLOCK|PURGE|SEARCH|REPORT|QUERY"
)
_REQUEST_LINE = re.compile(rb"(?:%s) [^\s]+ HTTP/1\.[01]\r?\n" % _METHODS)
_REQUEST_BEGINNING = re.compile(rb"(?:%s) " % _METHODS)
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] \d{3}[ \r\n]")
# The headers that decide where a message ends, found without reading the others.
_FRAMING = re.compile(
    rb"\n(?:content-length[ \t]*:[ \t]*(\d{1,18})|transfer-encoding[ \t]*:[^\r\n]*(chunked))",
    re.IGNORECASE,
)
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[^\r\n]*\r?\n")
_HEAD_END = re.compile(rb"(?:\A|\r?\n)\r?\n")
_TRAILER_END = re.compile(rb"(?:[^\r\n]+\r?\n)*\r?\n")
_NO_BODY = frozenset((b"204", b"304"))


NAMES = ("http", "websocket")


def recognise(client: bytes, server: bytes) -> bool | None:
    """Whether this is HTTP/1.x by the first bytes of both sides; None: too few to say."""
    if client:
        if _REQUEST_LINE.match(client):
            return True
        if _REQUEST_BEGINNING.match(client) and b"\n" not in client:
            return None if len(client) < MAX_HEAD_BYTES else False
        return (
            None
            if len(client) < 8 and any(method.startswith(client) for method in _METHODS.split(b"|"))
            else False
        )
    return bool(_STATUS_LINE.match(server)) if len(server) >= 13 else None


def make(connection: Connection, context: Context) -> Http1:
    """The dissector of a connection that was recognised."""
    return Http1(connection, context)


class _Reader:
    """Cuts one side's stream into messages.

    Attributes:
        pending: bytes that are not understood yet: part of a head, or of a chunk's size line.
        message: the message whose body is being read; None between messages.
        left: bytes of the body (or chunk) that are to come; None: until the connection closes.
    """

    __slots__ = ("begun_s", "chunked", "left", "message", "pending", "pieces", "skipping")

    def __init__(self) -> None:
        self.pending = b""
        self.begun_s = 0.0
        self.message: HttpMessage | None = None
        self.left: int | None = 0
        self.chunked = False
        self.pieces: list[bytes] = []
        self.skipping = False  # lost its place: wait for the next start line

    @property
    def kept(self) -> int:
        """What is not told yet, bytes."""
        head = len(self.message.head) if self.message is not None else 0
        return (
            head + len(self.pending) + sum(map(len, self.pieces)) + PIECE_BYTES * len(self.pieces)
        )

    def keep(self, body: bytes) -> None:
        """Count a part of the body, and keep the beginning."""
        message = self.message
        assert message is not None
        room = MAX_BODY_BYTES - message.body_size
        if room > 0:
            self.pieces.append(body[:room])
        message.body_size += len(body)


class Http1:
    """The dissector of one connection."""

    name = "http"

    def __init__(self, connection: Connection, context: Context) -> None:
        self._connection = connection
        self._context = context
        self._emit = context.emit
        self._readers = (_Reader(), _Reader())
        self._requests: deque[tuple[HttpMessage, float]] = deque()
        self._first = connection.whole
        self._successor: Listener | None = None  # who hears what comes after an upgrade

    @property
    def kept(self) -> int:
        """Requests that wait for their answers, and what is being read."""
        read = sum(reader.kept for reader in self._readers)
        return read + sum(PIECE_BYTES + request.kept for request, _ in self._requests)

    def opened(self, time_s: float) -> None:
        """Nothing to do: the connection knows when it was opened."""

    def data(self, side: int, payload: bytes, time_s: float) -> None:
        """Take the next bytes of one side."""
        reader = self._readers[side]
        if reader.message is None and not reader.pending and not reader.skipping:
            # Most messages are one segment, and need no state.
            end = payload.find(b"\r\n\r\n")
            if end > 0:
                framing = _FRAMING.search(payload, 0, end)
                if framing is None:
                    if side == CLIENT and end + 4 == len(payload):
                        self._requested(HttpMessage(payload[:end], len(payload)), time_s)
                        return
                elif (
                    side == SERVER
                    and framing[1]
                    and end + 4 + int(framing[1]) == len(payload)
                    and self._may_have_body(payload)
                    and _FRAMING.search(payload, framing.end(), end) is None
                ):
                    body = payload[end + 4 :]
                    message = HttpMessage(payload[:end], len(payload), body, len(body))
                    self._answered(message, time_s, time_s)
                    return
        self._read(side, reader, payload, time_s)

    def gap(self, side: int, missing: int, time_s: float) -> None:
        """Bytes were lost: inside a body they are counted, elsewhere the place is lost."""
        reader = self._readers[side]
        message = reader.message
        fits = not reader.chunked and (reader.left is None or reader.left >= missing)
        if message is not None and fits:
            message.body_size += missing
            message.size += missing
            reader.left = reader.left and reader.left - missing
            if reader.left == 0:
                self._complete(side, reader, time_s)
            return
        reader.pending = b""
        reader.skipping = True
        if reader.message is not None:
            self._complete(side, reader, time_s, "lost")

    def closed(self, side: int, time_s: float) -> None:
        """A side ends: so does a body that lasts until then."""
        reader = self._readers[side]
        if reader.message is not None and reader.left is None:
            self._complete(side, reader, time_s)

    def ended(self, how: End, time_s: float) -> None:
        """Whoever still waits for an answer gets none."""
        for side, reader in enumerate(self._readers):
            if reader.message is not None:
                until_close = reader.left is None and how == "closed"
                self._complete(side, reader, time_s, "" if until_close else how)
        for request, begun_s in self._requests:
            self._emit(self._exchange(request, begun_s, failure=how))
        self._requests.clear()

    def _read(self, side: int, reader: _Reader, payload: bytes, time_s: float) -> None:
        """The general case: messages that lie anyhow across segments."""
        data = reader.pending + payload if reader.pending else payload
        if not reader.pending and reader.message is None:
            reader.begun_s = time_s
        reader.pending = b""
        while data:
            if reader.message is None:
                rest = self._head(side, reader, data, time_s)
            elif reader.chunked and reader.left == 0:
                rest = self._chunk(side, reader, data, time_s)
            else:
                rest = self._body(side, reader, data, time_s)
            if rest is None:
                return
            data = rest
            if self._successor is not None:
                self._hand_over(side, data, time_s)
                return

    def _head(self, side: int, reader: _Reader, data: bytes, time_s: float) -> bytes | None:
        """Read a head; what follows it, or None when more bytes are needed."""
        if reader.skipping:
            start = (_REQUEST_LINE if side == CLIENT else _STATUS_LINE).search(data)
            if start is None:
                return None
            data = data[start.start() :]
            reader.skipping = False
            reader.begun_s = time_s
        match = _HEAD_END.search(data)
        if match is None:
            if len(data) > MAX_HEAD_BYTES:
                reader.skipping = True
            else:
                reader.pending = data
            return None
        if match.start() == 0:
            return data[match.end() :]  # an empty line before the start line (RFC 9112, 2.2)
        line = _REQUEST_LINE if side == CLIENT else _STATUS_LINE
        if not line.match(data):
            reader.skipping = True
            return data
        message = HttpMessage(data[: match.start()], match.end())
        rest = data[match.end() :]
        reader.message, reader.pieces = message, []
        self._frame(side, reader, message)
        if reader.left == 0 and not reader.chunked:
            self._complete(side, reader, time_s)
        if rest:
            reader.begun_s = time_s if reader.message is None else reader.begun_s
        return rest

    def _frame(self, side: int, reader: _Reader, message: HttpMessage) -> None:
        """How the body ends (RFC 9112, section 6.3)."""
        reader.chunked, reader.left = False, 0
        length: int | None = None
        for framing in _FRAMING.finditer(message.head):
            if framing[1]:
                length = int(framing[1])
            else:
                reader.chunked = True
        if side == SERVER:
            if not self._may_have_body(message.head):
                reader.chunked = False
                return
            if not reader.chunked:
                reader.left = length
        elif not reader.chunked:
            reader.left = length or 0

    def _may_have_body(self, head: bytes) -> bool:
        status = head[9:12]
        if status in _NO_BODY or status[:1] == b"1":
            return False
        if not self._requests:
            return True
        asked = self._requests[0][0].head
        return not (
            asked.startswith(b"HEAD ") or (asked.startswith(b"CONNECT ") and status[:1] == b"2")
        )

    def _chunk(self, side: int, reader: _Reader, data: bytes, time_s: float) -> bytes | None:
        """Read a chunk's size line, or the end of the last chunk."""
        message = reader.message
        assert message is not None
        if data.startswith(b"\r\n") and message.body_size:
            message.size += 2  # the line end behind the chunk before
            return data[2:]
        match = _CHUNK_SIZE.match(data)
        if match is None:
            if len(data) > 1024:
                reader.skipping = True
                self._complete(side, reader, time_s, "lost")
                return None
            reader.pending = data
            return None
        size = int(match[1], 16)
        if size:
            message.size += match.end()
            reader.left = size
            return data[match.end() :]
        trailer = _TRAILER_END.match(data, match.end())
        if trailer is None:
            reader.pending = data
            return None
        message.size += trailer.end()
        self._complete(side, reader, time_s)
        return data[trailer.end() :]

    def _body(self, side: int, reader: _Reader, data: bytes, time_s: float) -> bytes:
        message = reader.message
        assert message is not None
        body = data if reader.left is None else data[: reader.left]
        reader.keep(body)
        message.size += len(body)
        if reader.left is not None:
            reader.left -= len(body)
            if reader.left == 0 and not reader.chunked:
                self._complete(side, reader, time_s)
        return data[len(body) :]

    def _complete(self, side: int, reader: _Reader, time_s: float, failure: str = "") -> None:
        message = reader.message
        assert message is not None
        message.body = b"".join(reader.pieces)
        reader.message, reader.pieces = None, []
        reader.left, reader.chunked = 0, False
        begun_s, reader.begun_s = reader.begun_s, time_s
        if side == CLIENT:
            self._requested(message, begun_s)
        else:
            self._answered(message, begun_s, time_s, failure)

    def _requested(self, request: HttpMessage, begun_s: float) -> None:
        self._requests.append((request, begun_s))
        if not len(self._requests) % 16:  # now and then: nearly always there is but one
            self._shed()

    def _shed(self) -> None:
        """Let go of the oldest requests where too many, or too large ones, wait."""
        waiting = sum(len(request.head) + len(request.body) for request, _ in self._requests)
        while len(self._requests) > MAX_PIPELINED or waiting > MAX_WAITING_BYTES:
            lost, lost_s = self._requests.popleft()
            waiting -= len(lost.head) + len(lost.body)
            self._emit(self._exchange(lost, lost_s, failure="lost"))

    def _answered(
        self, response: HttpMessage, begun_s: float, end_s: float, failure: str = ""
    ) -> None:
        if response.head[9:10] == b"1" and response.head[9:12] != b"101":
            return  # 100 Continue and its like announce the answer; they are not it
        request, request_s = self._requests.popleft() if self._requests else (None, begun_s)
        if request is not None and not failure:
            self._upgrade(request, request_s, response)
            if isinstance(self._successor, Http2):
                return  # which answers this very request (RFC 7540, section 3.2)
        exchange = self._exchange(request, request_s, failure)
        exchange.response, exchange.response_s, exchange.end_s = response, begun_s, end_s
        self._emit(exchange)

    def _upgrade(self, request: HttpMessage, request_s: float, response: HttpMessage) -> None:
        """See whether this answer ends HTTP/1 on the connection, and what follows it."""
        status = response.head[9:12]
        tunnel = status[:1] == b"2" and request.head.startswith(b"CONNECT ")
        if status != b"101" and not tunnel:
            return
        protocol = response.headers.get("upgrade", "").lower()
        if protocol == "websocket" and not tunnel:
            extensions = response.headers.get("sec-websocket-extensions", "")
            websocket = WebSocket(self._connection, self._context, request, extensions)
            self._context.hand_over(websocket)
        elif protocol == "h2c" and not tunnel:
            self._context.hand_over(
                Http2(self._connection, self._context, asked=(request, request_s))
            )
        else:
            self._context.begin_anew(self._connection)
        self._successor = self._context.place.listener

    def _hand_over(self, side: int, rest: bytes, time_s: float) -> None:
        """Give the bytes behind the upgrade to who understands them."""
        for other, reader in enumerate(self._readers):
            early, reader.pending = reader.pending, b""
            data = early + rest if other == side else early
            if data:
                self._context.place.listener.data(other, data, time_s)

    def _exchange(
        self, request: HttpMessage | None, request_s: float, failure: str = ""
    ) -> Exchange:
        first, self._first = self._first, False
        return Exchange("http", self._connection, request, request_s, first=first, failure=failure)
