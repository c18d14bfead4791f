"""HTTP/2 requests and gRPC calls, as the h2 library says them."""

from __future__ import annotations

import struct

import h2.config
import h2.connection
import pytest
from h2.errors import ErrorCodes
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.tap.connection import CLIENT, SERVER
from pilotfish.tap.dissectors.http2 import MAX_STREAMS, recognise
from pilotfish.tap.dissectors.http2_frames import PREFACE
from support.dissection import (
    Said,
    Wire,
    assert_mutations_do_no_harm,
    assert_splitting_changes_nothing,
)

Headers = list[tuple[str, str]]


class Pair:
    """A client and a server that talk, and what was said."""

    def __init__(self) -> None:
        self.client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        self.server = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        self.said: list[Said] = []
        self.client.initiate_connection()
        self.server.initiate_connection()
        self.flush()

    def flush(self) -> None:
        """Carry everything over until nobody has anything to say."""
        while True:
            asked, answered = self.client.data_to_send(), self.server.data_to_send()
            if not asked and not answered:
                return
            if asked:
                self.said.append((CLIENT, asked))
                self.server.receive_data(asked)
            if answered:
                self.said.append((SERVER, answered))
                self.client.receive_data(answered)

    def ask(self, stream: int, headers: Headers, body: bytes = b"", end: bool = True) -> None:
        self.client.send_headers(stream, headers, end_stream=end and not body)
        if body:
            self.client.send_data(stream, body, end_stream=end)
        self.flush()

    def answer(self, stream: int, headers: Headers, body: bytes = b"", end: bool = True) -> None:
        self.server.send_headers(stream, headers, end_stream=end and not body)
        if body:
            self.server.send_data(stream, body, end_stream=end)
        self.flush()


def request(path: str, method: str = "GET") -> Headers:
    return [
        (":method", method),
        (":path", path),
        (":scheme", "http"),
        (":authority", "api"),
        ("x-long", "one value for all of them"),
    ]


def response(status: int = 200) -> Headers:
    return [(":status", str(status)), ("server", "test"), ("content-type", "text/plain")]


GRPC_RESPONSE = [(":status", "200"), ("content-type", "application/grpc")]


