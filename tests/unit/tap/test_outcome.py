"""What came of an exchange fits in a line."""

from __future__ import annotations

import struct

import pytest

from pilotfish.tap import outcome
from pilotfish.tap.connection import CLIENT, SERVER
from pilotfish.tap.exchange import Exchange
from support import exchanges
from support.exchanges import (
    AT_S,
    GET,
    NOT_FOUND,
    PG_COLUMNS,
    PG_ERROR,
    PG_ROW,
    entry_of,
    grpc,
    http,
    look_up,
    pg_message,
    postgresql,
    redis,
    websocket,
)


def redis_command(*words: bytes) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


def postgresql_unasked(message: bytes) -> Exchange:
    """What the server says on its own."""
    query = pg_message("Q", b"SELECT 1\0")
    ready = pg_message("C", b"SELECT 1\0") + pg_message("Z", b"I")
    return exchanges.exchanges((CLIENT, query), (SERVER, ready), (SERVER, message))[-1]


CASES: list[tuple[Exchange, str, str, bool]] = [
    (http(), "GET /demo/hello?who=me → 200", "200", False),
    (http(GET, NOT_FOUND), "GET /demo/hello?who=me → 404", "404", True),
    (
        exchanges.exchanges((CLIENT, GET), end="reset")[0],
        "GET /demo/hello?who=me → reset",
        "reset",
        True,
    ),
    (
        exchanges.exchanges((CLIENT, GET), end="lost")[0],
        "GET /demo/hello?who=me → lost",
        "lost",
        False,
    ),
    (grpc(), "helloworld.Greeter/SayHello → OK", "OK", False),
    (
        grpc(5, "no one"),
        "helloworld.Greeter/SayHello → NOT_FOUND: no one",
        "NOT_FOUND",
        True,
    ),
    (
        look_up("10.96.3.4"),
        "A go-demo-2-db.default.svc.cluster.local → 10.96.3.4",
        "NOERROR",
        False,
    ),
    (
        exchanges.exchanges(
            (CLIENT, redis_command(b"SUBSCRIBE", b"news")),
            (SERVER, redis_command(b"message", b"news", b"hi") * 2),
        )[-1],
        "message news → hi",
        "OK",
        False,
    ),
    (
        postgresql_unasked(pg_message("A", struct.pack("!I", 7) + b"jobs\x0042\0")),
        "NOTIFY jobs → 42",
        "OK",
        False,
    ),
    (
        postgresql_unasked(pg_message("E", b"SFATAL\0C57P01\0Mterminating\0\0")),
        "(unasked) → 57P01 terminating",
        "57P01",
        True,
    ),
    (look_up(name="x.", rcode=3), "A x → NXDOMAIN", "NXDOMAIN", False),
    (look_up(name="x.", rcode=2), "A x → SERVFAIL", "SERVFAIL", True),
    (look_up(name="x.", kind="AAAA"), "AAAA x → no such record", "NOERROR", False),
    (
        look_up(*(f"10.0.0.{n}" for n in range(1, 6)), name="x."),
        "A x → 10.0.0.1, 10.0.0.2, 10.0.0.3 and 2 more",
        "NOERROR",
        False,
    ),
    (redis(b"+OK\r\n", b"set", b"greeting", b"hi"), "SET greeting hi → OK", "OK", False),
    (redis(b"$-1\r\n", b"get", b"a"), "GET a → nil", "OK", False),
    (redis(b"*1\r\n$1\r\na\r\n", b"keys", b"*"), "KEYS * → 1 item", "OK", False),
    (redis(b":3\r\n", b"del", b"a", b"b", b"c"), "DEL a b … → 3", "OK", False),
    (redis(b"-WRONGTYPE no\r\n", b"get", b"a"), "GET a → WRONGTYPE no", "WRONGTYPE", True),
    (
        postgresql("select *\n  from pets", PG_COLUMNS, PG_ROW * 3, pg_message("C", b"SELECT 3\0")),
        "select * from pets → 3 rows",
        "OK",
        False,
    ),
    (
        postgresql("insert into pets values (1)", pg_message("C", b"INSERT 0 1\0")),
        "insert into pets values (1) → INSERT 0 1",
        "OK",
        False,
    ),
    (postgresql("select x", PG_ERROR), "select x → 42P01 no such table", "42P01", True),
    (websocket(CLIENT, b"\x81\x85\0\0\0\0hello"), "WS /chat → text hello", "", False),
    (websocket(SERVER, b"\x82\x03abc"), "WS /chat ← binary 3 B", "", False),
    (websocket(SERVER, b"\x88\x02\x03\xe8"), "WS /chat ← close 1000", "1000", False),
    (
        websocket(SERVER, b"\x88\x05" + struct.pack("!H", 1011) + b"ill"),
        "WS /chat ← close 1011 ill",
        "1011",
        True,
    ),
    (
        exchanges.tls(exchanges.TLS_ALERT),
        "TLS api.test (1.3) → handshake_failure",
        "handshake_failure",
        True,
    ),
    (exchanges.failed("refused"), "TCP → refused", "refused", True),
    (
        exchanges.failed("icmp host unreachable"),
        "TCP → icmp host unreachable",
        "icmp host unreachable",
        True,
    ),
    (
        exchanges.exchanges((CLIENT, b"\0" * 3400), (SERVER, b"\0"), end="closed")[0],
        "TCP 3.4 kB → 1 B",
        "",
        False,
    ),
    (
        exchanges.exchanges((CLIENT, b"\0\1"), end="reset")[0],
        "TCP 2 B → nothing (reset)",
        "reset",
        True,
    ),
]


