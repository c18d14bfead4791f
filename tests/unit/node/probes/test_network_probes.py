"""HTTP and TCP probes against a server on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from pilotfish.node.probes.http import HttpRequest, http_request, probe_http
from pilotfish.node.probes.tcp import probe_tcp

TIMEOUT_S = 10.0


@asynccontextmanager
async def server(answer: bytes | None) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A port that gives one answer (None: never any), and the requests it saw."""
    requests: list[bytes] = []
    hold = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        if answer is None:
            await hold.wait()
        else:
            writer.write(answer)
        writer.close()

    running = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with running:
        yield running.sockets[0].getsockname()[1], requests
        hold.set()


def request(port: int) -> HttpRequest:
    return HttpRequest("http", "127.0.0.1", port, "/healthz", (("X-Custom", "a"),))


@pytest.mark.parametrize(
    ("status", "success"), [(200, True), (302, True), (399, True), (404, False), (500, False)]
)
async def test_success_is_a_status_below_400(status: int, success: bool) -> None:
    async with server(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status) as (port, requests):
        result = await probe_http(request(port), TIMEOUT_S)
    assert result.success is success
    if not success:
        assert result.output == f"HTTP probe failed with statuscode: {status}"
    assert requests[0].startswith(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"X-Custom: a\r\n" in requests[0]
    assert b"User-Agent: kube-probe/" in requests[0]


async def test_garbage_is_a_failure_not_an_error() -> None:
    async with server(b"SSH-2.0-x\r\n") as (port, _requests):
        result = await probe_http(request(port), TIMEOUT_S)
    assert not result.success
    assert "malformed HTTP response" in result.output


async def test_a_server_that_does_not_answer_runs_into_the_timeout() -> None:
    async with server(None) as (port, _requests):
        result = await probe_http(request(port), timeout_s=0.05)
    assert "context deadline exceeded" in result.output


async def test_a_refused_connection_is_said_as_go_says_it() -> None:
    async with server(b"") as (port, _requests):
        pass
    refused = f"dial tcp 127.0.0.1:{port}: connect: connection refused"
    assert (await probe_http(request(port), TIMEOUT_S)).output == (
        f'Get "http://127.0.0.1:{port}/healthz": {refused}'
    )
    assert (await probe_tcp("127.0.0.1", port, TIMEOUT_S)).output == refused


async def test_a_tcp_probe_only_connects() -> None:
    async with server(None) as (port, _requests):
        assert (await probe_tcp("127.0.0.1", port, TIMEOUT_S)).success


def test_a_port_may_be_named() -> None:
    container = {"name": "c", "ports": [{"name": "web", "containerPort": 8080}]}
    action = {"port": "web", "path": "ok", "scheme": "HTTPS"}
    assert http_request(container, action, "10.244.0.5").url == "https://10.244.0.5:8080/ok"
    with pytest.raises(ValueError, match="couldn't find port: nope"):
        http_request(container, {"port": "nope"}, "10.244.0.5")
