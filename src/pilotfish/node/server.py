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

from pilotfish.client.connections import MAX_HEAD_BYTES, Connections
from pilotfish.node.runtime import Runtime

log = logging.getLogger(__name__)

PORT = 10250


class KubeletServer:
    """Serves until cancelled; the client connections end with it."""

    def __init__(
        self, runtime: Runtime, tls: ssl.SSLContext, address: str = "", port: int = PORT
    ) -> None:
        self._runtime = runtime
        self._tls = tls
        self._address = address
        self._port = port
        self._connections = Connections("kubelet", self._answer, self._forbid)
        self.listening = asyncio.Event()

    async def run(self) -> None:
        """Raises OSError when the address cannot be had."""
        server = await asyncio.start_server(
            self._connections.accept,
            self._address or None,
            self._port,
            ssl=self._tls,
            limit=MAX_HEAD_BYTES,
        )
        self._port = server.sockets[0].getsockname()[1]
        self.listening.set()
        log.info("kubelet serves on %s:%d", self._address, self._port)
        try:
            await asyncio.Event().wait()
        finally:
            server.close()
            await self._connections.close()

    @property
    def port(self) -> int:
        """The port, also when 0 was asked for; known once `listening` is set."""
        return self._port

    async def _answer(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        # Loaded when first needed: a node that starts has nothing to stream yet.
        from pilotfish.node.streaming.exchange import answer

        await answer(self._runtime, head, reader, writer)

    def _forbid(self, writer: asyncio.StreamWriter) -> None:
        from pilotfish.node.streaming.exchange import forbid

        forbid(writer)
