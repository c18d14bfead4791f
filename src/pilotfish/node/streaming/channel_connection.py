"""A WebSocket with channels as streams: the shell around ChannelDecoder."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from pilotfish.node.streaming.channels import (
    ChannelClosed,
    ChannelData,
    ChannelDecoder,
    ChannelProtocol,
    encode_channel,
)
from pilotfish.node.streaming.streams import Inbox, StreamGone
from pilotfish.node.streaming.websocket_connection import WebSocketConnection
from pilotfish.node.streaming.websocket_frames import (
    CLOSE_NORMAL,
    CLOSE_PROTOCOL_ERROR,
    PONG,
    WebSocketError,
    encode_frame,
)

log = logging.getLogger(__name__)

_PONG_EVERY_S = 10.0


class ChannelStream:
    """One channel; see streams.Stream. Our half ends only with the connection."""

    def __init__(self, connection: ChannelConnection, channel: int) -> None:
        self._connection = connection
        self._channel = channel
        self.inbox = Inbox()

    async def read(self) -> bytes:
        return await self.inbox.read()

    async def write(self, data: bytes) -> None:
        await self._connection.send(self._channel, data)

    async def close(self) -> None:
        """The protocols have no message that would say so to the client."""

    def ignore_input(self) -> None:
        self.inbox.ignore()


class ChannelConnection:
    """`channels` are the numbers that exist; messages of others are dropped."""

    def __init__(
        self,
        websocket: WebSocketConnection,
        protocol: ChannelProtocol,
        channels: Iterable[int],
    ) -> None:
        self._websocket = websocket
        self._protocol = protocol
        self._decoder = ChannelDecoder(protocol)
        self.streams = {channel: ChannelStream(self, channel) for channel in channels}

    async def run(self) -> None:
        """Hands out what arrives until the client goes."""
        try:
            while (part := await self._websocket.receive()) is not None:
                for event in self._decoder.feed(part):
                    stream = self.streams.get(event.channel)
                    match event:
                        case ChannelData(_, data) if stream:
                            stream.inbox.put(data)
                            await self._wait_for_room(stream)
                        case ChannelClosed() if stream:
                            stream.inbox.end()
        except WebSocketError as error:
            log.warning("a WebSocket client broke the channel protocol: %s", error)
            self._websocket.send_close(CLOSE_PROTOCOL_ERROR, str(error))
        finally:
            for stream in self.streams.values():
                stream.inbox.end()

    async def _wait_for_room(self, stream: ChannelStream) -> None:
        """Waits for the consumer, and tells the client meanwhile that we live.

        kubectl takes a connection for dead when its pings have no answer for a minute, and
        pings that sit behind a full stdin are not read. RFC 6455, 5.5.3 allows a PONG that
        nobody asked for.
        """
        while True:
            try:
                async with asyncio.timeout(_PONG_EVERY_S):
                    return await stream.inbox.wait_for_room()
            except TimeoutError:
                self._websocket.write(encode_frame(PONG, b""))

    async def send(self, channel: int, data: bytes) -> None:
        self._websocket.write(encode_channel(self._protocol, channel, data))
        try:
            await self._websocket.drain()
        except ConnectionError as error:
            raise StreamGone from error

    def send_end(self) -> None:
        """Tells the client that all is said: the channels have no end of their own."""
        self._websocket.send_close(CLOSE_NORMAL)

    def close(self) -> None:
        """Ends the connection."""
        self._websocket.close()
