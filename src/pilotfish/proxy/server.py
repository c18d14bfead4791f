"""The proxy's HTTPS server on its node: what the kernel holds, and how the proxy does.

    GET /healthz      as long as the proxy runs
    GET /metrics      under kube-proxy's names
    GET /v1/tables    what the kernel holds now (see `table_list`): {"node": …, "fronts": […]}

On kube-proxy's metrics port. Who asks comes through the API server's node proxy.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable

import orjson

from pilotfish.client.connections import MAX_HEAD_BYTES, Connections
from pilotfish.client.exposition import MEDIA_TYPE
from pilotfish.proxy import kernel_reader, table_list
from pilotfish.proxy.nfnetlink import NetfilterSocket
from pilotfish.proxy.table_list import FrontRow, Written

log = logging.getLogger(__name__)

PORT = 10249
_PAUSE_S = 1.0
# What the proxy is writing at this moment is no drift.
_SETTLE_S = 0.1
_REASONS = {
    200: "OK",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    500: "Internal Server Error",
}


class ProxyServer:
    """Serves in the network namespace of the caller, until cancelled."""

    def __init__(
        self,
        node_name: str,
        written: Callable[[], Written],
        metrics: Callable[[], str],
        tls: ssl.SSLContext,
        address: str,
        port: int = PORT,
    ) -> None:
        """Prepare to serve.

        Args:
            node_name: the node's.
            written: what the proxy has written into the kernel last.
            metrics: the proxy's, as text.
        """
        self._node_name = node_name
        self._written = written
        self._metrics = metrics
        self._tls = tls
        self._address = address
        self._port = port
        self._connections = Connections("proxy", self._answer, _forbid)
        self._reading = asyncio.Lock()
        self.listening = asyncio.Event()

    @property
    def port(self) -> int:
        """The port, also when 0 was asked for; known once `listening` is set."""
        return self._port

    async def run(self) -> None:
        """Serve; where the address cannot be had, try again."""
        server = await self._listen()
        self._port = server.sockets[0].getsockname()[1]
        self.listening.set()
        log.info("proxy serves on %s:%d", self._address, self._port)
        try:
            await asyncio.Event().wait()
        finally:
            server.close()
            await self._connections.close()

    async def _listen(self) -> asyncio.Server:
        while True:
            try:
                return await asyncio.start_server(
                    self._connections.accept,
                    self._address,
                    self._port,
                    ssl=self._tls,
                    limit=MAX_HEAD_BYTES,
                )
            except OSError as error:
                # Services work without it: nothing else on the node shall suffer.
                log.warning("the proxy cannot serve on %s:%d: %s", self._address, self._port, error)
                await asyncio.sleep(_PAUSE_S)

    async def _answer(
        self, head: bytes, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        match head.split(b"\r\n", 1)[0].split(b" "):
            case [b"GET", b"/healthz", _]:
                _respond(writer, 200, b"ok")
            case [b"GET", b"/metrics", _]:
                _respond(writer, 200, self._metrics().encode(), MEDIA_TYPE)
            case [b"GET", b"/v1/tables", _]:
                await self._tables(writer)
            case [b"GET", _, _]:
                _respond(writer, 404, b"404 page not found\n")
            case _:
                _respond(writer, 400, b"only GET is served\n")
        await writer.drain()

    async def _tables(self, writer: asyncio.StreamWriter) -> None:
        async with self._reading:
            try:
                rows = await self._rows()
            except OSError as error:
                log.warning("the kernel's tables cannot be read: %s", error)
                _respond(writer, 500, f"the kernel's tables cannot be read: {error}\n".encode())
                return
        body = orjson.dumps({"node": self._node_name, "fronts": rows})
        _respond(writer, 200, body, "application/json")

    async def _rows(self) -> list[FrontRow]:
        netfilter = NetfilterSocket()
        try:
            rows = await self._read(netfilter)
            if table_list.has_drift(rows):
                await asyncio.sleep(_SETTLE_S)
                rows = await self._read(netfilter)
            return rows
        finally:
            netfilter.close()

    async def _read(self, netfilter: NetfilterSocket) -> list[FrontRow]:
        held = await asyncio.to_thread(kernel_reader.read, netfilter)
        return table_list.rows(held.fronts, self._written())


def _forbid(writer: asyncio.StreamWriter) -> None:
    _respond(writer, 403, b"only members of system:masters may look into the kernel's tables\n")


def _respond(
    writer: asyncio.StreamWriter, code: int, body: bytes, media_type: str = "text/plain"
) -> None:
    writer.write(
        f"HTTP/1.1 {code} {_REASONS[code]}\r\nContent-Type: {media_type}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
        + body
    )
