"""HTTP/1.x is cut into the same exchanges, however its bytes are split."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from functools import partial

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.tap.connection import CLIENT, SERVER, Connection, Listener
from pilotfish.tap.dissectors.http1 import Http1, recognise
from pilotfish.tap.dissectors.http_message import MAX_BODY_BYTES, HttpMessage, decoded
from pilotfish.tap.exchange import Exchange
from support.dissection import assert_mutations_do_no_harm, context_of

Said = tuple[int, bytes]

GET = b"GET /demo/hello?who=me HTTP/1.1\r\nHost: api\r\nX-Twice: a\r\nX-Twice: b\r\n\r\n"
POST = b"POST /demo/person HTTP/1.1\r\nHost: api\r\nContent-Length: 9\r\n\r\nname=Viki"
HEAD = b"HEAD /big HTTP/1.1\r\nHost: api\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\nhello\r\n7;note=x\r\n, world\r\n0\r\nX-Trailer: t\r\n\r\n"
)
NOT_MODIFIED = b"HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n"
HEAD_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
UNTIL_CLOSE = b"HTTP/1.0 200 OK\r\nServer: old\r\n\r\nall of this"
BARE_LINES = b"GET / HTTP/1.0\nHost: api\n\n"

CONVERSATIONS: dict[str, list[Said]] = {
    "one": [(CLIENT, GET), (SERVER, OK)],
    "keep-alive": [(CLIENT, GET), (SERVER, OK), (CLIENT, POST), (SERVER, CHUNKED)],
    "pipelined": [(CLIENT, GET + POST + GET), (SERVER, OK + CHUNKED + NOT_MODIFIED)],
    "HEAD": [(CLIENT, HEAD + GET), (SERVER, HEAD_ANSWER + OK)],
    "continue": [(CLIENT, POST), (SERVER, CONTINUE + OK)],
    "until close": [(CLIENT, BARE_LINES), (SERVER, UNTIL_CLOSE)],
}


class Wire:
    """A dissector, and what it emitted."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        connection = Connection(b"\0" * 4, 40000, b"\1" * 4, 80, 0.0)
        connection.listener = Http1(connection, context_of(connection, self.exchanges))
        self.connection = connection

    @property
    def dissector(self) -> Listener:
        """Who listens now: an upgrade puts another one in Http1's place."""
        return self.connection.listener

    def say(self, conversation: list[Said]) -> None:
        for number, (side, payload) in enumerate(conversation):
            self.dissector.data(side, payload, float(number))

    def close(self) -> None:
        self.dissector.closed(CLIENT, 99.0)
        self.dissector.closed(SERVER, 99.0)
        self.dissector.ended("closed", 99.0)

    def seen(self) -> list[object]:
        return [
            (
                each.request and each.request.fields(),
                each.response and each.response.fields(),
                each.failure,
            )
            for each in self.exchanges
        ]


def seen(conversation: list[Said]) -> list[object]:
    wire = Wire()
    wire.say(conversation)
    wire.close()
    return wire.seen()


@pytest.mark.parametrize("conversation", CONVERSATIONS.values(), ids=CONVERSATIONS)
def test_splitting_at_every_byte_changes_nothing(conversation: list[Said]) -> None:
    whole = seen(conversation)
    for index, (side, payload) in enumerate(conversation):
        for at in range(1, len(payload)):
            parts = [(side, payload[:at]), (side, payload[at:])]
            assert seen([*conversation[:index], *parts, *conversation[index + 1 :]]) == whole
    crumbs = [(side, bytes((byte,))) for side, payload in conversation for byte in payload]
    assert seen(crumbs) == whole


def test_a_request_and_its_answer_are_one_exchange() -> None:
    wire = Wire()
    wire.say([(CLIENT, GET), (SERVER, OK)])
    (exchange,) = wire.exchanges
    assert exchange.request is not None
    assert exchange.response is not None
    request, response = exchange.request.fields(), exchange.response.fields()
    assert (request["method"], request["path"], request["query"]) == (
        "GET",
        "/demo/hello",
        {"who": "me"},
    )
    assert request["headers"] == {"host": "api", "x-twice": "a, b"}
    assert (response["status_code"], response["body"]) == (200, "hello")
    assert (exchange.request_s, exchange.response_s, exchange.end_s) == (0.0, 1.0, 1.0)


