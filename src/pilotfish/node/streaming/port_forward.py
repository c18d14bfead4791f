"""port-forward: connections into a Pod's network namespace over a client's streams.

Over SPDY the client opens two streams for every connection, with the headers `streamtype`
(error, data), `port` and `requestid` that pairs them; over WebSocket channels every port of
the query has one connection, on channels 2i and 2i+1, each begun by the server with the port
as two little-endian bytes. Source: the kubelet's portforward server.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass

from pilotfish.network import namespaces
from pilotfish.node.streaming.channel_connection import ChannelConnection
from pilotfish.node.streaming.channels import ChannelProtocol
from pilotfish.node.streaming.http1 import BadRequest, Request
from pilotfish.node.streaming.spdy_connection import SpdyConnection, SpdyStream
from pilotfish.node.streaming.streams import Stream, StreamGone
from pilotfish.node.streaming.transport import Transport
from pilotfish.node.streaming.websocket_connection import WebSocketConnection
from pilotfish.objects.numbers import whole_number

log = logging.getLogger(__name__)

SPDY_PROTOCOL = "portforward.k8s.io"
TUNNEL_PROTOCOL = "SPDY/3.1+portforward.k8s.io"

_READ_BYTES = 64 * 1024
_CONNECT_TIMEOUT_S = 30.0
# How long a client may have opened only one of a connection's two streams.
_PAIR_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Target:
    """Where connections go: localhost in the network namespace of this Pod."""

    pod_name: str
    pod_uid: str
    netns: str


class CannotForward(Exception):
    """Nothing answers at the port; the message is for the client's error stream."""


def requested_ports(request: Request) -> list[int]:
    """The ports of a WebSocket client's query. Raises BadRequest."""
    texts = [text for value in request.query.get("port", []) for text in value.split(",")]
    if not texts:
        raise BadRequest('query parameter "port" is required')
    return [parse_port(text) for text in texts]


def parse_port(text: str) -> int:
    """A TCP port, or BadRequest with the kubelet's words."""
    port = whole_number(text)
    if port is None:
        raise BadRequest(f"unable to parse {text[:100]!r} as a port")
    if not 1 <= port <= 65535:
        raise BadRequest(f"port {text!r} must be > 0 and < 65536")
    return port


@dataclass(slots=True)
class _Pair:
    """The two streams of one connection, as they come."""

    port: int
    streams: dict[str, SpdyStream]


