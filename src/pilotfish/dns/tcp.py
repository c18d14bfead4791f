"""The TCP side: for replies that are too large for UDP, and for whoever prefers it (RFC 7766)."""

from __future__ import annotations

import asyncio
import logging
import struct

from pilotfish.dns.answers import Answerer, Forward
from pilotfish.dns.forwarder import Forwarder

MAX_CONNECTIONS = 256
IDLE_TIMEOUT_S = 10.0

logger = logging.getLogger(__name__)


class TcpServer:
    """Answers queries on TCP connections, each preceded by its length, one after the other.

    Too many connections: the next one is closed at once. An idle one is closed after a while.
    """

    def __init__(self, answerer: Answerer, forwarder: Forwarder) -> None:
        self._answerer = answerer
        self._forwarder = forwarder
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self, address: str, port: int) -> None:
        """Listen. Raises OSError when the address is not here or the port is taken."""
        self._server = await asyncio.start_server(self._serve, address, port)

    async def close(self) -> None:
        """Stop listening and end all connections."""
        if self._server is not None:
            self._server.close()
            self._server = None
        connections = list(self._connections)
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._connections) >= MAX_CONNECTIONS:
            logger.warning("more than %d TCP connections: closing the next", MAX_CONNECTIONS)
            writer.close()
            return
        self._connections.add(task)
        try:
            while await self._exchange(reader, writer):
                pass
        except (TimeoutError, asyncio.IncompleteReadError, OSError) as error:
            logger.debug("a TCP connection ended: %s", error or type(error).__name__)
        except asyncio.CancelledError:
            # Nobody waits for this task but asyncio's streams, and those of Python 3.11 write a
            # traceback to the log for one that ends as cancelled.
            logger.debug("a TCP connection was ended: the server stops")
        finally:
            self._connections.discard(task)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One query and its reply; False when the connection must end."""
        async with asyncio.timeout(IDLE_TIMEOUT_S):
            (length,) = struct.unpack("!H", await reader.readexactly(2))
            packet = await reader.readexactly(length)
            reply = self._answerer.answer(packet, stream=True)
            if isinstance(reply, Forward):
                coming: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

                def arrived(packet: bytes) -> None:
                    if not coming.done():
                        coming.set_result(packet)

                self._forwarder.submit(reply, arrived)
                reply = await coming
            if reply is None:
                return False
            writer.write(struct.pack("!H", len(reply)) + reply)
            await writer.drain()
            return True