def test_pipelined_answers_find_their_requests() -> None:
    wire = Wire()
    wire.say(CONVERSATIONS["pipelined"])
    pairs = [
        (each.request.fields()["path"], each.response.fields()["status_code"])
        for each in wire.exchanges
        if each.request and each.response
    ]
    assert pairs == [("/demo/hello", 200), ("/demo/person", 200), ("/demo/hello", 304)]


def test_chunks_are_joined_and_the_size_on_the_wire_is_all_of_it() -> None:
    wire = Wire()
    wire.say([(CLIENT, GET), (SERVER, CHUNKED)])
    response = wire.exchanges[0].response
    assert response is not None
    assert response.fields()["body"] == "hello, world"
    assert response.size == len(CHUNKED)


@pytest.mark.parametrize(
    ("coding", "pack"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda body: zlib.compress(body)[2:-4]),
        ("gzip, deflate", lambda body: zlib.compress(gzip.compress(body))),
        ("br", brotli.compress),
    ],
    ids=["gzip", "deflate", "bare deflate", "both", "brotli"],
)
def test_compressed_bodies_are_unpacked(coding: str, pack: Callable[[bytes], bytes]) -> None:
    body = pack(b"plain text " * 50)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {len(body)}\r\n\r\n"
    wire = Wire()
    wire.say([(CLIENT, GET), (SERVER, head.encode() + body)])
    response = wire.exchanges[0].response
    assert response is not None
    assert response.fields()["body"] == "plain text " * 50


@pytest.mark.parametrize(
    ("coding", "pack"), [(b"gzip", gzip.compress), (b"br", partial(brotli.compress, quality=5))]
)
def test_a_decompression_bomb_unpacks_no_further_than_the_bound(
    coding: bytes, pack: Callable[[bytes], bytes]
) -> None:
    body = pack(bytes(50 * 1024 * 1024))
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n"
    head %= (coding, len(body))
    wire = Wire()
    wire.say([(CLIENT, GET), (SERVER, head + body)])
    response = wire.exchanges[0].response
    assert response is not None
    assert len(response.fields()["body"]) == MAX_BODY_BYTES


def test_a_large_body_is_counted_whole_and_kept_in_part() -> None:
    size = MAX_BODY_BYTES + 1000
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size
    wire = Wire()
    wire.say([(CLIENT, GET), (SERVER, head), (SERVER, bytes(1000)), (SERVER, bytes(size - 1000))])
    response = wire.exchanges[0].response
    assert response is not None
    fields = response.fields()
    assert (fields["body_size"], len(fields["body"])) == (size, MAX_BODY_BYTES)


def test_a_request_that_is_never_answered_fails_as_the_connection_did() -> None:
    wire = Wire()
    wire.say([(CLIENT, GET)])
    wire.dissector.ended("reset", 5.0)
    (exchange,) = wire.exchanges
    assert (exchange.response, exchange.failure) == (None, "reset")


