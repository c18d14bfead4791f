"""The kubelet's server spoken to directly: who may, and the protocols of client libraries."""

from __future__ import annotations

import asyncio
import base64
import os
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from aiohttp import WSMsgType

from pilotfish.client.certificates import server_tls
from pilotfish.cluster import pki
from pilotfish.node.server import KubeletServer
from support.local_runtime import LocalRuntime, make_pod


@dataclass
class Kubelet:
    """A served node; `session` shows the API server's certificate."""

    url: str
    session: aiohttp.ClientSession
    certificates: Path


@pytest.fixture
async def kubelet(tmp_path: Path) -> AsyncIterator[Kubelet]:
    pki.write_pki(tmp_path, "cluster.local", ["127.0.0.1"], {"node-1": "127.0.0.1"})
    runtime = LocalRuntime()
    runtime.add_pod(make_pod("app", "main"))
    stem = "kubelet-node-1-serving"
    tls = server_tls(
        pki.cert_file(tmp_path, stem), pki.key_file(tmp_path, stem), pki.cert_file(tmp_path, "ca")
    )
    server = KubeletServer(runtime, tls, "127.0.0.1", 0)
    task = asyncio.create_task(server.run())
    await server.listening.wait()
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=client_tls(tmp_path, tmp_path)),
        timeout=aiohttp.ClientTimeout(total=20),
    ) as session:
        yield Kubelet(f"https://127.0.0.1:{server.port}", session, tmp_path)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    runtime.close()


def client_tls(
    authority: Path, certificates: Path | None, identity: pki.Identity = pki.API_TO_KUBELET
) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(pki.cert_file(authority, "ca")))
    if certificates:
        stem = identity.stem
        context.load_cert_chain(
            str(pki.cert_file(certificates, stem)), str(pki.key_file(certificates, stem))
        )
    return context


async def test_only_clients_of_the_clusters_authority_are_answered(
    kubelet: Kubelet, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async with kubelet.session.get(f"{kubelet.url}/healthz") as answer:
        assert await answer.text() == "ok"
    foreign = tmp_path_factory.mktemp("foreign")
    pki.write_pki(foreign, "cluster.local", ["127.0.0.1"], {})
    for certificates in (None, foreign):
        connector = aiohttp.TCPConnector(ssl=client_tls(kubelet.certificates, certificates))
        async with aiohttp.ClientSession(connector=connector) as session:
            with pytest.raises(aiohttp.ClientError):
                await session.get(f"{kubelet.url}/healthz")


async def test_other_users_of_the_cluster_may_not_ask(kubelet: Kubelet) -> None:
    for identity in (pki.PROXY, pki.node_identity("node-1")):
        tls = client_tls(kubelet.certificates, kubelet.certificates, identity)
        connector = aiohttp.TCPConnector(ssl=tls)
        async with aiohttp.ClientSession(connector=connector) as session:
            answer = await session.get(f"{kubelet.url}/pods")
            assert answer.status == 403


@pytest.mark.parametrize(
    ("path", "code", "text"),
    [
        ("/nothing", 404, "404 page not found\n"),
        ("/containerLogs/default/nobody/main", 404, "pod does not exist"),
        ("/exec/default/app/other?command=ls&output=1", 404, 'container not found ("other")'),
        ("/exec/default/app/main?command=ls", 400, "at least 1 of stdin, stdout, stderr"),
        ("/exec/default/app/main?output=1", 400, "you must specify a command"),
        ("/exec/default/app/main?command=ls&output=1", 400, "missing upgrade headers"),
        ("/containerLogs/default/app/main?tailLines=x", 400, "tailLines: Invalid value"),
    ],
)
async def test_requests_that_cannot_be_served_say_why(
    kubelet: Kubelet, path: str, code: int, text: str
) -> None:
    async with kubelet.session.get(kubelet.url + path) as answer:
        assert answer.status == code
        assert text in await answer.text()


async def test_a_client_of_unknown_protocols_is_told_the_known_ones(kubelet: Kubelet) -> None:
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "SPDY/3.1",
        "X-Stream-Protocol-Version": "v9.channel.k8s.io",
    }
    url = f"{kubelet.url}/exec/default/app/main?command=ls&output=1"
    async with kubelet.session.post(url, headers=headers) as answer:
        assert answer.status == 403
        assert "v4.channel.k8s.io" in await answer.text()


@pytest.mark.parametrize("protocol", ["v4.channel.k8s.io", "channel.k8s.io", None])
async def test_binary_channels(kubelet: Kubelet, protocol: str | None) -> None:
    url = f"{kubelet.url}/exec/default/app/main?command=sh&input=1&output=1&error=1"
    protocols = (protocol,) if protocol else ()
    received: dict[int, bytes] = {}
    async with kubelet.session.ws_connect(url, protocols=protocols) as websocket:
        assert websocket.protocol == protocol
        await websocket.send_bytes(b"\0echo out; echo err >&2; exit 4\n")
        async for message in websocket:
            assert message.type == WSMsgType.BINARY
            received[message.data[0]] = received.get(message.data[0], b"") + message.data[1:]
    assert (received[1], received[2]) == (b"out\n", b"err\n")
    assert b"exit status 4" in received[3]
    assert received[3].startswith(b"{") == (protocol == "v4.channel.k8s.io")


async def test_base64_channels(kubelet: Kubelet) -> None:
    url = f"{kubelet.url}/exec/default/app/main?command=head&command=-1&input=1&output=1"
    output = b""
    async with kubelet.session.ws_connect(url, protocols=("base64.channel.k8s.io",)) as websocket:
        await websocket.send_str("0" + base64.b64encode(b"a line\n").decode())
        async for message in websocket:
            assert message.type == WSMsgType.TEXT
            if message.data[0] == "1":
                output += base64.b64decode(message.data[1:])
    assert output == b"a line\n"


async def test_one_huge_message_is_taken_in_pieces(kubelet: Kubelet) -> None:
    url = f"{kubelet.url}/exec/default/app/main?command=wc&command=-c&input=1&output=1"
    output = b""
    async with kubelet.session.ws_connect(url, protocols=("v5.channel.k8s.io",)) as websocket:
        await websocket.send_bytes(b"\0" + os.urandom(20_000_000))
        await websocket.send_bytes(b"\xff\0")
        async for message in websocket:
            if message.data[0] == 1:
                output += message.data[1:]
    assert output == b"20000000\n"


async def test_port_forward_over_channels(kubelet: Kubelet) -> None:
    async def upper(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.readline()).upper())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(upper, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    closed = 1
    url = f"{kubelet.url}/portForward/default/app?port={port}&port={closed}"
    received: dict[int, bytes] = {}
    async with (
        server,
        kubelet.session.ws_connect(url, protocols=("v4.channel.k8s.io",)) as websocket,
    ):
        await websocket.send_bytes(b"\0hello\n")
        while b"HELLO\n" not in received.get(0, b"") or b"refused" not in received.get(3, b""):
            data = (await websocket.receive(timeout=20)).data
            received[data[0]] = received.get(data[0], b"") + data[1:]
    for channel, number in ((0, port), (1, port), (2, closed), (3, closed)):
        assert received[channel][:2] == number.to_bytes(2, "little")
    assert received[0][2:] == b"HELLO\n"
    assert received[3][2:].startswith(b"error forwarding port 1 to pod app, uid uid-of-app: ")
