"""The server's side of a SPDY/3.1 connection: which streams are open, and in what state.

Frames come in as bytes, events go out; answers that the protocol itself demands (PING, resets
for frames on streams that are not open) gather in the outgoing bytes together with what the
caller sends. Source: "SPDY Protocol - Draft 3.1", section 2.3 (streams).

A stream lives from the client's SYN_STREAM until both sides have said FIN or one has said
RST_STREAM. There is no flow control: the Go library on Kubernetes' side of the wire sends no
WINDOW_UPDATE and ignores those that it gets, so waiting for one would hang after 64 KiB.
"""

from __future__ import annotations

from dataclasses import dataclass

from pilotfish.node.streaming.spdy_frames import (
    CANCEL,
    GOAWAY_OK,
    INVALID_STREAM,
    PROTOCOL_ERROR,
    REFUSED_STREAM,
    STREAM_ALREADY_CLOSED,
    Data,
    Frame,
    FrameDecoder,
    FrameEncoder,
    GoAway,
    Headers,
    Ping,
    RstStream,
    SpdyError,
    SynReply,
    SynStream,
)


@dataclass(frozen=True, slots=True)
class StreamOpened:
    """The client opened a stream; answer with `accept` or `refuse`."""

    stream_id: int
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class StreamData:
    """Bytes arrived on a stream; never empty."""

    stream_id: int
    data: bytes


@dataclass(frozen=True, slots=True)
class StreamEnded:
    """The client sends nothing more on this stream; it may still read (half-close)."""

    stream_id: int


@dataclass(frozen=True, slots=True)
class StreamReset:
    """The stream is gone in both directions."""

    stream_id: int


Event = StreamOpened | StreamData | StreamEnded | StreamReset


@dataclass(slots=True)
class _State:
    remote_open: bool
    local_open: bool


class SpdySession:
    """Protocol state of one connection; raises SpdyError when the peer breaks the protocol."""

    def __init__(self) -> None:
        self._decoder = FrameDecoder()
        self._encoder = FrameEncoder()
        self._streams: dict[int, _State] = {}
        self._last_stream_id = 0
        self._outgoing = bytearray()

    def receive(self, data: bytes) -> list[Event]:
        """What the peer's bytes mean, in order."""
        events: list[Event] = []
        for frame in self._decoder.feed(data):
            events += self._handle(frame)
        return events

    def take_outgoing(self) -> bytes:
        """Bytes to send now, in this order; empty when there is nothing."""
        outgoing = bytes(self._outgoing)
        self._outgoing.clear()
        return outgoing

    def accept(self, stream_id: int) -> None:
        self._send(SynReply(stream_id))

    def refuse(self, stream_id: int) -> None:
        self._streams.pop(stream_id, None)
        self._send(RstStream(stream_id, REFUSED_STREAM))

    def send_data(self, stream_id: int, data: bytes, fin: bool = False) -> bool:
        """Sends bytes, and with `fin` the end of our half. False when nobody can receive them."""
        state = self._streams.get(stream_id)
        if state is None or not state.local_open:
            return False
        self._send(Data(stream_id, data, fin))
        if fin:
            state.local_open = False
            self._forget_if_done(stream_id, state)
        return True

    def reset(self, stream_id: int) -> None:
        """Drops a stream in both directions; nothing happens when it is gone already."""
        if self._streams.pop(stream_id, None):
            self._send(RstStream(stream_id, CANCEL))

    def go_away(self, status: int = GOAWAY_OK) -> None:
        self._send(GoAway(self._last_stream_id, status))

    def _send(self, frame: Frame) -> None:
        self._outgoing += self._encoder.encode(frame)

    def _forget_if_done(self, stream_id: int, state: _State) -> None:
        if not state.local_open and not state.remote_open:
            del self._streams[stream_id]

    def _handle(self, frame: Frame) -> list[Event]:
        match frame:
            case SynStream():
                return self._opened(frame)
            case Data(stream_id, data, fin):
                return self._data(stream_id, data, fin)
            case Headers(stream_id, _, True):
                return self._data(stream_id, b"", True)
            case RstStream(stream_id, _):
                known = self._streams.pop(stream_id, None)
                return [StreamReset(stream_id)] if known else []
            case Ping(ping_id):
                # Odd numbers are the client's own; an even one would answer a ping of ours.
                if ping_id % 2:
                    self._send(frame)
                return []
            case _:
                # WINDOW_UPDATE, SETTINGS and others say nothing that is used here. GOAWAY
                # announces the end of the connection, which comes by itself.
                return []

    def _opened(self, frame: SynStream) -> list[Event]:
        stream_id = frame.stream_id
        if stream_id % 2 == 0 or stream_id <= self._last_stream_id:
            # 2.3.2: client's numbers are odd and increase; one used twice is the stream's end.
            if stream_id in self._streams:
                self._streams.pop(stream_id)
                self._send(RstStream(stream_id, PROTOCOL_ERROR))
                return [StreamReset(stream_id)]
            raise SpdyError(f"stream {stream_id} after {self._last_stream_id} is out of order")
        self._last_stream_id = stream_id
        self._streams[stream_id] = _State(
            remote_open=not frame.fin, local_open=not frame.unidirectional
        )
        opened: list[Event] = [StreamOpened(stream_id, frame.headers)]
        return [*opened, StreamEnded(stream_id)] if frame.fin else opened

    def _data(self, stream_id: int, data: bytes, fin: bool) -> list[Event]:
        state = self._streams.get(stream_id)
        if state is None:
            # Late frames of a stream that we closed are normal; others name no stream.
            if stream_id > self._last_stream_id:
                self._send(RstStream(stream_id, INVALID_STREAM))
            return []
        if not state.remote_open:
            self._streams.pop(stream_id)
            self._send(RstStream(stream_id, STREAM_ALREADY_CLOSED))
            return [StreamReset(stream_id)]
        events: list[Event] = [StreamData(stream_id, data)] if data else []
        if fin:
            state.remote_open = False
            self._forget_if_done(stream_id, state)
            events.append(StreamEnded(stream_id))
        return events