def test_bytes_lost_inside_a_body_are_counted_and_the_next_message_is_found() -> None:
    wire = Wire()
    wire.say([(CLIENT, GET), (SERVER, b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfirst")])
    wire.dissector.gap(SERVER, 95, 2.0)
    wire.say([(CLIENT, GET), (SERVER, OK)])
    assert [each.failure for each in wire.exchanges] == ["", ""]
    assert [each.response.size for each in wire.exchanges if each.response][1] == len(OK)


def test_after_a_lost_head_the_next_answer_is_found() -> None:
    wire = Wire()
    wire.dissector.data(SERVER, b"HTTP/1.1 200 OK\r\nContent-", 0.0)
    wire.dissector.gap(SERVER, 40, 1.0)
    wire.dissector.data(SERVER, b"e of what was lost" + OK, 2.0)
    (exchange,) = wire.exchanges
    assert exchange.response is not None
    assert exchange.response.fields()["body"] == "hello"


@pytest.mark.parametrize(
    ("client", "server", "verdict"),
    [
        (b"GET / HTTP/1.1\r\n", b"", True),
        (b"GE", b"", None),
        (b"GET /long", b"", None),
        (b"GET me a coffee\r\n", b"", False),
        (b"\x16\x03\x01", b"", False),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"", False),
        (b"", b"HTTP/1.1 200 OK\r\n", True),
        (b"", b"+OK\r\n and more of it", False),
        (b"", b"HTTP", None),
    ],
)
def test_http_is_recognised_by_its_first_bytes(
    client: bytes, server: bytes, verdict: bool | None
) -> None:
    assert recognise(client, server) is verdict


def test_a_target_that_is_no_url_is_shown_as_it_is() -> None:
    wire = Wire()
    wire.say([(CLIENT, b"GET //[ HTTP/1.1\r\n\r\n"), (SERVER, OK)])
    request = wire.exchanges[0].request
    assert request is not None
    assert request.fields()["path"] == "//["


CONNECT = b"CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\n\r\n"
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


def test_what_is_said_in_a_tunnel_is_recognised_anew() -> None:
    wire = Wire()
    wire.say([(CLIENT, CONNECT), (SERVER, ESTABLISHED), (CLIENT, GET), (SERVER, OK)])
    wire.say([(CLIENT, POST), (SERVER, OK)])
    assert [each.request.fields()["method"] for each in wire.exchanges if each.request] == [
        "CONNECT",
        "GET",
        "POST",
    ]


def test_an_upgrade_to_something_unknown_leaves_a_plain_flow() -> None:
    agree = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: SPDY/3.1\r\n\r\n\x80\x03\0\x04 and so on"
    wire = Wire()
    wire.say([(CLIENT, GET), (SERVER, agree), (CLIENT, b"\x80\x03\0\x01" + bytes(40))])
    wire.close()
    assert [each.protocol for each in wire.exchanges] == ["http", "tcp"]
    assert wire.exchanges[1].request is not None
    assert wire.exchanges[1].request.size == 44


def test_requests_that_nobody_answers_are_bounded_in_memory() -> None:
    wire = Wire()
    post = b"POST / HTTP/1.1\r\nContent-Length: 200000\r\n\r\n" + bytes(200_000)
    wire.say([(CLIENT, post)] * 200)
    assert len(wire.exchanges) > 100
    assert {each.failure for each in wire.exchanges} == {"lost"}


@pytest.mark.parametrize("seed", range(60))
def test_mutations_do_no_harm(seed: int) -> None:
    conversation = [said for each in CONVERSATIONS.values() for said in each]
    assert_mutations_do_no_harm(conversation, seed)


@given(st.lists(st.tuples(st.sampled_from((CLIENT, SERVER)), st.binary(max_size=60)), max_size=20))
def test_garbage_never_breaks_the_dissector(conversation: list[Said]) -> None:
    wire = Wire()
    wire.say([(CLIENT, GET[:20]), *conversation, (SERVER, OK), *conversation])
    wire.close()
    for exchange in wire.exchanges:
        for message in (exchange.request, exchange.response):
            assert message is None or message.fields()


def told(conversation: list[Said]) -> list[tuple[str, str, str]]:
    """Request line, status and failure of each exchange."""
    wire = Wire()
    wire.say(conversation)
    wire.close()
    return [
        (
            " ".join(each.request.start_line[:2]) if isinstance(each.request, HttpMessage) else "?",
            each.response.start_line[1] if isinstance(each.response, HttpMessage) else "",
            each.failure,
        )
        for each in wire.exchanges
    ]


UPLOAD = b"POST /early HTTP/1.1\r\nContent-Length: 1000\r\n\r\n"
EXPECTING = b"POST /late HTTP/1.1\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
NEXT = b"GET /next HTTP/1.1\r\n\r\n"


def status(code: int) -> bytes:
    return b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % code


EARLY: dict[str, tuple[list[Said], list[tuple[str, str, str]]]] = {
    "too large": (
        [(CLIENT, UPLOAD + b"x" * 400), (SERVER, status(413))],
        [("POST /early", "413", "")],
    ),
    "too large, read to its end": (
        [
            (CLIENT, UPLOAD + b"x" * 400),
            (SERVER, status(413)),
            (CLIENT, b"x" * 600 + NEXT),
            (SERVER, status(200)),
        ],
        [("POST /early", "413", ""), ("GET /next", "200", "")],
    ),
    "declined": (
        [(CLIENT, EXPECTING), (SERVER, status(401)), (CLIENT, NEXT), (SERVER, status(200))],
        [("POST /late", "401", ""), ("GET /next", "200", "")],
    ),
    "declined, sent all the same": (
        [
            (CLIENT, EXPECTING),
            (SERVER, status(401)),
            (CLIENT, b"hello"),
            (CLIENT, NEXT),
            (SERVER, status(200)),
        ],
        [("POST /late", "401", ""), ("GET /next", "200", "")],
    ),
    "declined after a continue": (
        [
            (CLIENT, EXPECTING.replace(b" 5", b" 22")),
            (SERVER, CONTINUE + status(401)),
            (CLIENT, NEXT),  # the body, which happens to look like a request
            (CLIENT, NEXT),
            (SERVER, status(200)),
        ],
        [("POST /late", "401", ""), ("GET /next", "200", "")],
    ),
    "before the end of the head": (
        [(CLIENT, b"GET /huge HTTP/1.1\r\nX: "), (SERVER, status(431))],
        [("GET /huge", "431", "")],
    ),
    "pipelined before it": (
        [(CLIENT, NEXT + UPLOAD), (SERVER, status(200) + status(413))],
        [("GET /next", "200", ""), ("POST /early", "413", "")],
    ),
    "to nothing": ([(SERVER, status(408))], [("?", "408", "")]),
    "to HEAD": (
        [
            (CLIENT, b"HEAD /h HTTP/1.1\r\nContent-Length: 9\r\n\r\n"),
            (SERVER, HEAD_ANSWER),
            (CLIENT, b"x" * 9 + NEXT),
            (SERVER, status(200)),
        ],
        [("HEAD /h", "200", ""), ("GET /next", "200", "")],
    ),
}


@pytest.mark.parametrize(("conversation", "expected"), EARLY.values(), ids=EARLY)
def test_an_answer_before_the_requests_end_is_that_requests(
    conversation: list[Said], expected: list[tuple[str, str, str]]
) -> None:
    assert told(conversation) == expected
    crumbs = [(side, bytes((byte,))) for side, payload in conversation for byte in payload]
    assert told(crumbs) == expected


@pytest.mark.parametrize(
    "line",
    [
        b"GET  /a?b=c  HTTP/1.1\r\n",
        b"GET\t/a?b=c HTTP/1.1 \r\n",
        b"BREW /a?b=c HTTP/1.1\r\n",
        b"M-SEARCH /a?b=c HTTP/1.0\n",
    ],
)
def test_a_request_line_is_read_as_servers_read_it(line: bytes) -> None:
    assert recognise(line, b"") is True
    wire = Wire()
    wire.say([(CLIENT, line + b"Host: a\r\n\r\n"), (SERVER, OK)])
    (exchange,) = wire.exchanges
    assert exchange.request is not None
    fields = exchange.request.fields()
    assert (fields["path"], fields["query"]) == ("/a", {"b": "c"})
    assert fields["version"].startswith("HTTP/1.")


def test_a_folded_header_is_whole() -> None:
    wire = Wire()
    head = b"GET / HTTP/1.1\r\nX-Long: one\r\n  two\r\n\tthree \r\nY :z\r\nno header\r\n"
    head += b"A: 1\r\na: 2\r\n\r\n"
    wire.say([(CLIENT, head), (SERVER, OK)])
    assert wire.exchanges[0].request is not None
    headers = wire.exchanges[0].request.fields()["headers"]
    assert headers == {"x-long": "one two three", "y": "z", "a": "1, 2"}


@pytest.mark.parametrize("members", [2, 3000])
def test_every_member_of_a_gzip_body_is_unpacked(members: int) -> None:
    body = gzip.compress(b"ab") * members
    assert decoded(body, "gzip") == b"ab" * members
    assert decoded(body + b"trailing", "gzip") == b"ab" * members
    assert decoded(body[:-9], "gzip") == b"ab" * members
    assert decoded(b"no gzip", "gzip") == b"no gzip"


def test_codings_upon_codings_are_left_as_they_are() -> None:
    body = b"x"
    for _ in range(5):
        body = gzip.compress(body)
    assert decoded(body, ", ".join(["gzip"] * 5)) == body
    assert decoded(gzip.compress(gzip.compress(b"x")), "gzip, gzip") == b"x"


def test_a_long_trailer_ends_the_message_as_lost() -> None:
    wire = Wire()
    trailer = b"X: y\r\n" * 20_000
    wire.say([(CLIENT, GET), (SERVER, CHUNKED.partition(b"0\r\n")[0] + b"0\r\n" + trailer)])
    (exchange,) = wire.exchanges
    assert exchange.failure == "lost"
