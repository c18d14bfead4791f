"""kubectl logs, through the API server and the kubelet's server."""

from __future__ import annotations

import asyncio
import base64

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from .conftest import TIMEOUT_S, Streams


async def test_the_log_ends_where_the_container_is(streams: Streams) -> None:
    streams.runtime.logs["default/app/main"] = [b"one\n", b"two\n", b"three\n"]
    assert await streams.kubectl("logs", "app") == (0, "one\ntwo\nthree\n", "")
    assert await streams.kubectl("logs", "app", "--tail=1") == (0, "three\n", "")


async def test_a_long_log_arrives_whole(streams: Streams) -> None:
    lines = [b"%06d %s\n" % (number, b"x" * 90) for number in range(30_000)]
    streams.runtime.logs["default/app/main"] = lines
    code, output, _ = await streams.kubectl("logs", "app")
    assert code == 0
    assert output.encode() == b"".join(lines)


async def test_followed_logs_come_as_they_are_written_and_end_with_the_client(
    streams: Streams,
) -> None:
    runtime = streams.runtime
    runtime.logs["default/app/main"] = [b"before\n"]
    kubectl = await streams.start_kubectl("logs", "-f", "app")
    assert kubectl.stdout
    async with asyncio.timeout(TIMEOUT_S):
        assert await kubectl.stdout.readline() == b"before\n"
        for line in (b"first\n", b"second\n"):
            runtime.logs["default/app/main"].append(line)
            runtime.log_grew.set()
            assert await kubectl.stdout.readline() == line
        assert not runtime.no_log_readers.is_set()
        kubectl.kill()
        await runtime.no_log_readers.wait()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            ("pair",),
            "a container name must be specified for pod pair, choose one of: [left right stopped]",
        ),
        (("pair", "-c", "nobody"), "container nobody is not valid for pod pair"),
        (
            ("pair", "-c", "stopped"),
            'container "stopped" in pod "pair" is waiting to start: PodInitializing',
        ),
    ],
)
async def test_logs_that_are_not_there_say_why(
    streams: Streams, arguments: tuple[str, ...], complaint: str
) -> None:
    # Asked for as the API does: newer kubectls choose a container by themselves.
    pod, container = arguments[0], arguments[-1] if len(arguments) > 1 else ""
    query = f"?container={container}" if container else ""
    path = f"/api/v1/namespaces/default/pods/{pod}/log{query}"
    code, _, errors = await streams.kubectl("get", "--raw", path)
    assert code == 1
    assert complaint in errors


async def test_log_options_that_make_no_sense_are_refused(streams: Streams) -> None:
    path = "/api/v1/namespaces/default/pods/app/log?tailLines=-1"
    code, _, errors = await streams.kubectl("get", "--raw", path)
    assert code == 1
    assert "tailLines: Invalid value: -1: must be greater than or equal to 0" in errors


@pytest.mark.parametrize("protocol", ["", "binary.k8s.io", "base64.binary.k8s.io"])
async def test_a_log_comes_over_websocket_as_well(streams: Streams, protocol: str) -> None:
    streams.runtime.logs["default/app/main"] = [b"one\n", b"tw\xff\n"]
    url = streams.server.url.replace("https:", "wss:")
    path = "/api/v1/namespaces/default/pods/app/log"
    offered = [Subprotocol(protocol)] if protocol else None
    tls = streams.server.client_config().ssl_context()
    async with (
        asyncio.timeout(TIMEOUT_S),
        connect(url + path, ssl=tls, subprotocols=offered) as socket,
    ):
        assert (socket.subprotocol or "") == protocol
        messages = [message async for message in socket]
    if protocol.startswith("base64"):
        assert all(isinstance(message, str) for message in messages)
        messages = [base64.b64decode(message) for message in messages]
    assert messages[0] == b""
    assert b"".join(message for message in messages if isinstance(message, bytes)) == (
        b"one\ntw\xff\n"
    )


async def test_a_client_that_closes_its_websocket_ends_the_log(streams: Streams) -> None:
    runtime = streams.runtime
    runtime.logs["default/app/main"] = [b"before\n"]
    url = streams.server.url.replace("https:", "wss:")
    path = "/api/v1/namespaces/default/pods/app/log?follow=true"
    tls = streams.server.client_config().ssl_context()
    async with asyncio.timeout(TIMEOUT_S):
        async with connect(url + path, ssl=tls) as socket:
            assert await socket.recv() == b""
            assert await socket.recv() == b"before\n"
        await runtime.no_log_readers.wait()
