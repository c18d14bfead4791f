"""Load on an API server: many connections, each sending its next request when it is answered.

Requests are bytes and answers are hardly looked at, so that the load takes little of the
machine from the server that it measures.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Iterator

from benchmarks.api_process import ADDRESS

_LIMIT = 16 * 1024 * 1024


def request(method: str, path: str, body: bytes = b"", content_type: str = "") -> bytes:
    """The bytes of a request."""
    head = f"{method} {path} HTTP/1.1\r\nHost: {ADDRESS}\r\nUser-Agent: bench/1\r\n"
    if body:
        head += f"Content-Type: {content_type or 'application/json'}\r\n"
        head += f"Content-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


class Connection:
    """One connection that is kept open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int, context: ssl.SSLContext) -> Connection:
        """Connect, with TLS."""
        return cls(
            *await asyncio.open_connection(
                ADDRESS, port, ssl=context, server_hostname=ADDRESS, limit=_LIMIT
            )
        )

    async def ask(self, sent: bytes) -> bytes:
        """Send a request; the body of its answer.

        Raises:
            RuntimeError: when the answer is a refusal.
        """
        self._writer.write(sent)
        head = await self._reader.readuntil(b"\r\n\r\n")
        start = head.lower().index(b"content-length:") + len(b"content-length:")
        body = await self._reader.readexactly(int(head[start : head.index(b"\r\n", start)]))
        if head[9:10] != b"2":
            raise RuntimeError(f"{sent[:80]!r} was answered with {head[:20]!r} {body[:300]!r}")
        return body

    async def stream(self, sent: bytes) -> asyncio.StreamReader:
        """Send a request whose answer goes on and on; where it comes from, after its head."""
        self._writer.write(sent)
        await self._reader.readuntil(b"\r\n\r\n")
        return self._reader

    def close(self) -> None:
        """Hang up."""
        self._writer.transport.abort()


class Load:
    """Several connections to one server."""

    def __init__(self, connections: list[Connection]) -> None:
        self._connections = connections

    @classmethod
    async def open(cls, port: int, context: ssl.SSLContext, count: int) -> Load:
        """Connect that many times."""
        return cls([await Connection.open(port, context) for _ in range(count)])

    async def rate(self, requests: Iterator[bytes], duration_s: float = 3600.0) -> float:
        """Requests answered a second, until none are left or the time is over."""
        end = time.monotonic() + duration_s
        answered = 0

        async def work(connection: Connection) -> None:
            nonlocal answered
            for sent in requests:
                await connection.ask(sent)
                answered += 1
                if time.monotonic() >= end:
                    return

        began = time.monotonic()
        await asyncio.gather(*map(work, self._connections))
        return answered / (time.monotonic() - began)

    def close(self) -> None:
        """Hang up."""
        for connection in self._connections:
            connection.close()
