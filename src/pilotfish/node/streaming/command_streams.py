"""The streams of exec and attach: which ones a request asks for, and how a client opens them.

Over SPDY the client opens a stream for each and names it in the header `streamtype`; over
WebSocket every stream has a fixed channel. Source: the kubelet's remotecommand server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from pilotfish.node.streaming import channels
from pilotfish.node.streaming.channel_connection import ChannelConnection
from pilotfish.node.streaming.channels import ChannelProtocol
from pilotfish.node.streaming.http1 import BadRequest, Request
from pilotfish.node.streaming.spdy_connection import SpdyConnection, SpdyStream
from pilotfish.node.streaming.streams import Stream
from pilotfish.node.streaming.transport import Transport
from pilotfish.node.streaming.websocket_connection import WebSocketConnection

# In the order of preference; the number is the version that decides the error stream's format.
SPDY_PROTOCOLS = {
    "v4.channel.k8s.io": 4,
    "v3.channel.k8s.io": 3,
    "v2.channel.k8s.io": 2,
    "channel.k8s.io": 1,
}
# From this version on the client of a terminal opens a stream for its sizes.
_FIRST_VERSION_WITH_RESIZE = 3
_OPEN_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class CommandOptions:
    """What exec and attach want connected."""

    stdin: bool
    stdout: bool
    stderr: bool
    tty: bool

    def stream_names(self) -> list[str]:
        wanted = {"stdin": self.stdin, "stdout": self.stdout, "stderr": self.stderr}
        return [name for name, flag in wanted.items() if flag]


@dataclass(frozen=True, slots=True)
class CommandStreams:
    """The client's ends; None for what was not asked for."""

    error: Stream
    stdin: Stream | None = None
    stdout: Stream | None = None
    stderr: Stream | None = None
    resize: Stream | None = None
    version: int = 4


def command_options(request: Request) -> CommandOptions:
    """Reads the query; the kubelet's own names are input, output and error.

    Raises BadRequest when nothing is asked for.
    """
    tty = request.flag("tty")
    options = CommandOptions(
        stdin=request.flag("input") or request.flag("stdin"),
        stdout=request.flag("output") or request.flag("stdout"),
        # A terminal has one output.
        stderr=(request.flag("error") or request.flag("stderr")) and not tty,
        tty=tty,
    )
    if not options.stream_names():
        raise BadRequest("you must specify at least 1 of stdin, stdout, stderr")
    return options


class SpdyCommandConnection:
    """A SPDY connection whose client opens the streams of one command."""

    def __init__(self, transport: Transport, options: CommandOptions, version: int) -> None:
        self._expected = {"error", *options.stream_names()}
        if options.tty and version >= _FIRST_VERSION_WITH_RESIZE:
            self._expected.add("resize")
        self._version = version
        self._opened: dict[str, SpdyStream] = {}
        self._complete = asyncio.Event()
        self._connection = SpdyConnection(transport, self._on_stream)
        self.run = self._connection.run
        self.send_end = self._connection.send_end
        self.close = self._connection.close

    def _on_stream(self, stream: SpdyStream) -> bool:
        name = stream.headers.get("streamtype", "")
        if name not in self._expected or name in self._opened:
            return False
        self._opened[name] = stream
        if self._opened.keys() == self._expected:
            self._complete.set()
        return True

    async def streams(self) -> CommandStreams:
        """The streams once the client has opened all. Raises TimeoutError when it does not."""
        async with asyncio.timeout(_OPEN_TIMEOUT_S):
            await self._complete.wait()
        return CommandStreams(**self._opened, version=self._version)


class ChannelCommandConnection:
    """A WebSocket whose channels are the streams of one command."""

    def __init__(
        self, websocket: WebSocketConnection, options: CommandOptions, protocol: ChannelProtocol
    ) -> None:
        self._options = options
        self._protocol = protocol
        numbers: Sequence[int] = range(channels.RESIZE + 1)
        self._connection = ChannelConnection(websocket, protocol, numbers)
        self.run = self._connection.run
        self.send_end = self._connection.send_end
        self.close = self._connection.close

    async def streams(self) -> CommandStreams:
        options, opened = self._options, self._connection.streams
        streams = CommandStreams(
            error=opened[channels.ERROR],
            stdin=opened[channels.STDIN] if options.stdin else None,
            stdout=opened[channels.STDOUT] if options.stdout else None,
            stderr=opened[channels.STDERR] if options.stderr else None,
            resize=opened[channels.RESIZE] if options.tty else None,
            version=self._protocol.version,
        )
        for number, wanted in (
            (channels.STDIN, streams.stdin),
            (channels.STDOUT, None),
            (channels.STDERR, None),
            (channels.ERROR, None),
            (channels.RESIZE, streams.resize),
        ):
            if wanted is None:
                opened[number].ignore_input()
        # Clients of the channel protocols take an empty message as the sign that all is set up.
        await (streams.stdout or streams.stderr or streams.error).write(b"")
        return streams


CommandConnection = SpdyCommandConnection | ChannelCommandConnection
