"""What carries a SPDY connection: a socket, or (KEP-4006) the messages of a WebSocket."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Protocol

from pilotfish.node.streaming.websocket_connection import WebSocketConnection
from pilotfish.node.streaming.websocket_frames import BINARY, CLOSE_NORMAL, encode_frame

READ_BYTES = 64 * 1024


class Transport(Protocol):
    async def receive(self) -> bytes:
        """The next bytes; b"" when the client has gone."""

    def write(self, data: bytes) -> None:
        """Queues bytes; whoever writes much awaits `drain` too."""

    async def drain(self) -> None:
        """Waits until the queue is short. Raises ConnectionError when the client has gone."""

    def send_end(self) -> None:
        """Tells the client, where the transport can, that nothing more will come."""

    def close(self) -> None:
        """Ends the connection."""


class SocketTransport:
    """SPDY directly on the connection that was upgraded."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def receive(self) -> bytes:
        # A client that dies instead of closing has gone all the same.
        with suppress(ConnectionError):
            return await self._reader.read(READ_BYTES)
        return b""

    def write(self, data: bytes) -> None:
        self._writer.write(data)

    async def drain(self) -> None:
        await self._writer.drain()

    def send_end(self) -> None:
        """TLS cannot end one direction: the client sees the end when the connection closes."""

    def close(self) -> None:
        self._writer.close()


class TunnelTransport:
    """SPDY inside binary messages, whose borders mean nothing (``SPDY/3.1+…`` subprotocols)."""

    def __init__(self, websocket: WebSocketConnection) -> None:
        self._websocket = websocket

    async def receive(self) -> bytes:
        while (part := await self._websocket.receive()) is not None:
            if part.data:
                return part.data
        return b""

    def write(self, data: bytes) -> None:
        self._websocket.write(encode_frame(BINARY, data))

    async def drain(self) -> None:
        await self._websocket.drain()

    def send_end(self) -> None:
        self._websocket.send_close(CLOSE_NORMAL)

    def close(self) -> None:
        self._websocket.close()
