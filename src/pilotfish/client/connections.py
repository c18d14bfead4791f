"""The connections of a server that the API server calls: kubelet, proxy, tap.

Each carries one request, and is of no use afterwards. Who has no certificate of the cluster's CA
does not get past the handshake (`certificates.server_tls`); who is not of the group that may ask
is told so.

    connections = Connections("kubelet", answer, forbid)
    server = await asyncio.start_server(connections.accept, …, ssl=tls, limit=MAX_HEAD_BYTES)
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from pilotfish.client.certificates import is_allowed

log = logging.getLogger(__name__)

MAX_HEAD_BYTES = 64 * 1024
_HEAD_TIMEOUT_S = 10.0

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter


class Connections:
    """The open connections of one server. Falsy while there are none."""

    def __init__(
        self,
        name: str,
        answer: Callable[[bytes, Reader, Writer], Awaitable[None]],
        forbid: Callable[[Writer], None],
        on_end: Callable[[], None] | None = None,
    ) -> None:
        """Prepare to serve.

        Args:
            name: whose connections they are, for the log.
            answer: answers a request of which the head has been read.
            forbid: answers somebody who may not ask.
            on_end: called when a connection has ended.
        """
        self._name = name
        self._answer = answer
        self._forbid = forbid
        self._on_end = on_end
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def accept(self, reader: Reader, writer: Writer) -> None:
        """Serve a connection that has been made: the callback of `asyncio.start_server`."""
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def close(self) -> None:
        """End all of them."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._on_end is not None:
            self._on_end()

    async def _serve(self, reader: Reader, writer: Writer) -> None:
        try:
            await self._converse(reader, writer)
        except ConnectionError as error:
            log.debug("a client of the %s has gone: %s", self._name, error)
        except Exception:
            log.exception("a request to the %s failed", self._name)
        finally:
            writer.close()

    async def _converse(self, reader: Reader, writer: Writer) -> None:
        try:
            async with asyncio.timeout(_HEAD_TIMEOUT_S):
                head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError) as error:
            log.debug("a connection to the %s brought no request: %s", self._name, error)
            return
        if not is_allowed(writer.get_extra_info("peercert")):
            self._forbid(writer)
            return
        await self._answer(head, reader, writer)
