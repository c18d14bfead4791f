"""Nobody makes the tap look at more than a few times what was sent, nor keep without a bound."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from pilotfish.tap import conversation, protocols
from pilotfish.tap.connection import CLIENT, SERVER, Connection
from pilotfish.tap.conversation import MAX_LOOKED_AT_BYTES, Dissector
from pilotfish.tap.dissectors import (
    dns,
    http1,
    http1_reader,
    http2,
    http2_frames,
    http_message,
    postgresql,
    redis,
    resp,
    tls,
    websocket,
)
from pilotfish.tap.dissectors.http_message import HttpMessage
from pilotfish.tap.exchange import Exchange
from support.dissection import Wire, context_of
from support.work import Work

MODULES = (
    dns,
    http1,
    http1_reader,
    http2,
    http2_frames,
    http_message,
    postgresql,
    redis,
    resp,
    tls,
    websocket,
)
# How often a byte may be looked at; and what is looked at whatever comes.
TIMES = 24
ALWAYS = 100_000
MOST_KEPT = 3 * 1024 * 1024

KB = 1024
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return (
        len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload
    )


def handshake(body: bytes, record: int) -> bytes:
    """A ClientHello of one body, in records of so many bytes."""
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"".join(
        b"\x16\x03\x01" + len(part).to_bytes(2, "big") + part
        for part in (message[at : at + record] for at in range(0, len(message), record))
    )


def make_websocket(connection: Connection, context: conversation.Context) -> Dissector:
    request = HttpMessage(b"GET /ws HTTP/1.1", 20)
    return websocket.WebSocket(connection, context, request, "")


Make = Callable[[Connection, conversation.Context], Dissector]

# What it is: who hears it, which side says it, what it says.
HOSTILE: dict[str, tuple[Make, int, bytes]] = {
    "a long head": (http1.make, CLIENT, b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 10_000 + b"\r\n"),
    "a head of one line": (http1.make, CLIENT, b"GET /" + b"x" * 60 * KB),
    "a head of line ends": (http1.make, CLIENT, b"GET / HTTP/1.1" + b"\n\r" * 30 * KB),
    "a head without end": (http1.make, CLIENT, b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 40_000),
    "many small requests": (http1.make, CLIENT, b"GET / HTTP/1.1\r\n\r\n" * 4000),
    "trailers without end": (http1.make, SERVER, CHUNKED + b"0\r\n" + b"X: y\r\n" * 40_000),
    "a trailer of one line": (http1.make, SERVER, CHUNKED + b"0\r\n" + b"x" * 200 * KB),
    "chunks of one byte": (http1.make, SERVER, CHUNKED + b"1\r\nx\r\n" * 12_000),
    "a chunk line without end": (http1.make, SERVER, CHUNKED + b"1;" + b"x" * 200 * KB),
    "no HTTP any more": (http1.make, SERVER, CHUNKED + b"x\n" + b"HTTP/1.1 2\n" * 10_000),
    "a large frame": (http2.make, CLIENT, frame(1, 4, 1, b"\0" * 200 * KB)),
    "many frames": (http2.make, CLIENT, frame(4, 0, 0, b"") * 10_000),
    "continued headers": (
        http2.make,
        CLIENT,
        frame(1, 0, 1, b"\x82") + frame(9, 0, 1, b"\x84") * 20_000,
    ),
    "headers that name one large field": (
        http2.make,
        CLIENT,
        frame(1, 4, 1, b"\x40\x01a\x7f\x80\x1e" + b"v" * 3967)
        + frame(1, 4, 3, b"\xbe" * 60 * KB) * 3,
    ),
    "one large message": (
        make_websocket,
        SERVER,
        b"\x82\x7f" + (200 * KB).to_bytes(8) + b"x" * 200 * KB,
    ),
    "many fragments": (make_websocket, SERVER, b"\x02\x01x" + b"\x00\x01x" * 60_000),
    "a line without end (Redis)": (redis.make, CLIENT, b"*1\r\n" + b"+" + b"x" * 60 * KB),
    "one large string": (redis.make, SERVER, b"$60000\r\n" + b"x" * 60_000 + b"\r\n"),
    "many values": (redis.make, SERVER, b"*60000\r\n" + b":1\r\n" * 60_000),
    "deep arrays": (redis.make, SERVER, b"*1\r\n" * 60_000),
    "attributes": (redis.make, SERVER, b"|1\r\n+a\r\n+b\r\n" * 20_000),
    "a large statement": (
        postgresql.make,
        CLIENT,
        b"Q" + (60_005).to_bytes(4, "big") + b"x" * 60_000 + b"\0",
    ),
    "encryption again and again": (
        postgresql.make,
        CLIENT,
        (b"\0\0\0\x08" + (80877103).to_bytes(4, "big")) * 8000,
    ),
    "a large hello": (tls.make, CLIENT, handshake(b"x" * 100 * KB, 16 * KB)),
    "a hello in crumbs": (tls.make, CLIENT, handshake(b"x" * 40 * KB, 1)),
    "a large DNS message": (dns.make, CLIENT, (60_000).to_bytes(2, "big") + b"x" * 60_000),
    "many DNS messages": (dns.make, CLIENT, (b"\0\x0c" + b"\0" * 12) * 5000),
}


def listener_of(make: Make) -> tuple[Connection, list[Exchange]]:
    exchanges: list[Exchange] = []
    connection = Connection(b"\x0a\0\0\1", 40000, b"\x0a\0\0\2", 80, 0.0)
    connection.listener = make(connection, context_of(connection, exchanges))
    return connection, exchanges


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("size", [1, 1448, 1 << 16])
def test_each_byte_is_looked_at_a_few_times(
    name: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, side, said = HOSTILE[name]
    work = Work()
    work.watch(monkeypatch, *MODULES)
    connection, _ = listener_of(make)
    for at in range(0, len(said), size):
        connection.listener.data(side, work.of(said[at : at + size]), at / 1e6)
        assert connection.measure() < MOST_KEPT
    assert work.bytes <= TIMES * len(said) + ALWAYS
    connection.listener.ended("closed", 99.0)


@pytest.mark.parametrize(
    "said",
    [b"GET /" + b"x" * 60 * KB, b"\0\0\x10\0" + b"x" * 4096, b"x" * 8000, b"PING " + b"x" * 60_000],
)
def test_what_is_not_recognised_yet_is_looked_at_up_to_a_bound(said: bytes) -> None:
    looked_at = 0

    class Counting:
        def __init__(self, module: conversation.DissectorModule) -> None:
            self._module = module
            self.make = module.make

        def recognise(self, client: bytes, server: bytes) -> bool | None:
            nonlocal looked_at
            looked_at += len(client) + len(server)
            return self._module.recognise(client, server)

    class Counted:
        STREAMS = tuple(map(Counting, protocols.STREAMS))
        plain = staticmethod(protocols.plain)

    wire = Wire()
    context = conversation.Context(wire.exchanges.append, wire.connection, Counted)  # type: ignore[arg-type]
    wire.connection.listener = conversation.Conversation(wire.connection, context)
    wire.say(*[(CLIENT, said[at : at + 7]) for at in range(0, len(said), 7)])
    assert looked_at <= (MAX_LOOKED_AT_BYTES + 64 * KB) * len(protocols.STREAMS)


def test_a_reader_that_begins_from_the_start_each_time_is_found_out() -> None:
    work = Work()
    pending = b""
    for _ in range(10_000):
        pending = pending + work.of(b"x")
    assert work.bytes > TIMES * 10_000 + ALWAYS


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bytes_in_any_pieces_do_no_harm(name: str, seed: int) -> None:
    chance = random.Random(seed)
    make, side, said = HOSTILE[name]
    connection, exchanges = listener_of(make)
    data = bytearray(said[: 8 * KB])
    for _ in range(chance.randint(0, 20)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    at = 0
    while at < len(data):
        step = chance.choice((1, 2, 7, 100, 1448))
        if chance.random() < 0.02:
            connection.listener.gap(side, step, 1.0)
        else:
            connection.listener.data(side, bytes(data[at : at + step]), 1.0)
        at += step
    connection.listener.closed(side, 2.0)
    connection.listener.ended("closed", 2.0)
    for exchange in exchanges:
        for message in (exchange.request, exchange.response):
            assert message is None or isinstance(message.fields(), dict)
