"""Kubernetes' channel protocols over WebSocket messages."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.node.streaming.channels import (
    REMOTE_COMMAND_PROTOCOLS,
    STDIN,
    STDOUT,
    ChannelClosed,
    ChannelData,
    ChannelDecoder,
    ChannelProtocol,
    encode_channel,
)
from pilotfish.node.streaming.websocket_frames import (
    BINARY,
    TEXT,
    MessagePart,
    WebSocketError,
    encode_frame,
)

BY_NAME = {protocol.name: protocol for protocol in REMOTE_COMMAND_PROTOCOLS}
V5, V4 = BY_NAME["v5.channel.k8s.io"], BY_NAME["v4.channel.k8s.io"]
BASE64 = BY_NAME["v4.base64.channel.k8s.io"]


def message(data: bytes, opcode: int = BINARY) -> MessagePart:
    return MessagePart(opcode, data, first=True, last=True)


def test_the_first_byte_is_the_channel() -> None:
    assert ChannelDecoder(V4).feed(message(b"\0ls\n")) == [ChannelData(STDIN, b"ls\n")]
    assert encode_channel(V4, STDOUT, b"out") == encode_frame(BINARY, b"\x01out")


def test_a_channel_is_remembered_through_the_parts_of_a_message() -> None:
    decoder = ChannelDecoder(V5)
    assert decoder.feed(MessagePart(BINARY, b"", True, False)) == []
    assert decoder.feed(MessagePart(BINARY, b"\0a", False, False)) == [ChannelData(0, b"a")]
    assert decoder.feed(MessagePart(BINARY, b"b", False, True)) == [ChannelData(0, b"b")]
    assert decoder.feed(message(b"\x04{}")) == [ChannelData(4, b"{}")]


def test_messages_without_bytes_mean_nothing() -> None:
    decoder = ChannelDecoder(V4)
    assert decoder.feed(message(b"")) == []
    assert decoder.feed(message(b"\0")) == []


def test_v5_can_close_a_channel() -> None:
    assert ChannelDecoder(V5).feed(message(b"\xff\0")) == [ChannelClosed(STDIN)]


def test_v4_cannot_close_a_channel() -> None:
    assert ChannelDecoder(V4).feed(message(b"\xff\0")) == [ChannelData(255, b"\0")]


def test_base64_channels_are_text() -> None:
    assert ChannelDecoder(BASE64).feed(message(b"0bHMK", TEXT)) == [ChannelData(STDIN, b"ls\n")]
    assert encode_channel(BASE64, STDOUT, b"ls\n") == encode_frame(TEXT, b"1bHMK")


@given(st.binary(min_size=1, max_size=100), st.integers(1, 7))
def test_base64_may_be_cut_anywhere(data: bytes, step: int) -> None:
    text = b"0" + base64.b64encode(data)
    decoder = ChannelDecoder(BASE64)
    events = []
    for start in range(0, len(text), step):
        last = start + step >= len(text)
        events += decoder.feed(MessagePart(TEXT, text[start : start + step], start == 0, last))
    assert all(isinstance(event, ChannelData) and event.channel == STDIN for event in events)
    assert b"".join(event.data for event in events if isinstance(event, ChannelData)) == data


@pytest.mark.parametrize("text", [b"xbHMK", b"0bHM", b"0b*MK"])
def test_what_is_not_base64_is_refused(text: bytes) -> None:
    with pytest.raises(WebSocketError):
        ChannelDecoder(BASE64).feed(message(text, TEXT))


@pytest.mark.parametrize("protocol", REMOTE_COMMAND_PROTOCOLS, ids=lambda p: p.name or "none")
def test_only_v5_closes_and_only_base64_is_text(protocol: ChannelProtocol) -> None:
    assert protocol.can_close == protocol.name.startswith("v5")
    assert protocol.base64 == ("base64" in protocol.name)
