"""Answers over WebSocket: a log in messages of bytes, a watch in a message for each event.

Not every browser can read a plain answer piece by piece, so kube-apiserver serves both ways:
k8s.io/apiserver's `util/wsstream` (logs) and `handlers/watch.go` (watches).
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Coroutine, Mapping
from typing import Final

from aiohttp import WSMsgType, web

# The protocols of a stream of bytes: messages of bytes, which are the default, or of base64 for
# clients that take text alone.
_BYTES, _BASE64 = "binary.k8s.io", "base64.binary.k8s.io"
# A client has nothing to say here; a long message is a mistake.
_MAX_MESSAGE_BYTES: Final = 64 * 1024


def wants_messages(headers: Mapping[str, str]) -> bool:
    """Whether a request asks for its answer over WebSocket (RFC 6455, 4.2.1)."""
    tokens = (token.strip().lower() for token in headers.get("Connection", "").split(","))
    return "upgrade" in tokens and headers.get("Upgrade", "").lower() == "websocket"


async def send_bytes(
    request: web.BaseRequest, pieces: AsyncIterator[bytes]
) -> web.WebSocketResponse:
    """Send a stream of bytes as messages, until it ends or the client goes."""
    socket = web.WebSocketResponse(
        protocols=(_BYTES, _BASE64), compress=False, max_msg_size=_MAX_MESSAGE_BYTES
    )
    await socket.prepare(request)

    async def send() -> None:
        # An empty message first, as kube-apiserver sends it: the stream is open.
        await _send_piece(socket, b"")
        async for piece in pieces:
            await _send_piece(socket, piece)

    await _until_either_ends(socket, send())
    return socket


async def send_lines(
    request: web.BaseRequest, blocks: AsyncIterator[bytes]
) -> web.WebSocketResponse:
    """Send each line of blocks of lines as a message of text, until they end or the client goes."""
    socket = web.WebSocketResponse(compress=False, max_msg_size=_MAX_MESSAGE_BYTES)
    await socket.prepare(request)

    async def send() -> None:
        async for block in blocks:
            for line in block.splitlines():
                await socket.send_str(line.decode())

    await _until_either_ends(socket, send())
    return socket


async def _send_piece(socket: web.WebSocketResponse, piece: bytes) -> None:
    if socket.ws_protocol == _BASE64:
        await socket.send_str(base64.b64encode(piece).decode())
    else:
        await socket.send_bytes(piece)


async def _until_either_ends(
    socket: web.WebSocketResponse, sending: Coroutine[None, None, None]
) -> None:
    sender = asyncio.create_task(sending)
    gone = asyncio.create_task(_gone(socket))
    try:
        await asyncio.wait({sender, gone}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sender, gone):
            task.cancel()
        results = await asyncio.gather(sender, gone, return_exceptions=True)
    await socket.close()
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, ConnectionError):
            raise result


async def _gone(socket: web.WebSocketResponse) -> None:
    """Return when the client has closed; what it sends until then is dropped."""
    while (await socket.receive()).type in (WSMsgType.TEXT, WSMsgType.BINARY):
        pass
