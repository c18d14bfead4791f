"""A client's connection, taken out of the HTTP server's hands.

aiohttp gives everything that arrives to a parser that a handler sets (its own WebSockets work
so), including what came right behind the request. Writing goes on through the response, which
waits while the client does not keep up; after a 101 it adds nothing to the bytes.
"""

from __future__ import annotations

import asyncio
from collections import deque

from aiohttp import web

# What may wait here for whoever reads; the socket's own buffers come on top.
_MAX_BUFFERED_BYTES = 256 * 1024


class HijackedConnection:
    """What a client sends after its request, as bytes; one reader."""

    def __init__(self, request: web.BaseRequest) -> None:
        self._transport = request.transport
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._paused = False
        self._ended = request.transport is None
        self._changed = asyncio.Event()
        request.protocol.set_parser(self)  # type: ignore[arg-type]

    async def read(self) -> bytes:
        """The next bytes; b"" when the client has gone."""
        while not self._pieces:
            if self._ended:
                return b""
            self._changed.clear()
            await self._changed.wait()
        piece = self._pieces.popleft()
        self._size -= len(piece)
        if self._paused and self._size <= _MAX_BUFFERED_BYTES and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        return piece

    async def gone(self) -> None:
        """Returns when the client has gone; what it sends until then is dropped."""
        while await self.read():
            pass

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """For aiohttp: takes bytes over; (False, b"") says that more may come."""
        self._pieces.append(data)
        self._size += len(data)
        self._changed.set()
        if not self._paused and self._size > _MAX_BUFFERED_BYTES and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        return False, b""

    def feed_eof(self) -> None:
        """For aiohttp: the connection is lost."""
        self._ended = True
        self._transport = None
        self._changed.set()
