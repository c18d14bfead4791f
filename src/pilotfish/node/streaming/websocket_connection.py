"""A WebSocket on an upgraded connection: message parts in, frames out, pings answered."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import suppress

from pilotfish.node.streaming.websocket_frames import (
    CLOSE_NORMAL,
    CLOSE_PROTOCOL_ERROR,
    PONG,
    CloseReceived,
    MessagePart,
    PingReceived,
    WebSocketDecoder,
    WebSocketError,
    encode_close,
    encode_frame,
)

log = logging.getLogger(__name__)

_READ_BYTES = 64 * 1024
# 7.1.5: the code that stands for none; it must not be sent.
_NO_CODE = 1005


class WebSocketConnection:
    """One consumer calls `receive`; anyone may write whole frames."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._decoder = WebSocketDecoder()
        self._parts: deque[MessagePart] = deque()
        self._ended = False
        self._close_sent = False

    async def receive(self) -> MessagePart | None:
        """The next part of a message; None when the client has closed or gone."""
        while not self._parts and not self._ended:
            data = b""
            # A client that dies instead of closing has gone all the same.
            with suppress(ConnectionError):
                data = await self._reader.read(_READ_BYTES)
                await self._take(data)
            self._ended = self._ended or not data
        return self._parts.popleft() if self._parts else None

    async def _take(self, data: bytes) -> None:
        try:
            events = self._decoder.feed(data)
        except WebSocketError as error:
            log.warning("a WebSocket client broke the protocol: %s", error)
            self.send_close(CLOSE_PROTOCOL_ERROR, str(error))
            self._ended = True
            return
        for event in events:
            match event:
                case MessagePart():
                    self._parts.append(event)
                case PingReceived(payload):
                    self.write(encode_frame(PONG, payload))
                    await self.drain()
                case CloseReceived(code):
                    self.send_close(code if code != _NO_CODE else CLOSE_NORMAL)
                    self._ended = True

    def write(self, frame: bytes) -> None:
        if not self._close_sent:
            self._writer.write(frame)

    async def drain(self) -> None:
        await self._writer.drain()

    def send_close(self, code: int, reason: str = "") -> None:
        """Ends our half: nothing that is written later goes out. The client answers with CLOSE."""
        self.write(encode_close(code, reason))
        self._close_sent = True

    def close(self) -> None:
        """Ends the connection, without a word if `send_close` was not called."""
        self._writer.close()