class SpdyPortForward:
    """Serves one client's SPDY connection, with as many connections into the Pod as it opens."""

    def __init__(self, transport: Transport, target: Target) -> None:
        self._target = target
        self._connection = SpdyConnection(transport, self._on_stream)
        self._incomplete: dict[str, _Pair] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Returns when the client goes; nothing of it is left then."""
        try:
            await self._connection.run()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._connection.close()

    def _on_stream(self, stream: SpdyStream) -> bool:
        kind = stream.headers.get("streamtype", "")
        try:
            port = parse_port(stream.headers.get("port", ""))
        except BadRequest as error:
            log.warning("a port-forward stream was refused: %s", error)
            return False
        if kind not in ("error", "data"):
            log.warning("a port-forward stream was refused: its type is %r", kind)
            return False
        request_id = _request_id(stream, kind)
        pair = self._incomplete.get(request_id)
        if pair is None:
            pair = self._incomplete[request_id] = _Pair(port, {kind: stream})
            self._start(self._expire(request_id, pair))
            return True
        if kind in pair.streams or pair.port != port:
            return False
        del self._incomplete[request_id]
        pair.streams[kind] = stream
        self._start(self._serve(pair))
        return True

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _expire(self, request_id: str, pair: _Pair) -> None:
        await asyncio.sleep(_PAIR_TIMEOUT_S)
        if self._incomplete.get(request_id) is pair:
            del self._incomplete[request_id]
            for stream in pair.streams.values():
                stream.reset()

    async def _serve(self, pair: _Pair) -> None:
        data, error = pair.streams["data"], pair.streams["error"]
        error.ignore_input()
        await forward(self._target, pair.port, data, error)
        data.ignore_input()


def _request_id(stream: SpdyStream, kind: str) -> str:
    """What pairs the streams; old clients send none but open the data stream right after."""
    given = stream.headers.get("requestid")
    return given or str(stream.stream_id - 2 if kind == "data" else stream.stream_id)


async def run_channels(
    websocket: WebSocketConnection, protocol: ChannelProtocol, ports: list[int], target: Target
) -> None:
    """Serves a WebSocket client with one connection for each port, until it goes."""
    connection = ChannelConnection(websocket, protocol, range(2 * len(ports)))
    tasks = [
        asyncio.create_task(_serve_channels(connection, index, port, target))
        for index, port in enumerate(ports)
    ]
    try:
        await connection.run()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        connection.close()


async def _serve_channels(
    connection: ChannelConnection, index: int, port: int, target: Target
) -> None:
    data, error = connection.streams[2 * index], connection.streams[2 * index + 1]
    error.ignore_input()
    with suppress(StreamGone):  # then the client has gone, and run_channels ends
        for stream in (data, error):
            await stream.write(port.to_bytes(2, "little"))
        await forward(target, port, data, error)
    data.ignore_input()


async def forward(target: Target, port: int, data: Stream, error: Stream) -> None:
    """One connection: what `data` says goes to the port and back; failures go to `error`."""
    try:
        await _connect_and_copy(target, port, data)
    except CannotForward as failure:
        text = f"error forwarding port {port} to pod {target.pod_name}, uid {target.pod_uid}: "
        log.info("%s%s", text, failure)
        with suppress(StreamGone):
            await error.write(f"{text}{failure}".encode())
    except StreamGone:
        log.debug("the client dropped a connection to port %d of %s", port, target.pod_name)
    await data.close()
    await error.close()


async def _connect_and_copy(target: Target, port: int, data: Stream) -> None:
    reader, writer = await _connect(target, port)
    sending = asyncio.create_task(_to_pod(data, writer))
    try:
        while piece := await reader.read(_READ_BYTES):
            await data.write(piece)
        # Each direction ends by itself: the Pod may still want the rest of what the client says.
        await data.close()
        await sending
    except ConnectionError as error:
        log.debug("port %d of %s broke the connection: %s", port, target.pod_name, error)
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        writer.close()


async def _to_pod(data: Stream, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await data.read():
            writer.write(piece)
            await writer.drain()
        writer.write_eof()
    except OSError:
        # The reading side sees the same and ends the connection; until then drop the rest.
        data.ignore_input()


async def _connect(target: Target, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connects to localhost of the Pod: IPv4, and where that fails IPv6. Raises CannotForward."""
    failures = []
    for name, family, address in (
        ("IPv4: dial tcp4 127.0.0.1", socket.AF_INET, "127.0.0.1"),
        ("IPv6: dial tcp6 [::1]", socket.AF_INET6, "::1"),
    ):
        try:
            return await asyncio.open_connection(
                sock=await _connected_socket(target.netns, family, address, port)
            )
        except TimeoutError:
            failures.append(f"{name}:{port}: i/o timeout")
        except OSError as error:
            reason = os.strerror(error.errno).lower() if error.errno else str(error)
            failures.append(f"{name}:{port}: connect: {reason}")
    raise CannotForward(
        f'failed to connect to localhost:{port} inside namespace "{target.netns}", '
        + " ".join(failures)
    )


async def _connected_socket(netns: str, family: int, address: str, port: int) -> socket.socket:
    with namespaces.inside(netns):
        sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        async with asyncio.timeout(_CONNECT_TIMEOUT_S):
            await asyncio.get_running_loop().sock_connect(sock, (address, port))
    except BaseException:
        sock.close()
        raise
    return sock
