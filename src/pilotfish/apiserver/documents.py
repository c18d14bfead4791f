"""Documents: what takes long to make and is asked for often, made once, beside the event loop.

A document is known by its digest. It is made when somebody asks for it, in a thread, so that
other requests are answered meanwhile; requests at the same time wait for the same one. As many
are remembered as fit. Clients that have it already are told so (RFC 9110, 13.1.2).
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from aiohttp import web

_MOST_BYTES: Final = 64 << 20


class Documents:
    """Documents by their digests."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._made: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0
        self._under_way: dict[str, asyncio.Future[bytes]] = {}

    async def answer(
        self, request: web.BaseRequest, digest: str, media_type: str, make: Callable[[], bytes]
    ) -> web.Response:
        """The document, or 304 for a client that has it.

        Args:
            digest: of what the document is made from, and of its form.
            make: makes it; called in a thread, so it may look at nothing that changes.
        """
        if is_known(request, digest):
            return unchanged(digest)
        return document(await self.get(digest, make), digest, media_type)

    async def get(self, digest: str, make: Callable[[], bytes]) -> bytes:
        """The document; `make` as for `answer`."""
        found = self._made.get(digest)
        if found is not None:
            self._made.move_to_end(digest)
            return found
        under_way = self._under_way.get(digest)
        if under_way is None:
            under_way = asyncio.ensure_future(self._make(digest, make))
            self._under_way[digest] = under_way
        # A client that leaves does not cancel it for the others.
        return await asyncio.shield(under_way)

    async def _make(self, digest: str, make: Callable[[], bytes]) -> bytes:
        try:
            made = await asyncio.to_thread(make)
        finally:
            del self._under_way[digest]
        self._made[digest] = made
        self._bytes += len(made)
        while self._bytes > self._most_bytes:
            _, oldest = self._made.popitem(last=False)
            self._bytes -= len(oldest)
        return made


def is_known(request: web.BaseRequest, digest: str) -> bool:
    """Whether the client says that it has the document."""
    known = request.headers.get("If-None-Match", "")
    return f'"{digest}"' in (each.strip().removeprefix("W/") for each in known.split(","))


def unchanged(digest: str) -> web.Response:
    """The answer to a client that has the document."""
    return web.Response(status=304, headers={"ETag": f'"{digest}"', "Vary": "Accept"})


def document(body: bytes, digest: str, media_type: str) -> web.Response:
    """The answer to one that has not."""
    headers = {"Content-Type": media_type, "ETag": f'"{digest}"', "Vary": "Accept"}
    return web.Response(body=body, headers=headers)
