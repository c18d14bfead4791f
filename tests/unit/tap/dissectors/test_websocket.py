"""WebSocket messages are told one by one, unmasked, unpacked and put together."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.tap.connection import CLIENT, SERVER
from support.dissection import (
    Said,
    Wire,
    assert_mutations_do_no_harm,
    assert_splitting_changes_nothing,
)

ASK = (
    b"GET /chat?room=1 HTTP/1.1\r\nHost: api\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
AGREE = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
OPENING: list[Said] = [(CLIENT, ASK), (SERVER, AGREE + b"\r\n")]
DEFLATING: list[Said] = [
    (CLIENT, ASK),
    (SERVER, AGREE + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"),
]
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def frame(
    opcode: int, payload: bytes, mask: bytes = b"", final: bool = True, packed: bool = False
) -> bytes:
    head = bytes((opcode | (0x80 if final else 0) | (0x40 if packed else 0),))
    marked = 0x80 if mask else 0
    if len(payload) < 126:
        head += bytes((marked | len(payload),))
    elif len(payload) < 1 << 16:
        head += bytes((marked | 126,)) + struct.pack("!H", len(payload))
    else:
        head += bytes((marked | 127,)) + struct.pack("!Q", len(payload))
    if mask:
        payload = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
    return head + mask + payload


MASK = b"\x37\xfa\x21\x3d"
CONVERSATION: list[Said] = [
    *OPENING,
    (CLIENT, frame(TEXT, b"hello, server", MASK)),
    (SERVER, frame(TEXT, b"hel", final=False) + frame(PING, b"?") + frame(0, b"lo, client")),
    (CLIENT, frame(PONG, b"?", MASK)),
    (SERVER, frame(BINARY, bytes(range(200)))),
    (CLIENT, frame(CLOSE, struct.pack("!H", 1001) + b"going", MASK)),
    (SERVER, frame(CLOSE, struct.pack("!H", 1001))),
]


def packer() -> object:
    return zlib.compressobj(wbits=-zlib.MAX_WBITS)


def packed(text: bytes, state: object) -> bytes:
    return (state.compress(text) + state.flush(zlib.Z_SYNC_FLUSH))[:-4]  # type: ignore[attr-defined]


def test_every_message_is_an_exchange_of_its_own() -> None:
    wire = Wire().say(*CONVERSATION)
    assert [each.protocol for each in wire.exchanges] == ["http"] + ["websocket"] * 5
    said = [
        (each.request or each.response).fields()  # type: ignore[union-attr]
        for each in wire.exchanges[1:]
    ]
    assert [(each["method"], each.get("body")) for each in said[:2]] == [
        ("text", "hello, server"),
        ("text", "hello, client"),
    ]
    assert [each.request is not None for each in wire.exchanges[1:]] == [
        True,
        False,
        False,
        True,
        False,
    ]
    assert said[1]["fragments"] == 2
    assert (said[2]["method"], said[2]["body_size"]) == ("binary", 200)
    assert (said[3]["close_code"], said[3]["close_reason"]) == (1001, "going")
    assert {each["path"] for each in said} == {"/chat"}


def test_splitting_at_every_byte_changes_nothing() -> None:
    assert_splitting_changes_nothing(CONVERSATION)


def test_messages_are_unpacked_with_what_was_said_before() -> None:
    state = packer()
    first, second = packed(b"again and again", state), packed(b"again and again", state)
    assert len(second) < len(first)
    conversation = [
        *DEFLATING,
        (SERVER, frame(TEXT, first, packed=True)),
        (SERVER, frame(TEXT, second[:3], final=False, packed=True) + frame(0, second[3:])),
    ]
    wire = Wire().say(*conversation)
    assert [each["body"] for each in wire.responses[1:]] == ["again and again"] * 2
    assert_splitting_changes_nothing(conversation)


def test_a_server_that_keeps_no_context_begins_each_message_anew() -> None:
    agree = AGREE + b"Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover"
    wire = Wire().say((CLIENT, ASK), (SERVER, agree + b"\r\n\r\n"))
    for _ in range(2):
        wire.say((SERVER, frame(TEXT, packed(b"alone", packer()), packed=True)))
    assert [each["body"] for each in wire.responses[1:]] == ["alone"] * 2


def test_a_bomb_is_not_unpacked_to_its_end() -> None:
    bomb = packed(bytes(64 * 1024 * 1024), packer())
    wire = Wire().say(*DEFLATING, (SERVER, frame(BINARY, bomb, packed=True)))
    (message,) = wire.responses[1:]
    assert len(message["body"]) <= 256 * 1024


def test_bytes_lost_inside_a_message_are_counted() -> None:
    wire = Wire().say(*OPENING, (SERVER, frame(BINARY, bytes(1000))[:500])).lose(SERVER, 504)
    wire.say((SERVER, frame(TEXT, b"next")))
    assert [each["body_size"] for each in wire.responses[1:]] == [1000, 4]


def test_a_message_that_is_cut_off_fails_as_the_connection_did() -> None:
    wire = Wire().say(*OPENING, (CLIENT, frame(TEXT, b"too long", MASK)[:8])).end("reset")
    assert [each.failure for each in wire.exchanges] == ["", "reset"]


@pytest.mark.parametrize("seed", range(60))
def test_mutations_do_no_harm(seed: int) -> None:
    assert_mutations_do_no_harm(CONVERSATION, seed)


@given(st.lists(st.tuples(st.sampled_from((CLIENT, SERVER)), st.binary(max_size=60)), max_size=20))
def test_garbage_does_no_harm(garbage: list[Said]) -> None:
    Wire().say(*DEFLATING, *garbage).end().seen()