@pytest.mark.parametrize(
    ("exchange", "summary", "status", "error"), CASES, ids=[case[1] for case in CASES]
)
def test_an_exchange_in_a_line(exchange: Exchange, summary: str, status: str, error: bool) -> None:
    made = entry_of(exchange)
    assert (made["summary"], made["status"], made["error"]) == (summary, status, error)


def test_the_code_of_a_dns_answer_is_its_rcode() -> None:
    assert entry_of(look_up("10.96.3.4"))["status_code"] == 0
    assert entry_of(look_up(rcode=3))["status_code"] == 3


class Said:
    """A message of a protocol that nobody has words for."""

    size = 10

    def __init__(self, **fields: object) -> None:
        self._fields = fields

    def fields(self) -> dict[str, object]:
        return self._fields


def test_a_protocol_without_words_of_its_own_is_told_by_its_fields() -> None:
    over = exchanges.connection()
    asked, answered = Said(method="LIST", path="UPS"), Said(status="OK", error=False)
    made = entry_of(Exchange("nut", over, asked, AT_S, answered, AT_S + 1, AT_S + 1))
    assert (made["summary"], made["method"], made["path"]) == ("NUT LIST UPS → OK", "LIST", "UPS")
    failed = entry_of(Exchange("nut", over, asked, AT_S, Said(status="ERR", error=True), AT_S))
    assert (failed["summary"], failed["error"]) == ("NUT LIST UPS → ERR", True)
    silent = entry_of(Exchange("nut", over, Said(), AT_S, failure="reset"))
    assert (silent["summary"], silent["status"]) == ("NUT → reset", "reset")


def test_a_line_is_short_whatever_strangers_send() -> None:
    long = b"GET /" + b"x" * 5000 + b" HTTP/1.1\r\nHost: api\r\n\r\n"
    keys = redis(b"+" + b"y" * 5000 + b"\r\n", b"set", b"k" * 5000, b"v" * 5000)
    for exchange in (http(long), keys, look_up(*(f"10.0.0.{n}" for n in range(100)))):
        assert len(entry_of(exchange)["summary"]) <= outcome.MAX_SUMMARY_CHARS


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1_500_000, "1.5 MB"), (10**13, "10000.0 GB")],
)
def test_sizes_for_people(size: int, text: str) -> None:
    assert outcome.size_text(size) == text
