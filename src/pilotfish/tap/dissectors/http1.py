"""HTTP/1.0 and 1.1: requests and responses on one connection, pipelined or not.

Responses to HEAD, 1xx, 204 and 304 have no body; a 101, or a 2xx to CONNECT, hands the connection
to another protocol (RFC 9112 section 6.3, RFC 9110 section 9.3.6). A server may answer before the
request is whole (RFC 9112 section 9.3): the answer is that request's.
"""

from __future__ import annotations

import re
from collections import deque

from pilotfish.tap.connection import CLIENT, SERVER, Connection, End, Listener
from pilotfish.tap.conversation import Context
from pilotfish.tap.dissectors.http1_reader import FRAMING, MAX_HEAD_BYTES, MessageReader, Whole
from pilotfish.tap.dissectors.http2 import Http2
from pilotfish.tap.dissectors.http_message import HttpMessage
from pilotfish.tap.dissectors.websocket import WebSocket
from pilotfish.tap.exchange import Exchange
from pilotfish.tap.memory import PIECE_BYTES

MAX_PIPELINED = 1000
# Of all requests that wait for their answers.
MAX_WAITING_BYTES = 8 * 1024 * 1024

# Lines as servers take them: words apart by any number of blanks (RFC 9112, section 3).
_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}"
_REQUEST_LINE = re.compile(rb"%s[ \t]+\S+[ \t]+HTTP/1\.[01][ \t]*\r?\n" % _TOKEN)
_REQUEST_BEGINNING = re.compile(rb"%s(?:[ \t][^\n]*)?\Z" % _TOKEN)
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] \d{3}[ \r\n]")
# In the middle of bytes only the usual methods are told from the end of something else.
_METHODS = (
    rb"GET|POST|PUT|DELETE|HEAD|OPTIONS|PATCH|CONNECT|TRACE|PROPFIND|PROPPATCH|MKCOL|COPY|MOVE"
    rb"|LOCK|UNLOCK|PURGE|SEARCH|REPORT|QUERY"
)
_METHOD_WORDS = tuple(method + b" " for method in _METHODS.split(b"|"))
_RESUMED_LINE = re.compile(rb"(?:%s) [^\s]+ HTTP/1\.[01]\r?\n" % _METHODS)
# With which nearly all begin.
_USUAL = frozenset((b"GET ", b"POST", b"PUT ", b"HEAD", b"PATC", b"DELE", b"OPTI"))
_CONNECT = (b"CONNECT ", b"CONNECT\t")
_EXPECTS = re.compile(rb"\nexpect[ \t]*:[ \t]*100-continue", re.IGNORECASE)
_NO_BODY = frozenset((b"204", b"304"))


NAMES = ("http", "websocket")


def recognise(client: bytes, server: bytes) -> bool | None:
    """Whether this is HTTP/1.x by the first bytes of both sides; None: too few to say."""
    if client:
        if _REQUEST_LINE.match(client):
            return True
        if len(client) < MAX_HEAD_BYTES and _REQUEST_BEGINNING.match(client):
            return None
        return False
    return bool(_STATUS_LINE.match(server)) if len(server) >= 13 else None


def make(connection: Connection, context: Context) -> Http1:
    """The dissector of a connection that was recognised."""
    return Http1(connection, context)


