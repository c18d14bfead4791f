"""kubectl port-forward into a network namespace of its own."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import pytest

from pilotfish.network import namespaces

from .conftest import TIMEOUT_S, Streams

PORT = 8080
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture
def pod_netns() -> Iterator[str]:
    name = f"t-e-{os.getpid()}"
    namespaces.create(name)
    subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
    yield namespaces.path(name)
    namespaces.delete(name)


@asynccontextmanager
async def pod_serves(netns: str, serve: Serve, host: str = "127.0.0.1") -> AsyncIterator[None]:
    """A server inside the Pod."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with namespaces.inside(netns):
        listener = socket.create_server((host, PORT), family=family)
    async with await asyncio.start_server(serve, sock=listener):
        yield


@asynccontextmanager
async def forwarded(streams: Streams, target: str = "pod/app") -> AsyncIterator[int]:
    """The local port of a kubectl port-forward."""
    kubectl = await streams.start_kubectl("port-forward", target, f":{PORT}")
    assert kubectl.stdout
    async with asyncio.timeout(TIMEOUT_S):
        line = (await kubectl.stdout.readline()).decode()
    found = re.search(r"127\.0\.0\.1:(\d+) ->", line)
    assert found, line
    yield int(found[1])


async def ask(port: int, text: bytes) -> bytes:
    """Sends, ends its half, and reads to the end."""
    async with asyncio.timeout(TIMEOUT_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(text)
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        return answer


async def upper(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers when the client has ended its half: so the half-close must arrive."""
    writer.write((await reader.read()).upper())
    await writer.drain()
    writer.close()


async def test_connections_reach_localhost_of_the_pod(streams: Streams, pod_netns: str) -> None:
    async with pod_serves(pod_netns, upper), forwarded(streams) as port:
        assert await ask(port, b"hello") == b"HELLO"
        assert await ask(port, b"again") == b"AGAIN"


async def test_a_server_on_ipv6_localhost_is_found(streams: Streams, pod_netns: str) -> None:
    async with pod_serves(pod_netns, upper, "::1"), forwarded(streams) as port:
        assert await ask(port, b"six") == b"SIX"


async def test_many_connections_at_once_do_not_mix(streams: Streams, pod_netns: str) -> None:
    texts = [b"%d " % number * 5000 for number in range(40)]
    async with pod_serves(pod_netns, upper), forwarded(streams) as port:
        answers = await asyncio.gather(*(ask(port, text) for text in texts))
    assert answers == [text.upper() for text in texts]


async def test_megabytes_come_back_unchanged(streams: Streams, pod_netns: str) -> None:
    text = b"0123456789abcdef" * (1 << 18)
    async with pod_serves(pod_netns, upper), forwarded(streams) as port:
        assert await ask(port, text) == text.upper()


async def test_a_pod_that_speaks_first_and_leaves_is_heard_to_the_end(
    streams: Streams, pod_netns: str
) -> None:
    async def banner(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready\r\n")
        await writer.drain()
        writer.close()

    async with pod_serves(pod_netns, banner), forwarded(streams) as port:
        assert await ask(port, b"") == b"220 ready\r\n"


async def test_a_service_forwards_to_its_pod(streams: Streams, pod_netns: str) -> None:
    label = await streams.kubectl("label", "pod", "app", "app=it")
    assert label[0] == 0, label
    created = await streams.kubectl("create", "service", "clusterip", "it", f"--tcp=80:{PORT}")
    assert created[0] == 0, created
    async with pod_serves(pod_netns, upper):
        kubectl = await streams.start_kubectl("port-forward", "service/it", ":80")
        assert kubectl.stdout
        async with asyncio.timeout(TIMEOUT_S):
            line = (await kubectl.stdout.readline()).decode()
        found = re.search(r"127\.0\.0\.1:(\d+) -> 8080", line)
        assert found, line
        assert await ask(int(found[1]), b"through a service") == b"THROUGH A SERVICE"


async def test_a_port_where_nobody_listens_is_named(streams: Streams) -> None:
    kubectl = await streams.start_kubectl("port-forward", "pod/app", f":{PORT}")
    assert kubectl.stdout and kubectl.stderr
    async with asyncio.timeout(TIMEOUT_S):
        line = (await kubectl.stdout.readline()).decode()
        found = re.search(r"127\.0\.0\.1:(\d+) ->", line)
        assert found
        assert await ask(int(found[1]), b"anyone?") == b""
        complaint = (await kubectl.stderr.readuntil(b"\n")).decode()
    assert f"error forwarding port {PORT} to pod app" in complaint
    assert f"127.0.0.1:{PORT}: connect: connection refused" in complaint
