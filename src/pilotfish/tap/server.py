"""The HTTPS server of a tap session: who may view, and what.

    GET /healthz
    GET /v1/entries?filter=…&probes=true&redact=false    one JSON object a line, until the end
    GET /v1/packets?namespace=…&name=…&name=…            a pcapng file, until the end
    GET /v1/status                                       one JSON object

Viewers come by the API server's node proxy, which shows its client certificate; only members of
system:masters are answered, as at the kubelet.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

from pilotfish.client.certificates import server_tls
from pilotfish.client.connections import MAX_HEAD_BYTES, Connections
from pilotfish.tap.config import TapConfig
from pilotfish.tap.entry import Entry
from pilotfish.tap.filter import FilterError
from pilotfish.tap.filter import compile as compile_filter
from pilotfish.tap.session import Session
from pilotfish.tap.viewing import EntryViewer, Outbox, PacketViewer

log = logging.getLogger(__name__)

# A capture starts again with the next viewer; this bridges one that connects again.
IDLE_S = 3.0

_REASONS = {200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found"}

Query = Mapping[str, list[str]]


class BadQuery(Exception):
    """The viewer asked for something that cannot be; the text says what."""


class TapServer:
    """Serves a session to viewers who connect to an inherited socket."""

    def __init__(self, config: TapConfig, session: Session, listener: socket.socket) -> None:
        self._config = config
        self._session = session
        self._listener = listener
        self._idle = asyncio.Event()
        self._connections = Connections("tap", self._answer, _forbid, self._idle.set)

    async def run(self) -> None:
        """Serve until nobody has been connected for `IDLE_S`."""
        config = self._config
        tls = server_tls(Path(config.cert), Path(config.key), Path(config.ca))
        server = await asyncio.start_server(
            self._connections.accept, sock=self._listener, ssl=tls, limit=MAX_HEAD_BYTES
        )
        session = asyncio.create_task(self._session.run(), name="tap session")
        idle = asyncio.create_task(self._wait_idle(), name="tap idle")
        try:
            await asyncio.wait({session, idle}, return_when=asyncio.FIRST_COMPLETED)
            if session.done():
                session.result()
        finally:
            server.close()
            for task in (session, idle):
                task.cancel()
            await self._connections.close()
            await asyncio.gather(session, idle, return_exceptions=True)

    async def _wait_idle(self) -> None:
        while True:
            self._idle.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), IDLE_S)
                continue
            if not self._connections:
                return

    async def _answer(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            path, query = _target(head)
            match path:
                case "/healthz":
                    _respond(writer, 200, {"status": "ok"})
                case "/v1/status":
                    _respond(writer, 200, self._session.status())
                case "/v1/entries":
                    await self._entries(query, reader, writer)
                case "/v1/packets":
                    await self._packets(query, reader, writer)
                case _:
                    _respond(writer, 404, {"message": f"there is no {path}"})
        except BadQuery as error:
            _respond(writer, 400, {"message": str(error)})

    async def _entries(
        self, query: Query, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        viewer = EntryViewer(
            _matcher(query.get("filter", [""])[0]),
            probes=_flag(query, "probes", False),
            redact=_flag(query, "redact", True),
        )
        async with self._session.viewing(viewer):
            await _stream(viewer.outbox, "application/x-ndjson", reader, writer)

    async def _packets(
        self, query: Query, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        from pilotfish.cel.regex import RegexError

        try:
            viewer = PacketViewer(query.get("namespace", [""])[0], query.get("name", []))
        except RegexError as error:
            raise BadQuery(str(error)) from error
        async with self._session.viewing(viewer):
            await _stream(viewer.outbox, "application/x-pcapng", reader, writer)


def _target(head: bytes) -> tuple[str, Query]:
    """Path and query of a request."""
    try:
        method, target, _ = head.split(b"\r\n", 1)[0].decode("ascii").split(" ")
    except ValueError as error:
        raise BadQuery("the request line cannot be read") from error
    if method != "GET":
        raise BadQuery(f"{method} is not served: only GET is")
    url = urlsplit(target)
    return url.path, parse_qs(url.query, keep_blank_values=True)


def _matcher(text: str) -> Callable[[Entry], bool]:
    try:
        return compile_filter(text).matches
    except FilterError as error:
        raise BadQuery(str(error)) from error


def _flag(query: Query, name: str, default: bool) -> bool:
    text = query.get(name, [str(default)])[0].lower()
    if text not in ("true", "false"):
        raise BadQuery(f"{name} is true or false, not {text!r}")
    return text == "true"


def _forbid(writer: asyncio.StreamWriter) -> None:
    _respond(writer, 403, {"message": "only members of system:masters may view traffic"})


def _respond(writer: asyncio.StreamWriter, code: int, content: Mapping[str, Any]) -> None:
    body = orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE)
    writer.write(
        f"HTTP/1.1 {code} {_REASONS[code]}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
        + body
    )


async def _stream(
    outbox: Outbox, media_type: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Send what is put into the outbox, until the viewer goes."""
    writer.write(
        f"HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\n"
        "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n".encode()
    )
    sending = asyncio.create_task(_send(outbox, writer))
    gone = asyncio.create_task(reader.read())
    try:
        await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
        if sending.done():
            sending.result()
    finally:
        for task in (sending, gone):
            task.cancel()
        await asyncio.gather(sending, gone, return_exceptions=True)


async def _send(outbox: Outbox, writer: asyncio.StreamWriter) -> None:
    async for batch in outbox.batches():
        writer.write(f"{len(batch):x}\r\n".encode() + batch + b"\r\n")
        await writer.drain()
