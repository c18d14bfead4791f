"""A byte stream to the client, whichever protocol carries it."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

# One stream may hold this much that its consumer has not taken; then its connection waits.
MAX_BUFFERED_BYTES = 256 * 1024


class StreamGone(Exception):
    """The client has dropped the stream or the connection: nobody will read what is written."""


class Stream(Protocol):
    """Bytes in both directions; each direction ends by itself."""

    async def read(self) -> bytes:
        """The next bytes from the client; b"" when it has closed or dropped its half."""

    async def write(self, data: bytes) -> None:
        """Sends bytes, waiting while the client does not keep up. Raises StreamGone."""

    async def close(self) -> None:
        """Ends our half; the client may go on sending. Harmless on a stream that is gone."""

    def ignore_input(self) -> None:
        """Drops what the client sends from now on, so that it holds up nothing else."""


class Inbox:
    """Bytes that have arrived for one consumer: `put` by the connection, `read` by the consumer.

    `put` never waits, so that one batch of events can be handed out; the connection calls
    `wait_for_room` before it reads on. So the most that one inbox holds is
    MAX_BUFFERED_BYTES and what a single read of the socket returned.
    """

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._ended = False
        self._ignored = False
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    def put(self, data: bytes) -> None:
        if self._ignored or self._ended:
            return
        self._pieces.append(data)
        self._size += len(data)
        self._changed.set()
        if self._size > MAX_BUFFERED_BYTES:
            self._room.clear()

    def end(self) -> None:
        """Nothing more will come; what is there can still be read."""
        self._ended = True
        self._changed.set()

    def ignore(self) -> None:
        self._ignored = True
        self._pieces.clear()
        self._size = 0
        self._room.set()

    async def read(self) -> bytes:
        while not self._pieces:
            if self._ended:
                return b""
            self._changed.clear()
            await self._changed.wait()
        piece = self._pieces.popleft()
        self._size -= len(piece)
        if self._size <= MAX_BUFFERED_BYTES:
            self._room.set()
        return piece

    async def wait_for_room(self) -> None:
        await self._room.wait()
