"""Plain HTTP requests passed on: the body goes up and the answer comes down as they flow."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import hdrs, web
from multidict import CIMultiDict
from yarl import URL

from pilotfish.apiserver.connect.hijack import HijackedConnection
from pilotfish.apiserver.connect.upgrade_head import HOP_BY_HOP, NOT_FORWARDED

log = logging.getLogger(__name__)

_READ_BYTES = 64 * 1024
_CONNECT_TIMEOUT_S = 30.0

RewriteLocation = Callable[[str], str]


class Unreachable(Exception):
    """The backend did not answer; the message says why."""


async def pass_on(
    request: web.BaseRequest,
    url: URL,
    tls: ssl.SSLContext | None = None,
    rewrite_location: RewriteLocation = str,
) -> web.StreamResponse:
    """Sends the request, with its method, headers and body, to `url` and streams the answer.

    Raises Unreachable when there is none.
    """
    headers = CIMultiDict(
        (name, value)
        for name, value in request.headers.items()
        if name.lower() not in NOT_FORWARDED
    )
    headers[hdrs.HOST] = request.host
    body = request.content if request.body_exists else None
    async with _ask(request.method, url, headers, body, tls) as answer:
        return await stream_down(request, answer, rewrite_location)


@asynccontextmanager
async def get(url: URL, tls: ssl.SSLContext) -> AsyncIterator[aiohttp.ClientResponse]:
    """The answer to a request of our own. Raises Unreachable."""
    async with _ask("GET", url, CIMultiDict(), None, tls) as answer:
        yield answer


@asynccontextmanager
async def _ask(
    method: str,
    url: URL,
    headers: CIMultiDict[str],
    body: aiohttp.StreamReader | None,
    tls: ssl.SSLContext | None,
) -> AsyncIterator[aiohttp.ClientResponse]:
    # A session for each request: they are rare, and so nothing outlives them.
    async with aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_TIMEOUT_S),
        auto_decompress=False,
        skip_auto_headers=(hdrs.USER_AGENT, hdrs.ACCEPT, hdrs.ACCEPT_ENCODING),
    ) as session:
        try:
            answer = await session.request(
                method,
                url,
                headers=headers,
                data=body,
                allow_redirects=False,
                ssl=tls if tls is not None else True,
            )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unreachable(_reason(error, url)) from error
        yield answer


async def stream_down(
    request: web.BaseRequest,
    answer: aiohttp.ClientResponse,
    rewrite_location: RewriteLocation = str,
) -> web.StreamResponse:
    """Sends an answer on as it comes, until it ends or the client goes."""
    response = web.StreamResponse(status=answer.status, reason=answer.reason)
    for name, value in answer.headers.items():
        if name.lower() not in HOP_BY_HOP:
            response.headers.add(name, value)
    if location := answer.headers.get(hdrs.LOCATION):
        response.headers[hdrs.LOCATION] = rewrite_location(location)
    # Whether the client is still there shows on its connection, which so is of no more use.
    client = HijackedConnection(request)
    response.force_close()
    await response.prepare(request)
    sending = asyncio.create_task(_send(answer, response))
    gone = asyncio.create_task(client.gone())
    try:
        await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
        if sending.done():
            sending.result()
    except (aiohttp.ClientError, ConnectionError) as error:
        # The head is out: all that is left to say it with is the connection's end.
        log.info("the answer to %s %s broke off: %s", request.method, request.path, error)
        if request.transport is not None:
            request.transport.abort()
    finally:
        for task in (sending, gone):
            task.cancel()
        await asyncio.gather(sending, gone, return_exceptions=True)
    return response


async def _send(answer: aiohttp.ClientResponse, response: web.StreamResponse) -> None:
    async for data in answer.content.iter_chunked(_READ_BYTES):
        await response.write(data)
    await response.write_eof()


def _reason(error: Exception, url: URL) -> str:
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    text = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return f"dial tcp {url.host}:{url.port}: {text}"