class Http1:
    """The dissector of one connection."""

    name = "http"

    def __init__(self, connection: Connection, context: Context) -> None:
        self._connection = connection
        self._context = context
        self._emit = context.emit
        self._readers = (
            MessageReader(_REQUEST_LINE, _RESUMED_LINE, is_request=True),
            MessageReader(_STATUS_LINE, _STATUS_LINE, is_request=False),
        )
        self._requests: deque[tuple[HttpMessage, float]] = deque()
        self._first = connection.whole
        self._successor: Listener | None = None  # who hears what comes after an upgrade
        # The client was told to send its body; or it was answered before it had sent any.
        self._continued = self._declined = False
        self._unsure = b""  # after a refusal: a body, or the beginning of a request

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
        if self._declined and side == CLIENT:
            payload = self._after_refusal(reader, payload)
        if reader.message is None and not reader.pending.data and not reader.skipping:
            # Most messages are one segment, and need no state.
            end = payload.find(b"\r\n\r\n")
            if end > 0:
                framing = FRAMING.search(payload, 0, end)
                if framing is None:
                    if (
                        side == CLIENT
                        and end + 4 == len(payload)
                        and (payload[:4] in _USUAL or _REQUEST_LINE.match(payload))
                    ):
                        self._requested(HttpMessage(payload[:end], len(payload)), time_s)
                        return
                elif (
                    side == SERVER
                    and framing[1]
                    and end + 4 + int(framing[1]) == len(payload)
                    and self._may_have_body(payload)
                    and FRAMING.search(payload, framing.end(), end) is None
                ):
                    body = payload[end + 4 :]
                    message = HttpMessage(payload[:end], len(payload), body, len(body))
                    self._answered(message, time_s, time_s)
                    return
        for whole in reader.feed(payload, time_s, self._may_have_body):
            self._complete(side, whole, time_s)
            if self._successor is not None:
                self._hand_over(side, reader.rest(), time_s)
                return

    def gap(self, side: int, missing: int, time_s: float) -> None:
        """Bytes were lost: inside a body they are counted, elsewhere the place is lost."""
        whole = self._readers[side].lose(missing, time_s)
        if whole is not None:
            self._complete(side, whole, time_s)

    def closed(self, side: int, time_s: float) -> None:
        """A side ends: so does a body that lasts until then."""
        reader = self._readers[side]
        if reader.message is not None and reader.left is None:
            self._complete(side, reader.end(time_s), time_s)

    def ended(self, how: End, time_s: float) -> None:
        """Whoever still waits for an answer gets none."""
        for side, reader in enumerate(self._readers):
            if reader.message is not None:
                until_close = reader.left is None and how == "closed"
                self._complete(side, reader.end(time_s, "" if until_close else how), time_s)
        for request, begun_s in self._requests:
            self._emit(self._exchange(request, begun_s, failure=how))
        self._requests.clear()

    def _after_refusal(self, reader: MessageReader, payload: bytes) -> bytes:
        """What a client says that was answered before it sent its body; b"" if it says too little.

        It may send the body all the same, or keep it back and ask for the next thing (RFC 9110,
        10.1.1).
        """
        said = self._unsure + payload
        self._unsure = b""
        if any(method.startswith(said) for method in _METHOD_WORDS):
            self._unsure = said
            return b""
        self._declined = False
        if said.startswith(_METHOD_WORDS):
            reader.answered = False
            reader.drop()
        return said

    def _may_have_body(self, head: bytes) -> bool:
        status = head[9:12]
        if status in _NO_BODY or status[:1] == b"1":
            return False
        asked: HttpMessage | None = None
        if self._requests:
            asked = self._requests[0][0]
        elif not self._readers[CLIENT].answered:
            asked = self._readers[CLIENT].message
        if asked is None:
            return True
        head = asked.head
        return not (
            head.startswith((b"HEAD ", b"HEAD\t"))
            or (head.startswith(_CONNECT) and status[:1] == b"2")
        )

    def _complete(self, side: int, whole: Whole, time_s: float) -> None:
        if side == SERVER:
            self._answered(whole.message, whole.begun_s, time_s, whole.failure)
            return
        reader = self._readers[CLIENT]
        self._continued = self._declined = False
        if reader.answered:
            reader.answered = False
        else:
            self._requested(whole.message, whole.begun_s)

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
            # 100 Continue and its like announce the answer; they are not it.
            self._continued = self._continued or response.head[9:12] == b"100"
            return
        request, request_s = self._next_request(begun_s)
        if request is not None and not failure:
            self._upgrade(request, request_s, response)
            if isinstance(self._successor, Http2):
                return  # which answers this very request (RFC 7540, section 3.2)
        exchange = self._exchange(request, request_s, failure)
        exchange.response, exchange.response_s, exchange.end_s = response, begun_s, end_s
        self._emit(exchange)

    def _next_request(self, begun_s: float) -> tuple[HttpMessage | None, float]:
        """The request that is answered, and when it was sent: perhaps one that is not whole."""
        if self._requests:
            return self._requests.popleft()
        reader = self._readers[CLIENT]
        early = None if reader.answered else reader.so_far()
        if early is None:
            return None, begun_s
        reader.answered = True
        self._declined = (
            reader.message is not None
            and not self._continued
            and not early.body_size
            and _EXPECTS.search(early.head) is not None
        )
        return early, reader.begun_s

    def _upgrade(self, request: HttpMessage, request_s: float, response: HttpMessage) -> None:
        """See whether this answer ends HTTP/1 on the connection, and what follows it."""
        status = response.head[9:12]
        tunnel = status[:1] == b"2" and request.head.startswith(_CONNECT)
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
            data = rest if other == side else reader.rest()
            if data:
                self._context.place.listener.data(other, data, time_s)

    def _exchange(
        self, request: HttpMessage | None, request_s: float, failure: str = ""
    ) -> Exchange:
        first, self._first = self._first, False
        return Exchange("http", self._connection, request, request_s, first=first, failure=failure)
