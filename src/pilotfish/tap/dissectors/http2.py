"""HTTP/2 and gRPC: many requests and answers at once on one connection.

RFC 9113. Recognised by the client's preface, or, when the connection's
beginning was not captured, by the shape of its frames: then fields that the
header compression took from before are not known, and the rest is shown.
"""

from __future__ import annotations

from collections import OrderedDict

from pilotfish.tap.connection import CLIENT, SERVER, Connection, End
from pilotfish.tap.conversation import Context
from pilotfish.tap.dissectors import http2_frames as frames
from pilotfish.tap.dissectors.hpack_decoder import HpackDecoder, HpackError
from pilotfish.tap.dissectors.http2_frames import Frame, FrameReader, look_like_frames
from pilotfish.tap.dissectors.http2_message import Http2Message
from pilotfish.tap.dissectors.http_message import MAX_BODY_BYTES, HttpMessage
from pilotfish.tap.exchange import Exchange
from pilotfish.tap.memory import PIECE_BYTES

MAX_STREAMS = 1000
MAX_HEADER_BYTES = 256 * 1024
# Headers and bodies of all streams of one connection that are not told yet.
MAX_KEPT_BYTES = 4 * 1024 * 1024

# RFC 9113, section 7
_ERRORS = (
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
)


NAMES = ("http", "grpc")


def recognise(client: bytes, server: bytes) -> bool | None:
    """Whether this is HTTP/2 by the first bytes of both sides; None: too few to say."""
    if client:
        if frames.PREFACE.startswith(client[: len(frames.PREFACE)]):
            return True if len(client) >= len(frames.PREFACE) else None
        return look_like_frames(client)
    return look_like_frames(server) if server else None


def make(connection: Connection, context: Context) -> Http2:
    """The dissector of a connection that was recognised."""
    return Http2(connection, context)


class _Side:
    """What one side sends."""

    __slots__ = ("block", "block_bytes", "block_frame", "decoder", "preface", "reader")

    def __init__(self) -> None:
        self.reader = FrameReader()
        self.decoder = HpackDecoder()
        self.preface = b""
        # A header block that goes on in CONTINUATION frames.
        self.block: list[bytes] = []
        self.block_bytes = 0
        self.block_frame: Frame | None = None

    @property
    def kept(self) -> int:
        """What is not whole yet, and the compression's table; bytes."""
        return self.reader.kept + self.decoder.kept + (self.block_bytes if self.block else 0)


class _Stream:
    """A request and its answer, as far as they have come."""

    __slots__ = ("kept", "request", "request_s", "response", "response_s")

    def __init__(self, time_s: float) -> None:
        self.request: Http2Message | HttpMessage | None = None
        self.response: Http2Message | None = None
        self.request_s = time_s
        self.response_s = 0.0
        self.kept = 0


