"""Requests that change the protocol of their connection: after the backend's 101, plain bytes.

What the bytes mean (SPDY, WebSocket) is the business of the two ends. TLS towards the client
cannot be closed in one direction, so the end of either side is the end of both; what has been
read by then is still written.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from dataclasses import dataclass

from aiohttp import web

from pilotfish.apiserver.connect.hijack import HijackedConnection
from pilotfish.apiserver.connect.upgrade_head import (
    HOP_BY_HOP,
    AnswerHead,
    BadAnswer,
    parse_answer,
    upgrade_request,
)
from pilotfish.apiserver.errors import StatusError
from pilotfish.objects.numbers import whole_number

log = logging.getLogger(__name__)

_READ_BYTES = 64 * 1024
_DIAL_TIMEOUT_S = 30.0
# The text of a refusal, which goes on to the client.
_MAX_REFUSAL_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where to ask for the upgrade. `target` is path and query, `tls` None for plain TCP."""

    host: str
    port: int
    target: str
    host_header: str
    tls: ssl.SSLContext | None


async def tunnel(request: web.BaseRequest, upstream: Upstream) -> web.StreamResponse:
    """Asks the upstream for the upgrade and passes bytes until one end closes.

    An upstream that refuses is quoted to the client.

    Raises:
        StatusError: 500, when the upstream cannot be reached or understood.
    """
    try:
        async with asyncio.timeout(_DIAL_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(
                upstream.host, upstream.port, ssl=upstream.tls
            )
    except (OSError, TimeoutError) as error:
        raise _unreachable(error, upstream) from error
    try:
        head = await _ask(request, upstream, reader, writer)
        if head.status != 101:
            return await _refused(head, reader)
        return await _switch(request, head, reader, writer)
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, BadAnswer) as error:
        raise _unreachable(error, upstream) from error
    finally:
        writer.close()


def _unreachable(error: Exception, upstream: Upstream) -> StatusError:
    reason = str(error) or type(error).__name__
    message = f"error dialing backend: dial tcp {upstream.host}:{upstream.port}: {reason}"
    return StatusError(500, "InternalError", message)


async def _ask(
    request: web.BaseRequest,
    upstream: Upstream,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> AnswerHead:
    wanted = request.headers["Upgrade"]
    headers = request.headers.items()
    writer.write(
        upgrade_request(request.method, upstream.target, upstream.host_header, wanted, headers)
    )
    await writer.drain()
    return parse_answer(await reader.readuntil(b"\r\n\r\n"))


async def _refused(head: AnswerHead, reader: asyncio.StreamReader) -> web.Response:
    length = head.header("content-length")
    told = whole_number(length)
    wanted = min(told, _MAX_REFUSAL_BYTES) if told is not None else _MAX_REFUSAL_BYTES
    body = b""
    while len(body) < wanted and (piece := await reader.read(wanted - len(body))):
        body += piece
    content_type = head.header("content-type").partition(";")[0] or "text/plain"
    return web.Response(status=head.status, body=body, content_type=content_type)


async def _switch(
    request: web.BaseRequest,
    head: AnswerHead,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> web.StreamResponse:
    client = HijackedConnection(request)
    response = web.StreamResponse(status=101)
    for name, value in head.headers:
        if name.lower() not in HOP_BY_HOP:
            response.headers.add(name, value)
    response.headers["Connection"] = "Upgrade"
    response.headers["Upgrade"] = head.header("upgrade")
    response.force_close()
    await response.prepare(request)
    directions = [
        asyncio.create_task(_to_client(reader, response)),
        asyncio.create_task(_to_upstream(client, writer)),
    ]
    try:
        await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in directions:
            task.cancel()
        results = await asyncio.gather(*directions, return_exceptions=True)
    for result in results:
        if isinstance(result, ConnectionError):
            log.debug("a tunnel to %s was cut: %s", request.path, result)
        elif isinstance(result, Exception):
            raise result
    return response


async def _to_client(reader: asyncio.StreamReader, response: web.StreamResponse) -> None:
    while data := await reader.read(_READ_BYTES):
        await response.write(data)


async def _to_upstream(client: HijackedConnection, writer: asyncio.StreamWriter) -> None:
    while data := await client.read():
        writer.write(data)
        await writer.drain()
