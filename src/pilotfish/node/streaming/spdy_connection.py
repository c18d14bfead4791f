"""A SPDY connection as streams: the shell around SpdySession."""

from __future__ import annotations

import logging
from collections.abc import Callable

from pilotfish.node.streaming.spdy_frames import GOAWAY_PROTOCOL_ERROR, SpdyError
from pilotfish.node.streaming.spdy_session import (
    Event,
    SpdySession,
    StreamData,
    StreamEnded,
    StreamOpened,
    StreamReset,
)
from pilotfish.node.streaming.streams import Inbox, StreamGone
from pilotfish.node.streaming.transport import Transport

log = logging.getLogger(__name__)

# Two streams for every forwarded connection; a client that opens more is refused.
MAX_STREAMS = 4096


class SpdyStream:
    """One stream that the client opened; see streams.Stream."""

    def __init__(self, connection: SpdyConnection, stream_id: int, headers: dict[str, str]) -> None:
        self._connection = connection
        self.stream_id = stream_id
        self.headers = headers
        self.inbox = Inbox()

    async def read(self) -> bytes:
        return await self.inbox.read()

    async def write(self, data: bytes) -> None:
        await self._connection.send(self.stream_id, data)

    async def close(self) -> None:
        await self._connection.end_stream(self.stream_id)

    def ignore_input(self) -> None:
        self.inbox.ignore()

    def reset(self) -> None:
        """Drops the stream in both directions."""
        self._connection.reset(self.stream_id)


class SpdyConnection:
    """`on_stream` sees each new stream, before any of its bytes; False refuses it."""

    def __init__(self, transport: Transport, on_stream: Callable[[SpdyStream], bool]) -> None:
        self._transport = transport
        self._on_stream = on_stream
        self._session = SpdySession()
        # Streams whose client may still send, by number.
        self._receiving: dict[int, SpdyStream] = {}

    async def run(self) -> None:
        """Hands out what arrives until the client goes."""
        try:
            while data := await self._transport.receive():
                touched = [self._dispatch(event) for event in self._session.receive(data)]
                self._flush()
                await self._transport.drain()
                for stream in touched:
                    if stream is not None:
                        await stream.inbox.wait_for_room()
        except SpdyError as error:
            log.warning("a SPDY client broke the protocol: %s", error)
            self._session.go_away(GOAWAY_PROTOCOL_ERROR)
            self._flush()
        except ConnectionError as error:
            log.debug("a SPDY client has gone: %s", error)
        finally:
            for stream in self._receiving.values():
                stream.inbox.end()

    def send_end(self) -> None:
        """Announces the end; open streams go on."""
        self._session.go_away()
        self._flush()

    def close(self) -> None:
        """Ends the connection."""
        self._transport.send_end()
        self._transport.close()

    async def send(self, stream_id: int, data: bytes) -> None:
        if not self._session.send_data(stream_id, data):
            raise StreamGone
        await self._flush_and_drain()

    async def end_stream(self, stream_id: int) -> None:
        if self._session.send_data(stream_id, b"", fin=True):
            await self._flush_and_drain()

    def reset(self, stream_id: int) -> None:
        self._session.reset(stream_id)
        self._flush()
        self._end_input(stream_id)

    async def _flush_and_drain(self) -> None:
        self._flush()
        try:
            await self._transport.drain()
        except ConnectionError as error:
            raise StreamGone from error

    def _flush(self) -> None:
        if outgoing := self._session.take_outgoing():
            self._transport.write(outgoing)

    def _dispatch(self, event: Event) -> SpdyStream | None:
        match event:
            case StreamOpened(stream_id, headers):
                self._open(stream_id, headers)
                return None
            case StreamData(stream_id, data):
                stream = self._receiving.get(stream_id)
                if stream:
                    stream.inbox.put(data)
                return stream
            case StreamEnded(stream_id) | StreamReset(stream_id):
                self._end_input(stream_id)
                return None

    def _open(self, stream_id: int, headers: dict[str, str]) -> None:
        stream = SpdyStream(self, stream_id, headers)
        if len(self._receiving) >= MAX_STREAMS or not self._on_stream(stream):
            self._session.refuse(stream_id)
            return
        self._receiving[stream_id] = stream
        self._session.accept(stream_id)

    def _end_input(self, stream_id: int) -> None:
        stream = self._receiving.pop(stream_id, None)
        if stream:
            stream.inbox.end()
