"""One request to the kubelet and its answer: which path asks for what.

Source of the paths: the Kubernetes kubelet's server.

    GET       /healthz  /pods
    GET       /containerLogs/{namespace}/{pod}/{container}?follow&tailLines&…
    GET POST  /exec/{namespace}/{pod}/{container}?command=…&input&output&error&tty
    GET POST  /attach/{namespace}/{pod}/{container}?input&output&error&tty
    GET POST  /portForward/{namespace}/{pod}?port=…   (the query for WebSocket channels only)
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from functools import partial

from pilotfish.node.errors import LookupFailed
from pilotfish.node.runtime import ContainerRef, Runtime
from pilotfish.node.streaming import channels, http1, negotiation, port_forward, remote_command
from pilotfish.node.streaming.channels import ChannelProtocol
from pilotfish.node.streaming.command_streams import (
    SPDY_PROTOCOLS,
    ChannelCommandConnection,
    CommandConnection,
    CommandOptions,
    CommandStreams,
    SpdyCommandConnection,
    command_options,
)
from pilotfish.node.streaming.http1 import BadRequest, Request
from pilotfish.node.streaming.log_query import log_options
from pilotfish.node.streaming.negotiation import NoCommonProtocol
from pilotfish.node.streaming.transport import SocketTransport, TunnelTransport
from pilotfish.node.streaming.websocket_connection import WebSocketConnection
from pilotfish.objects.meta import Object, name_of


async def answer(
    runtime: Runtime, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answers the request whose head has been read; the connection is of no use afterwards."""
    try:
        await _Exchange(runtime, http1.parse_request(head), reader, writer).answer()
    except LookupFailed as error:
        writer.write(http1.whole_response(error.code, str(error).encode()))
    except BadRequest as error:
        writer.write(http1.whole_response(400, str(error).encode()))
    except NoCommonProtocol as error:
        writer.write(http1.whole_response(403, str(error).encode()))


def forbid(writer: asyncio.StreamWriter) -> None:
    """Answers somebody who may not ask."""
    writer.write(http1.whole_response(403, b"Forbidden (resource=nodes, subresource=proxy)"))


class _Exchange:
    """One request and its connection."""

    def __init__(
        self,
        runtime: Runtime,
        request: Request,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._runtime = runtime
        self._request = request
        self._reader = reader
        self._writer = writer

    async def answer(self) -> None:
        match self._request.path:
            case ("healthz",):
                self._writer.write(http1.whole_response(200, b"ok"))
            case ("pods",):
                pods = {"kind": "PodList", "apiVersion": "v1", "items": self._runtime.pods()}
                body = json.dumps(pods).encode()
                self._writer.write(http1.whole_response(200, body, "application/json"))
            case ("containerLogs", namespace, pod, container):
                chunks = self._runtime.read_logs(
                    namespace, pod, container, log_options(self._request)
                )
                await self._stream(chunks)
            case ("exec", namespace, pod, container):
                await self._exec(self._runtime.find(namespace, pod, container))
            case ("attach", namespace, pod, container):
                await self._attach(self._runtime.find(namespace, pod, container))
            case ("portForward", namespace, pod):
                await self._port_forward(self._runtime.find(namespace, pod))
            case _:
                self._writer.write(http1.whole_response(404, b"404 page not found\n"))

    async def _stream(self, chunks: AsyncIterator[bytes]) -> None:
        """Sends a body of unknown length until it ends or the client goes."""
        headers = (
            ("Content-Type", "text/plain"),
            ("Transfer-Encoding", "chunked"),
            ("Connection", "close"),
        )
        self._writer.write(http1.response_head(200, headers))
        sending = asyncio.create_task(self._send_chunks(chunks))
        gone = asyncio.create_task(self._reader.read())
        try:
            await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
        finally:
            for task in (sending, gone):
                task.cancel()
            await asyncio.gather(sending, gone, return_exceptions=True)

    async def _send_chunks(self, chunks: AsyncIterator[bytes]) -> None:
        async for data in chunks:
            if data:
                self._writer.write(http1.chunk(data))
                await self._writer.drain()
        self._writer.write(http1.LAST_CHUNK)
        await self._writer.drain()

    async def _exec(self, container: ContainerRef) -> None:
        _require_running(container)
        options = command_options(self._request)
        command = self._request.query.get("command", [])
        if not command:
            raise BadRequest("you must specify a command")

        async def run(streams: CommandStreams) -> Object:
            process = await remote_command.start_process(
                self._runtime.exec(
                    container.container_id, command, tty=options.tty, stdin=options.stdin
                )
            )
            return await remote_command.run_process(streams, process)

        connection = await self._command_connection(options)
        await remote_command.serve(connection, run)

    async def _attach(self, container: ContainerRef) -> None:
        _require_running(container)
        options = command_options(self._request)
        attachment = self._runtime.attach(container.container_id)
        try:
            connection = await self._command_connection(options)
            await remote_command.serve(
                connection, partial(remote_command.run_attached, attachment=attachment)
            )
        finally:
            attachment.close()

    async def _command_connection(self, options: CommandOptions) -> CommandConnection:
        if negotiation.wants_websocket(self._request):
            protocol = await self._accept_channels(channels.REMOTE_COMMAND_PROTOCOLS)
            return ChannelCommandConnection(self._websocket(), options, protocol)
        name = await self._accept_spdy(tuple(SPDY_PROTOCOLS))
        transport = SocketTransport(self._reader, self._writer)
        return SpdyCommandConnection(transport, options, SPDY_PROTOCOLS[name])

    async def _port_forward(self, container: ContainerRef) -> None:
        target = port_forward.Target(
            name_of(container.pod), container.pod_uid, self._runtime.pod_netns(container.pod_uid)
        )
        if not negotiation.wants_websocket(self._request):
            await self._accept_spdy((port_forward.SPDY_PROTOCOL,))
            transport = SocketTransport(self._reader, self._writer)
            await port_forward.SpdyPortForward(transport, target).run()
        elif port_forward.TUNNEL_PROTOCOL in self._request.header_values("sec-websocket-protocol"):
            await self._accept_websocket((port_forward.TUNNEL_PROTOCOL,))
            tunnel = TunnelTransport(self._websocket())
            await port_forward.SpdyPortForward(tunnel, target).run()
        else:
            ports = port_forward.requested_ports(self._request)
            protocol = await self._accept_channels(channels.PORT_FORWARD_PROTOCOLS)
            await port_forward.run_channels(self._websocket(), protocol, ports, target)

    def _websocket(self) -> WebSocketConnection:
        return WebSocketConnection(self._reader, self._writer)

    async def _accept_spdy(self, names: Sequence[str]) -> str:
        name = negotiation.negotiate_spdy(self._request, names)
        self._writer.write(negotiation.spdy_answer(name))
        await self._writer.drain()
        return name

    async def _accept_channels(self, known: Sequence[ChannelProtocol]) -> ChannelProtocol:
        by_name = {protocol.name: protocol for protocol in known}
        return by_name[await self._accept_websocket(tuple(by_name))]

    async def _accept_websocket(self, names: Sequence[str]) -> str:
        name = negotiation.negotiate_websocket(self._request, names)
        self._writer.write(negotiation.websocket_answer(self._request, name))
        await self._writer.drain()
        return name


def _require_running(container: ContainerRef) -> None:
    if not container.running:
        # The kubelet's words, which kubectl passes on; 500 as there.
        raise LookupFailed(500, f'container not found ("{container.container}")')
