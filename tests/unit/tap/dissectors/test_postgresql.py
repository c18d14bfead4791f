"""PostgreSQL statements find their outcomes; passwords are kept nowhere."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.tap.connection import CLIENT, SERVER
from pilotfish.tap.dissectors.postgresql import recognise
from support.dissection import (
    Said,
    Wire,
    assert_mutations_do_no_harm,
    assert_splitting_changes_nothing,
)


def message(kind: str, payload: bytes = b"") -> bytes:
    return kind.encode() + struct.pack("!I", len(payload) + 4) + payload


def untyped(code: int, payload: bytes = b"") -> bytes:
    return struct.pack("!II", len(payload) + 8, code) + payload


STARTUP = untyped(196608, b"user\0me\0database\0shop\0application_name\0test\0\0")
SSL_REQUEST = untyped(80877103)
READY = message("Z", b"I")
LOG_IN: list[Said] = [
    (CLIENT, STARTUP),
    (SERVER, message("R", struct.pack("!I", 3))),
    (CLIENT, message("p", b"hunter2\0")),
    (SERVER, message("R", struct.pack("!I", 0)) + message("S", b"TimeZone\0UTC\0") + READY),
]
COLUMNS = message("T", struct.pack("!H", 2) + b"id\0" + bytes(18) + b"name\0" + bytes(18))
ROW = message("D", struct.pack("!HI", 1, 1) + b"7")
ERROR = message("E", b"SERROR\0VERROR\0C42P01\0Mno such table\0\0")


def query(text: str) -> bytes:
    return message("Q", text.encode() + b"\0")


def bind(statement: bytes, *values: bytes) -> bytes:
    packed = b"".join(struct.pack("!I", len(value)) + value for value in values)
    parameters = struct.pack("!HH", 0, len(values)) + packed + struct.pack("!H", 0)
    return message("B", b"\0" + statement + b"\0" + parameters)


EXECUTE = message("E", b"\0" + struct.pack("!I", 0))
SYNC = message("S")
CONVERSATION: list[Said] = [
    *LOG_IN,
    (CLIENT, query("select id, name from people")),
    (SERVER, COLUMNS + ROW * 3 + message("C", b"SELECT 3\0") + READY),
    (CLIENT, query("select * from nothing")),
    (SERVER, ERROR + READY),
    (
        CLIENT,
        message("P", b"s1\0insert into people values ($1, $2)\0\0\0") + message("D", b"Ss1\0"),
    ),
    (CLIENT, bind(b"s1", b"8", b"Viki") + EXECUTE + SYNC),
    (SERVER, message("1") + message("t", b"\0\0") + message("n") + message("2")),
    (SERVER, message("C", b"INSERT 0 1\0") + READY),
    (CLIENT, bind(b"s1", b"9", b"Joe") + EXECUTE + bind(b"s1", b"8", b"Two") + EXECUTE + SYNC),
    (SERVER, message("2") + message("C", b"INSERT 0 1\0") + message("2") + ERROR + READY),
]


def test_a_statement_and_its_outcome_are_one_exchange() -> None:
    wire = Wire().say(*CONVERSATION)
    assert [each.protocol for each in wire.exchanges] == ["postgresql"] * 6
    assert [each["method"] for each in wire.requests] == [
        "STARTUP",
        "SELECT",
        "SELECT",
        "INSERT",
        "INSERT",
        "INSERT",
    ]
    assert (wire.requests[0]["user"], wire.requests[0]["database"]) == ("me", "shop")
    selected = wire.responses[1]
    assert (selected["rows"], selected["columns"]) == (3, ["id", "name"])
    assert selected["commands"] == ["SELECT 3"]
    failed = wire.responses[2]
    assert (failed["status"], failed["error_message"]) == ("42P01", "no such table")
    assert wire.requests[3]["query"] == "insert into people values ($1, $2)"
    assert wire.requests[3]["parameters"] == ["8", "Viki"]
    assert [each["error"] for each in wire.responses] == [False, False, True, False, False, True]


def test_splitting_at_every_byte_changes_nothing() -> None:
    assert_splitting_changes_nothing(CONVERSATION)


def test_passwords_are_nowhere() -> None:
    wire = Wire().say(*LOG_IN)
    assert "hunter2" not in str(wire.seen())
    assert wire.responses[0]["status"] == "OK"


def test_a_log_in_that_fails_tells_why() -> None:
    denied = message("E", b"SFATAL\0C28P01\0Mpassword authentication failed\0\0")
    wire = Wire().say(*LOG_IN[:3], (SERVER, denied)).end()
    assert [each["status"] for each in wire.responses] == ["28P01"]


def test_what_a_failed_batch_did_not_reach_was_skipped() -> None:
    wire = Wire().say(
        *LOG_IN,
        (CLIENT, message("P", b"\0select 1/0\0\0\0") + (bind(b"") + EXECUTE) * 2 + SYNC),
        (SERVER, message("1") + message("2") + ERROR + READY),
        (CLIENT, query("select 1")),
        (SERVER, COLUMNS + ROW + message("C", b"SELECT 1\0") + READY),
    )
    assert [each.failure for each in wire.exchanges] == ["", "", "skipped", ""]
    assert wire.responses[-1]["rows"] == 1


def test_a_statement_that_is_only_prepared_is_told() -> None:
    wire = Wire().say(
        *LOG_IN,
        (CLIENT, message("P", b"s\0select 1\0\0\0") + SYNC),
        (SERVER, message("1") + READY),
    )
    assert (wire.requests[1]["method"], wire.requests[1]["query"]) == ("PREPARE", "select 1")


def test_copied_data_are_counted_in_both_directions() -> None:
    wire = Wire().say(
        *LOG_IN,
        (CLIENT, query("copy people from stdin")),
        (SERVER, message("G", b"\0\0\0")),
        (CLIENT, message("d", b"1\tone\n") + message("d", b"2\ttwo\n") + message("c")),
        (SERVER, message("C", b"COPY 2\0") + READY),
        (CLIENT, query("copy people to stdout")),
        (SERVER, message("H", b"\0\0\0") + message("d", b"1\tone\n") * 2 + message("c")),
        (SERVER, message("C", b"COPY 2\0") + READY),
    )
    assert wire.requests[1]["copied_bytes"] == 12
    assert wire.responses[2]["rows"] == 2
    assert wire.requests[2]["method"] == "COPY"


def test_a_notification_has_no_request() -> None:
    notification = message("A", struct.pack("!I", 4711) + b"news\0hello\0")
    wire = Wire().say(*LOG_IN, (SERVER, notification))
    assert wire.exchanges[1].request is None
    assert (wire.responses[1]["channel"], wire.responses[1]["payload"]) == ("news", "hello")


def test_a_server_without_encryption_goes_on_in_plain_text() -> None:
    wire = Wire().say((CLIENT, SSL_REQUEST), (SERVER, b"N"), *CONVERSATION)
    assert len(wire.exchanges) == 6


def test_the_middle_of_a_connection_is_recognised_by_a_query() -> None:
    wire = Wire().say(*CONVERSATION[4:6])
    assert (wire.requests[0]["method"], wire.responses[0]["rows"]) == ("SELECT", 3)


def test_after_a_gap_the_next_query_is_found() -> None:
    wire = Wire().say(*LOG_IN, (CLIENT, query("select 1" + " " * 100)[:50])).lose(CLIENT, 50)
    wire.say((CLIENT, b"   \0"), (CLIENT, query("select 2")))
    wire.say((SERVER, COLUMNS + ROW + message("C", b"SELECT 1\0") + READY))
    assert (wire.requests[-1]["query"], wire.responses[-1]["rows"]) == ("select 2", 1)


def test_rows_are_counted_not_kept() -> None:
    wire = Wire().say(*LOG_IN, (CLIENT, query("select big"))).say((SERVER, COLUMNS))
    row = message("D", bytes(1_000_000))
    for _ in range(20):
        wire.say((SERVER, row))
    wire.say((SERVER, message("C", b"SELECT 20\0") + READY))
    assert wire.responses[1]["rows"] == 20
    assert wire.responses[1]["size"] > 20_000_000


@pytest.mark.parametrize(
    ("client", "verdict"),
    [
        (STARTUP, True),
        (STARTUP[:5], None),
        (SSL_REQUEST, True),
        (query("select 1"), True),
        (query("select 1")[:9], None),
        (b"POST / HTTP/1.1\r\n", False),
        (b"QUIT\r\n", False),
        (b"\0\0\0\x08\0\0\0\0", False),
    ],
)
def test_postgresql_is_recognised_by_its_first_bytes(client: bytes, verdict: bool | None) -> None:
    assert recognise(client, b"") is verdict


def test_statements_that_nobody_answers_are_bounded_in_memory() -> None:
    wire = Wire().say(*LOG_IN)
    for _ in range(200):
        wire.say((CLIENT, query("select '" + "x" * 60_000 + "'")))
    assert len(wire.exchanges) > 100
    assert {each.failure for each in wire.exchanges[1:]} == {"lost"}


@pytest.mark.parametrize("seed", range(80))
def test_mutations_do_no_harm(seed: int) -> None:
    assert_mutations_do_no_harm(CONVERSATION, seed)


@given(st.lists(st.tuples(st.sampled_from((CLIENT, SERVER)), st.binary(max_size=60)), max_size=20))
def test_garbage_does_no_harm(garbage: list[Said]) -> None:
    Wire().say((CLIENT, STARTUP), *garbage).end().seen()


@given(st.sampled_from("QPBDEHSCcdfFXp"), st.sampled_from("TCEZDAINSR"), st.binary(max_size=60))
def test_messages_with_any_content_do_no_harm(asked: str, told: str, payload: bytes) -> None:
    exchange: list[Said] = [(CLIENT, message(asked, payload)), (SERVER, message(told, payload))]
    Wire().say(*LOG_IN, (CLIENT, query("x")), *exchange, *exchange).end().seen()
