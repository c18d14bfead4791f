"""Kubernetes' channel protocols: several byte streams over the messages of one WebSocket.

Every message begins with the number of its channel. Source: Kubernetes documentation of the
remotecommand protocols (k8s.io/apimachinery/pkg/util/remotecommand/constants.go names them),
KEP-4006 for v5.

=========================  =========================================================
``channel.k8s.io``, none   binary; the first byte is the channel
``base64.channel.k8s.io``  text; the first character is the channel, the rest is base64
``v4.…``                   the same, and the error channel carries a Status as JSON
``v5.channel.k8s.io``      as v4, and a message of channel 255 closes the channel that its
                           one byte names: so a client can end stdin and read on
=========================  =========================================================

For exec and attach the channels are 0 stdin, 1 stdout, 2 stderr, 3 error, 4 resize; for
port-forward the i-th port has 2i for data and 2i+1 for errors.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from pilotfish.node.streaming.websocket_frames import (
    BINARY,
    TEXT,
    MessagePart,
    WebSocketError,
    encode_frame,
)

STDIN, STDOUT, STDERR, ERROR, RESIZE = range(5)
_CLOSE_CHANNEL = 255


@dataclass(frozen=True, slots=True)
class ChannelProtocol:
    """What one subprotocol name stands for. `version` decides the error channel's format."""

    name: str
    version: int
    base64: bool = False

    @property
    def can_close(self) -> bool:
        return self.version >= 5


# In the order of preference; the empty name is a client that asked for no subprotocol.
REMOTE_COMMAND_PROTOCOLS = (
    ChannelProtocol("v5.channel.k8s.io", 5),
    ChannelProtocol("v4.channel.k8s.io", 4),
    ChannelProtocol("v4.base64.channel.k8s.io", 4, base64=True),
    ChannelProtocol("channel.k8s.io", 1),
    ChannelProtocol("base64.channel.k8s.io", 1, base64=True),
    ChannelProtocol("", 1),
)
PORT_FORWARD_PROTOCOLS = (
    ChannelProtocol("v4.channel.k8s.io", 4),
    ChannelProtocol("v4.base64.channel.k8s.io", 4, base64=True),
    ChannelProtocol("", 4),
)


@dataclass(frozen=True, slots=True)
class ChannelData:
    """Bytes for a channel; never empty."""

    channel: int
    data: bytes


@dataclass(frozen=True, slots=True)
class ChannelClosed:
    """The client sends nothing more on this channel."""

    channel: int


Event = ChannelData | ChannelClosed


def encode_channel(protocol: ChannelProtocol, channel: int, data: bytes) -> bytes:
    """The WebSocket frame that carries `data` on `channel`."""
    if protocol.base64:
        return encode_frame(TEXT, str(channel).encode() + base64.b64encode(data))
    return encode_frame(BINARY, bytes((channel,)) + data)


class ChannelDecoder:
    """Turns the parts of messages into bytes of channels."""

    def __init__(self, protocol: ChannelProtocol) -> None:
        self._protocol = protocol
        # The channel of the message that is under way; None before its first byte.
        self._channel: int | None = None
        # base64 is decoded four characters at a time.
        self._undecoded = b""

    def feed(self, part: MessagePart) -> list[Event]:
        """Raises WebSocketError for what is no message of this protocol."""
        data = part.data
        if part.first:
            self._channel = None
        if self._channel is None and data:
            self._channel = self._channel_number(data[0])
            data = data[1:]
        if self._protocol.base64:
            data = self._decode(data, part.last)
        if not data or self._channel is None:
            return []
        if self._channel == _CLOSE_CHANNEL and self._protocol.can_close:
            return [ChannelClosed(channel) for channel in data]
        return [ChannelData(self._channel, data)]

    def _channel_number(self, first: int) -> int:
        if not self._protocol.base64:
            return first
        if not ord("0") <= first <= ord("9"):
            raise WebSocketError("a base64 message must begin with its channel's digit")
        return first - ord("0")

    def _decode(self, text: bytes, last: bool) -> bytes:
        text = self._undecoded + text
        whole = len(text) if last else len(text) // 4 * 4
        self._undecoded = text[whole:]
        try:
            return base64.b64decode(text[:whole], validate=True)
        except binascii.Error as error:
            raise WebSocketError(f"a message is not base64: {error}") from error
