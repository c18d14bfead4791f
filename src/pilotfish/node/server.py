"""The kubelet's HTTPS server: its listener, and who may speak to it.

The API server calls it on a user's behalf, over TLS and with a client certificate of the
cluster's CA; who has none does not get past the handshake. Whoever may speak to it is root in
every container, so beyond that only members of system:masters are answered. One request a
connection, which `streaming.exchange` answers.
"""

from __future__ import annotations

import asyncio
import logging
import ssl

from pilotfish.client.certificates import is_allowed
from pilotfish.node.runtime import Runtime

log = logging.getLogger(__name__)

PORT = 10250
_HEAD_TIMEOUT_S = 30.0
_MAX_HEAD_BYTES = 64 * 1024


class KubeletServer:
    """Serves until cancelled; the client connections end with it."""

    def __init__(
        self, runtime: Runtime, tls: ssl.SSLContext, address: str = "", port: int = PORT
    ) -> None:
        self._runtime = runtime
        self._tls = tls
        self._address = address
        self._port = port
        self._connections: set[asyncio.Task[None]] = set()
        self.listening = asyncio.Event()

    async def run(self) -> None:
        """Raises OSError when the address cannot be had."""
        server = await asyncio.start_server(
            self._connected,
            self._address or None,
            self._port,
            ssl=self._tls,
            limit=_MAX_HEAD_BYTES,
        )
        self._port = server.sockets[0].getsockname()[1]
        self.listening.set()
        log.info("kubelet serves on %s:%d", self._address, self._port)
        try:
            await asyncio.Event().wait()
        finally:
            server.close()
            for task in self._connections:
                task.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)

    @property
    def port(self) -> int:
        """The port, also when 0 was asked for; known once `listening` is set."""
        return self._port

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._answer(reader, writer)
        except ConnectionError as error:
            log.debug("a client of the kubelet has gone: %s", error)
        except Exception:
            log.exception("a request to the kubelet failed")
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_HEAD_TIMEOUT_S):
                head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError) as error:
            log.debug("a connection to the kubelet brought no request: %s", error)
            return
        # Loaded when first needed: a node that starts has nothing to stream yet.
        from pilotfish.node.streaming.exchange import answer, forbid

        if not is_allowed(writer.get_extra_info("peercert")):
            forbid(writer)
            return
        await answer(self._runtime, head, reader, writer)
