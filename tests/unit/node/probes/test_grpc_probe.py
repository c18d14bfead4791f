"""gRPC probes, against the gRPC project's own server."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import grpc
import pytest
import pytest_asyncio

from pilotfish.node.probes.grpc import probe_grpc

Method = Callable[[bytes, grpc.aio.ServicerContext], Awaitable[bytes]]
SERVING, NOT_SERVING = b"\x08\x01", b"\x08\x02"


async def check(request: bytes, context: grpc.aio.ServicerContext) -> bytes:
    """HealthCheckRequest and -Response, by hand: the service "ill" is, "nobody" is unknown."""
    if request == b"\x0a\x03ill":
        return NOT_SERVING
    if request == b"\x0a\x05empty":
        return b""
    if request == b"\x0a\x06nobody":
        await context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
    if request == b"\x0a\x04slow":
        await asyncio.sleep(60)
    return SERVING


async def served(method: str, behaviour: Method) -> AsyncIterator[int]:
    server = grpc.aio.server()
    handler = grpc.unary_unary_rpc_method_handler(behaviour)
    service = grpc.method_handlers_generic_handler("grpc.health.v1.Health", {method: handler})
    server.add_generic_rpc_handlers((service,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield port
    await server.stop(None)


@pytest_asyncio.fixture
async def healthy() -> AsyncIterator[int]:
    async for port in served("Check", check):
        yield port


@pytest.mark.parametrize(
    ("service", "output"),
    [
        ("", ""),
        ("web", ""),
        ("ill", 'service unhealthy (responded with "NOT_SERVING")'),
        ("empty", 'service unhealthy (responded with "UNKNOWN")'),
        ("nobody", "error: health rpc probe failed: code 5: unknown service"),
        ("x" * 300, ""),
    ],
)
async def test_a_server_says_how_a_service_fares(healthy: int, service: str, output: str) -> None:
    result = await probe_grpc("127.0.0.1", healthy, service, 20)
    assert (result.success, result.output, result.errored) == (not output, output, False)


async def test_a_server_without_the_protocol_fails() -> None:
    async for port in served("Other", check):
        result = await probe_grpc("127.0.0.1", port, "", 20)
        assert not result.success
        assert "does not implement the grpc health protocol" in result.output


async def test_a_server_that_does_not_answer_in_time_fails(healthy: int) -> None:
    result = await probe_grpc("127.0.0.1", healthy, "slow", 0.2)
    assert not result.success
    assert result.output == "timeout: health rpc did not complete within 0.2s"


async def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and not listening
        result = await probe_grpc("127.0.0.1", taken.getsockname()[1], "", 20)
    assert not result.success
    assert result.output.startswith("error: failed to connect service at")


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", b"\x00" * 100, b"\xff" * 100_000]
)
async def test_a_server_that_speaks_something_else_fails(answer: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        result = await probe_grpc("127.0.0.1", port, "", 20)
    assert not result.success
    assert result.output.startswith("error: health rpc probe failed: ")