class Http2:
    """The dissector of one connection."""

    name = "http2"

    def __init__(
        self,
        connection: Connection,
        context: Context,
        asked: tuple[HttpMessage, float] | None = None,
    ) -> None:
        """Make a dissector.

        Args:
            connection: the connection.
            context: what surrounds it.
            asked: the HTTP/1 request that asked for the upgrade, and when: stream 1 answers it.
        """
        self._connection = connection
        self._emit = context.emit
        self._first = connection.whole
        self._sides = (_Side(), _Side())
        self._streams: OrderedDict[int, _Stream] = OrderedDict()
        self._kept = 0
        # Streams up to this one have begun: what comes for one that is not there is late.
        self._highest = 0
        if asked is not None:
            stream = self._streams[1] = _Stream(asked[1])
            stream.request = asked[0]
            self._highest = 1

    @property
    def kept(self) -> int:
        """Streams that are not told yet, and what is being read."""
        sides = sum(side.kept for side in self._sides)
        return sides + self._kept + 8 * PIECE_BYTES * len(self._streams)

    def opened(self, time_s: float) -> None:
        """Nothing to do: the connection knows when it was opened."""

    def data(self, side: int, payload: bytes, time_s: float) -> None:
        """Take the next bytes of one side."""
        this = self._sides[side]
        if side == CLIENT and this.preface != frames.PREFACE:
            payload = self._after_preface(this, payload)
        for frame in this.reader.feed(payload):
            self._frame(side, this, frame, time_s)

    def gap(self, side: int, missing: int, time_s: float) -> None:  # noqa: ARG002 (Listener)
        """Bytes were lost, and with them perhaps a part of the compression's state."""
        this = self._sides[side]
        this.preface = frames.PREFACE
        this.reader.lose()
        this.decoder.forget()
        this.block_frame = None

    def closed(self, side: int, time_s: float) -> None:
        """The other side may still answer."""

    def ended(self, how: End, time_s: float) -> None:
        """Whoever still waits for an answer gets none, or not all of it."""
        while self._streams:
            self._finish(next(iter(self._streams)), time_s, how)

    def _after_preface(self, this: _Side, payload: bytes) -> bytes:
        """What the client says behind its preface, if it has one."""
        have = this.preface + payload
        if frames.PREFACE.startswith(have[: len(frames.PREFACE)]):
            this.preface = have[: len(frames.PREFACE)]
            return have[len(frames.PREFACE) :]
        this.preface = frames.PREFACE
        return have

    def _frame(self, side: int, this: _Side, frame: Frame, time_s: float) -> None:
        match frame.kind:
            case frames.DATA:
                self._body(side, frame, time_s)
            case frames.HEADERS | frames.PUSH_PROMISE if frame.last:
                this.block_frame = frame
                this.block, this.block_bytes = [frame.payload], len(frame.payload)
            case frames.CONTINUATION if this.block_frame is not None and frame.last:
                this.block.append(frame.payload)
                this.block_bytes += len(frame.payload) + frames.HEAD_BYTES
            case frames.HEADERS | frames.PUSH_PROMISE | frames.CONTINUATION:
                this.decoder.forget()  # larger than anybody sends, or out of place
                this.block_frame = None
            case frames.RST_STREAM:
                self._reset(side, frame, time_s)
            case frames.GOAWAY:
                self._go_away(side, frame, time_s)
        if frame.kind in (frames.HEADERS, frames.PUSH_PROMISE, frames.CONTINUATION):
            if this.block_bytes > MAX_HEADER_BYTES:
                this.decoder.forget()
                this.block_frame, this.block, this.block_bytes = None, [], 0
            elif frame.flags & frames.END_HEADERS and this.block_frame is not None:
                self._headers(side, this, this.block_frame, time_s)
                this.block_frame, this.block = None, []

    def _headers(self, side: int, this: _Side, frame: Frame, time_s: float) -> None:
        """A header block is whole: it begins a message, or ends one as its trailer."""
        block = b"".join(this.block)
        number = frame.stream
        if frame.kind == frames.PUSH_PROMISE:
            number, block = int.from_bytes(block[:4], "big") & 0x7FFF_FFFF, block[4:]
        known = this.decoder.unknown
        try:
            header = this.decoder.decode(block)
        except HpackError:
            header = []
            known = this.decoder.unknown - 1
        message = Http2Message(
            header, this.decoder.unknown - known, frames.HEAD_BYTES + this.block_bytes
        )
        asks = side == CLIENT or frame.kind == frames.PUSH_PROMISE
        stream = self._streams.get(number)
        if stream is None:
            if asks and number <= self._highest:
                return  # the trailer of a request that was answered before its end
            stream = self._begin(number, time_s)
        stream.kept += this.decoder.size
        self._kept += this.decoder.size
        if asks:
            self._take_request(stream, message)
        else:
            self._take_response(stream, message, time_s)
        if frame.flags & frames.END_STREAM and side == SERVER:
            self._finish(number, time_s, "")
        while self._kept > MAX_KEPT_BYTES + MAX_HEADER_BYTES:
            self._finish(next(iter(self._streams)), time_s, "lost")

    def _take_request(self, stream: _Stream, message: Http2Message) -> None:
        if stream.request is None:
            stream.request = message
        elif isinstance(stream.request, Http2Message):
            stream.request.trailer = message.header
            stream.request.size += message.size

    def _take_response(self, stream: _Stream, message: Http2Message, time_s: float) -> None:
        if stream.response is not None:
            stream.response.trailer = message.header
            stream.response.size += message.size
            return
        if message.pseudo(b":status").startswith("1"):
            return  # 100 and 103 announce the answer; they are not it
        if not message.is_response:
            message.header.insert(0, (b":status", b""))  # not known, but an answer
        stream.response, stream.response_s = message, time_s

    def _begin(self, number: int, time_s: float) -> _Stream:
        if len(self._streams) >= MAX_STREAMS:
            self._finish(next(iter(self._streams)), time_s, "lost")
        stream = self._streams[number] = _Stream(time_s)
        self._highest = max(self._highest, number if number % 2 else 0)
        return stream

    def _body(self, side: int, frame: Frame, time_s: float) -> None:
        stream = self._streams.get(frame.stream)
        message = (stream.request if side == CLIENT else stream.response) if stream else None
        if stream is None or message is None:
            return
        message.size += frame.length
        if isinstance(message, Http2Message):
            room = min(MAX_BODY_BYTES - message.body_size, MAX_KEPT_BYTES - self._kept)
            keep = max(min(len(frame.payload), room), 0)
            message.add(frame.payload, keep)
            stream.kept += keep
            self._kept += keep
        if frame.last and frame.flags & frames.END_STREAM and side == SERVER:
            self._finish(frame.stream, time_s, "")

    def _reset(self, side: int, frame: Frame, time_s: float) -> None:
        stream = self._streams.get(frame.stream)
        if stream is None:
            return
        code = _error(frame.payload)
        message = stream.request if side == CLIENT else (stream.response or stream.request)
        if isinstance(message, Http2Message):
            message.error = code
        self._finish(frame.stream, time_s, "refused" if code == "REFUSED_STREAM" else "reset")

    def _go_away(self, side: int, frame: Frame, time_s: float) -> None:
        """Streams above the last one that is named were not, and will not be, looked at."""
        if side != SERVER or len(frame.payload) < 8:
            return
        last = int.from_bytes(frame.payload[:4], "big") & 0x7FFF_FFFF
        for number in [each for each in self._streams if each > last and each % 2]:
            self._finish(number, time_s, "refused")

    def _finish(self, number: int, time_s: float, failure: str) -> None:
        stream = self._streams.pop(number)
        self._kept -= stream.kept
        request, response = stream.request, stream.response
        grpc = any(
            isinstance(each, Http2Message) and each.messages is not None
            for each in (request, response)
        )
        first, self._first = self._first, False
        self._emit(
            Exchange(
                "grpc" if grpc else "http",
                self._connection,
                request,
                stream.request_s,
                response,
                stream.response_s,
                time_s,
                first,
                failure,
            )
        )


def _error(payload: bytes) -> str:
    code = int.from_bytes(payload[:4], "big")
    return _ERRORS[code] if code < len(_ERRORS) else str(code)
