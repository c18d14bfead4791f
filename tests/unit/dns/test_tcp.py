"""The TCP server's end."""

from __future__ import annotations

import asyncio
import logging
from typing import cast

import pytest

from pilotfish.dns.answers import Answerer
from pilotfish.dns.forwarder import Forwarder
from pilotfish.dns.tcp import TcpServer


async def test_a_stop_with_open_connections_writes_no_trace_to_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = TcpServer(cast("Answerer", None), cast("Forwarder", None))
    await server.start("127.0.0.1", 0)
    assert server._server is not None
    address, port = server._server.sockets[0].getsockname()
    reader, writer = await asyncio.open_connection(address, port)
    while not server._connections:  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    with caplog.at_level(logging.WARNING):
        await server.close()
        assert await reader.read() == b""
        await asyncio.sleep(0)
    assert caplog.records == []
    writer.close()
