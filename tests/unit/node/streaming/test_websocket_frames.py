"""WebSocket framing, server's side."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.node.streaming.websocket_frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    CloseReceived,
    MessagePart,
    PingReceived,
    WebSocketDecoder,
    WebSocketError,
    accept_key,
    encode_close,
    encode_frame,
)


def masked(
    opcode: int, payload: bytes, fin: bool = True, mask: bytes = b"\x01\x80\xff\x55"
) -> bytes:
    """A frame as a client sends it."""
    length = len(payload)
    if length < 126:
        head = bytes((opcode | (0x80 if fin else 0), 0x80 | length))
    else:
        head = bytes((opcode | (0x80 if fin else 0), 0x80 | 127)) + length.to_bytes(8, "big")
    return head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


def test_the_handshake_answers_the_key_of_the_rfc() -> None:
    assert accept_key("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def test_the_masked_hello_of_the_rfc_is_understood() -> None:
    frame = bytes.fromhex("818537fa213d7f9f4d5158")
    assert WebSocketDecoder().feed(frame) == [MessagePart(TEXT, b"Hello", True, True)]


@pytest.mark.parametrize(
    ("length", "head"),
    [(125, "827d"), (126, "827e007e"), (65535, "827effff"), (65536, "827f0000000000010000")],
)
def test_lengths_are_encoded_as_short_as_they_can(length: int, head: str) -> None:
    assert encode_frame(BINARY, b"x" * length) == bytes.fromhex(head) + b"x" * length


def test_a_message_in_fragments_is_one_message_with_a_ping_in_between() -> None:
    frames = masked(BINARY, b"ab", fin=False) + masked(PING, b"?") + masked(CONTINUATION, b"cd")
    assert WebSocketDecoder().feed(frames) == [
        MessagePart(BINARY, b"ab", True, False),
        PingReceived(b"?"),
        MessagePart(BINARY, b"cd", False, True),
    ]


def test_a_long_payload_is_handed_out_as_it_arrives() -> None:
    decoder = WebSocketDecoder()
    frame = masked(BINARY, bytes(range(256)) * 2)
    parts = decoder.feed(frame[:20]) + decoder.feed(frame[20:23]) + decoder.feed(frame[23:])
    assert [(part.first, part.last) for part in parts if isinstance(part, MessagePart)] == [
        (True, False),
        (False, False),
        (False, True),
    ]
    assert b"".join(part.data for part in parts if isinstance(part, MessagePart)) == (
        bytes(range(256)) * 2
    )


@given(st.binary(max_size=300), st.integers(1, 50))
def test_frames_may_be_cut_anywhere(payload: bytes, step: int) -> None:
    stream = masked(BINARY, payload) + masked(PING, b"p") + masked(TEXT, b"end")
    decoder = WebSocketDecoder()
    events = [
        event
        for start in range(0, len(stream), step)
        for event in decoder.feed(stream[start : start + step])
    ]
    parts = [event for event in events if isinstance(event, MessagePart)]
    assert b"".join(part.data for part in parts if part.opcode == BINARY) == payload
    assert b"".join(part.data for part in parts if part.opcode == TEXT) == b"end"
    assert [part.opcode for part in parts if part.last] == [BINARY, TEXT]
    assert PingReceived(b"p") in events


def test_an_empty_message_is_a_message() -> None:
    assert WebSocketDecoder().feed(masked(BINARY, b"")) == [MessagePart(BINARY, b"", True, True)]


def test_close_tells_its_code() -> None:
    assert WebSocketDecoder().feed(masked(CLOSE, b"\x03\xe8bye")) == [CloseReceived(1000)]
    assert WebSocketDecoder().feed(masked(CLOSE, b"")) == [CloseReceived(1005)]
    assert encode_close(1000) == bytes.fromhex("880203e8")


def test_a_pong_says_nothing() -> None:
    assert WebSocketDecoder().feed(masked(PONG, b"")) == []


@pytest.mark.parametrize(
    ("frame", "complaint"),
    [
        (encode_frame(BINARY, b"x"), "not masked"),
        (masked(CONTINUATION, b"x"), "without a beginning"),
        (masked(BINARY, b"x", fin=False) + masked(BINARY, b"y"), "inside another"),
        (masked(PING, b"x", fin=False), "fragmented or too long"),
        (masked(PING, b"x" * 126), "fragmented or too long"),
        (masked(0x3, b"x"), "opcode 3"),
        (masked(0x42, b"x"), "reserved bit"),
    ],
)
def test_broken_frames_end_the_connection(frame: bytes, complaint: str) -> None:
    with pytest.raises(WebSocketError, match=complaint):
        WebSocketDecoder().feed(frame)


@given(st.binary(max_size=200))
def test_nothing_a_client_sends_raises_anything_else(junk: bytes) -> None:
    try:
        WebSocketDecoder().feed(junk)
    except WebSocketError:
        return