def grpc_request() -> Headers:
    return [
        *request("/demo.People/List", "POST"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ]


def message(size: int) -> bytes:
    return struct.pack("!BI", 0, size) + bytes(size)


@pytest.fixture
def pair() -> Pair:
    return Pair()


def conversation() -> list[Said]:
    pair = Pair()
    pair.ask(1, request("/one?x=1"))
    pair.ask(3, request("/two", "POST"), b"body of it")
    pair.answer(3, response(201), b"made")
    pair.answer(1, response(), b"first")
    pair.ask(5, grpc_request(), message(5) + message(0) + message(300))
    pair.answer(5, GRPC_RESPONSE, message(7), end=False)
    pair.server.send_headers(
        5, [("grpc-status", "5"), ("grpc-message", "no%20one")], end_stream=True
    )
    pair.flush()
    return pair.said


def test_answers_find_their_requests_in_any_order(pair: Pair) -> None:
    pair.ask(1, request("/one?x=1"))
    pair.ask(3, request("/two", "POST"), b"body of it")
    pair.answer(3, response(201), b"made")
    pair.answer(1, response(404), b"nothing")
    wire = Wire().say(*pair.said)
    assert [each.protocol for each in wire.exchanges] == ["http", "http"]
    two, one = wire.requests
    assert (one["method"], one["path"], one["query"]) == ("GET", "/one", {"x": "1"})
    assert one["url"] == "http://api/one?x=1"
    assert (two["method"], two["body"]) == ("POST", "body of it")
    assert one["headers"]["x-long"] == two["headers"]["x-long"] == "one value for all of them"
    assert [each["status_code"] for each in wire.responses] == [201, 404]
    assert wire.responses[1]["body"] == "nothing"


def test_grpc_calls_tell_method_status_and_messages(pair: Pair) -> None:
    pair.ask(1, grpc_request(), message(5) + message(0) + message(300))
    pair.answer(1, GRPC_RESPONSE, message(7) * 3, end=False)
    pair.server.send_headers(
        1, [("grpc-status", "5"), ("grpc-message", "no%20one")], end_stream=True
    )
    pair.flush()
    wire = Wire().say(*pair.said)
    (asked,), (answered,) = wire.requests, wire.responses
    assert wire.exchanges[0].protocol == "grpc"
    assert (asked["service"], asked["rpc"]) == ("demo.People", "List")
    assert (asked["messages"], asked["message_sizes"]) == (3, [5, 0, 300])
    assert answered["messages"] == 3
    assert (answered["grpc_status"], answered["grpc_status_name"]) == (5, "NOT_FOUND")
    assert answered["grpc_message"] == "no one"


def test_a_call_that_fails_at_once_has_its_status_in_the_header(pair: Pair) -> None:
    pair.ask(1, grpc_request(), message(5))
    pair.answer(1, [*GRPC_RESPONSE, ("grpc-status", "12")])
    wire = Wire().say(*pair.said)
    assert wire.responses[0]["grpc_status_name"] == "UNIMPLEMENTED"


def test_splitting_at_every_byte_changes_nothing() -> None:
    assert_splitting_changes_nothing(conversation())


def test_long_headers_go_on_in_further_frames_and_bodies_may_be_padded(pair: Pair) -> None:
    pair.client.send_headers(1, [*request("/long"), ("x-much", "y" * 40_000)])
    pair.client.send_data(1, b"padded", end_stream=True, pad_length=100)
    pair.flush()
    pair.answer(1, response(), b"done")
    wire = Wire().say(*pair.said)
    assert (wire.requests[0]["path"], wire.requests[0]["body"]) == ("/long", "padded")
    assert len(wire.requests[0]["headers"]["x-much"]) == 40_000
    assert wire.responses[0]["body"] == "done"


def test_a_stream_that_is_reset_has_failed(pair: Pair) -> None:
    pair.ask(1, request("/slow"))
    pair.client.reset_stream(1, ErrorCodes.CANCEL)
    pair.flush()
    wire = Wire().say(*pair.said)
    assert (wire.exchanges[0].failure, wire.requests[0]["http2_error"]) == ("reset", "CANCEL")


def test_going_away_refuses_the_streams_that_were_not_looked_at(pair: Pair) -> None:
    pair.ask(1, request("/served"))
    pair.ask(3, request("/not"))
    goaway = struct.pack("!I", 8)[1:] + b"\x07\0\0\0\0\0" + struct.pack("!II", 1, 0)
    wire = Wire().say(*pair.said, (SERVER, goaway))
    assert [(each["path"]) for each in wire.requests] == ["/not"]
    assert wire.exchanges[0].failure == "refused"


def test_the_middle_of_a_connection_is_shown_as_far_as_it_is_known(pair: Pair) -> None:
    pair.ask(1, request("/before"))
    pair.answer(1, response(), b"x")
    begun = len(pair.said)
    pair.ask(3, request("/after/it"))
    pair.answer(3, response(503), b"sorry")
    pair.ask(5, request("/after/it"))
    pair.answer(5, response(), b"fine")
    wire = Wire().say(*pair.said[begun:])
    assert [each.protocol for each in wire.exchanges] == ["http", "http"]
    assert [each["path"] for each in wire.requests] == ["/after/it", "/after/it"]
    assert wire.requests[0]["unknown_headers"] >= 1
    assert [each["status_code"] for each in wire.responses] == [503, 200]


def test_after_a_gap_the_next_frames_are_found(pair: Pair) -> None:
    pair.ask(1, request("/one"))
    pair.answer(1, response(), b"x" * 5000)
    wire = Wire().say(*pair.said[:-1], (SERVER, pair.said[-1][1][:100])).lose(SERVER, 4000)
    begun = len(pair.said)
    pair.ask(3, request("/two"))
    pair.answer(3, response(), b"found")
    wire.say(*pair.said[begun:])
    assert wire.requests[-1]["path"] == "/two"
    assert wire.responses[-1]["body"] == "found"


def test_an_upgraded_connection_answers_its_request_on_the_first_stream() -> None:
    ask = (
        b"GET /old HTTP/1.1\r\nHost: api\r\nConnection: Upgrade, HTTP2-Settings\r\n"
        b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n"
    )
    agree = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    server = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    server.initiate_upgrade_connection(b"AAMAAABk")
    server.send_headers(1, response())
    server.send_data(1, b"new", end_stream=True)
    client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    client.initiate_upgrade_connection()
    client.send_headers(3, request("/next"), end_stream=True)
    said: list[Said] = [
        (CLIENT, ask),
        (SERVER, agree + server.data_to_send()),
        (CLIENT, client.data_to_send()),
    ]
    wire = Wire().say(*said).end("reset")
    assert [each["path"] for each in wire.requests] == ["/old", "/next"]
    assert (wire.responses[0]["status_code"], wire.responses[0]["body"]) == (200, "new")
    assert [each.failure for each in wire.exchanges] == ["", "reset"]
    assert_splitting_changes_nothing(said)


def test_streams_without_end_are_bounded() -> None:
    client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    client.initiate_connection()
    client.remote_settings.max_concurrent_streams = 10_000
    client.remote_settings.acknowledge()
    for stream in range(1, 2 * (MAX_STREAMS + 50), 2):
        client.send_headers(stream, request("/"))
    wire = Wire().say((CLIENT, client.data_to_send()))
    assert {each.failure for each in wire.exchanges} == {"lost"}
    assert len(wire.exchanges) == 50


@pytest.mark.parametrize(
    ("client", "server", "verdict"),
    [
        (PREFACE, b"", True),
        (PREFACE[:5], b"", None),
        (b"PRIVATE", b"", False),
        (b"", b"", None),
        (b"\x00\x00\x04\x03\x00\x00\x00\x00\x01\x00\x00\x00\x08", b"", True),
        (b"\x00\x00\x04\x03\x00\x00\x00\x00\x00\x00\x00\x00\x08", b"", False),
        (b"*1\r\n$4\r\nPING\r\n", b"", False),
    ],
)
def test_http2_is_recognised_by_preface_or_frames(
    client: bytes, server: bytes, verdict: bool | None
) -> None:
    assert recognise(client, server) is verdict


def literal(name: bytes, value: bytes) -> bytes:
    """A field that stays out of the table, with a long value (RFC 7541, section 6.2.2)."""
    over = len(value) - 127
    length = bytes((0x7F, 0x80 | over & 0x7F, 0x80 | over >> 7 & 0x7F, over >> 14))
    return b"\0" + bytes((len(name),)) + name + length + value


def headers_frame(stream: int, block: bytes) -> bytes:
    return len(block).to_bytes(3, "big") + b"\x01\x05" + struct.pack("!I", stream) + block


def test_headers_of_streams_that_nobody_answers_are_bounded_in_memory() -> None:
    wire = Wire().say((CLIENT, PREFACE))
    for number in range(90):
        block = b"\x82\x84" + literal(b"x-much", b"y" * 60_000)
        wire.say((CLIENT, headers_frame(2 * number + 1, block)))
    assert len(wire.exchanges) > 10
    assert {each.failure for each in wire.exchanges} == {"lost"}
    assert wire.requests[0]["headers"]["x-much"] == "y" * 60_000


def test_a_header_block_that_unpacks_without_end_does_not() -> None:
    # One field of 4000 bytes goes into the table, and is named 60,000 times.
    block = b"\x40" + literal(b"a", b"v" * 4000)[1:] + b"\xbe" * 60_000
    wire = Wire().say((CLIENT, PREFACE + headers_frame(1, block))).end()
    assert len(wire.requests[0]["headers"]["a"]) < 300_000


@pytest.mark.parametrize("seed", range(80))
def test_mutations_do_no_harm(seed: int) -> None:
    assert_mutations_do_no_harm(conversation(), seed)


@given(st.lists(st.tuples(st.sampled_from((CLIENT, SERVER)), st.binary(max_size=60)), max_size=20))
def test_garbage_does_no_harm(garbage: list[Said]) -> None:
    Wire().say((CLIENT, PREFACE), *garbage).end().seen()


@given(st.integers(0, 9), st.integers(0, 255), st.integers(0, 5), st.binary(max_size=60))
def test_frames_with_any_content_do_no_harm(
    kind: int, flags: int, stream: int, payload: bytes
) -> None:
    frame = struct.pack("!I", len(payload))[1:] + struct.pack("!BBI", kind, flags, stream) + payload
    opening = Pair().said
    Wire().say(*opening, (CLIENT, frame), (SERVER, frame), (CLIENT, frame)).end().seen()
