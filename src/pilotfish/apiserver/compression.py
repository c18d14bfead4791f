"""Compression: large answers as gzip, to clients that take it.

kube-apiserver's rule: from 128 KiB on, at the fastest level. Below that it costs more than it
saves, and so it does for who is on the same machine and says nothing of gzip.
"""

from __future__ import annotations

import asyncio
import zlib
from typing import Final

from aiohttp import web

_LEAST_BYTES: Final = 128 * 1024
_LEVEL: Final = 1
# zlib writes gzip's frame instead of its own when 16 is added to the window's size.
_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS


def is_worth_it(request: web.BaseRequest, response: web.StreamResponse) -> bool:
    """Whether a response has a large body and the client accepts gzip."""
    if not isinstance(response, web.Response):
        return False
    body = response.body
    return (
        isinstance(body, bytes)
        and len(body) >= _LEAST_BYTES
        and response.status == 200
        and accepts_gzip(request.headers.get("Accept-Encoding", ""))
    )


async def compress(response: web.StreamResponse) -> None:
    """Compress the body of a response that is worth it."""
    assert isinstance(response, web.Response)
    body = response.body
    assert isinstance(body, bytes)
    # zlib lets go of the interpreter: other requests are answered meanwhile.
    response.body = await asyncio.get_running_loop().run_in_executor(None, _gzip, body)
    response.headers["Content-Encoding"] = "gzip"
    response.headers.add("Vary", "Accept-Encoding")


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether an Accept-Encoding header names gzip, and not with weight 0 (RFC 9110, 12.5.3)."""
    for choice in accept_encoding.lower().split(","):
        coding, _, weight = choice.partition(";")
        if coding.strip() == "gzip":
            return weight.strip().replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _gzip(body: bytes) -> bytes:
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
    return packer.compress(body) + packer.flush()
