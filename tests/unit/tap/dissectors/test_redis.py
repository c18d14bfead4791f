"""Redis commands find their replies; what is published has no request."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.tap.connection import CLIENT, SERVER
from pilotfish.tap.dissectors.redis import recognise
from support.dissection import (
    Said,
    Wire,
    assert_mutations_do_no_harm,
    assert_splitting_changes_nothing,
)


def command(*words: bytes) -> bytes:
    parts = b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
    return b"*%d\r\n%s" % (len(words), parts)


PIPELINED: list[Said] = [
    (CLIENT, command(b"SET", b"name", b"Viki") + command(b"GET", b"name") + command(b"LPOP", b"l")),
    (SERVER, b"+OK\r\n$4\r\nViki\r\n$-1\r\n"),
    (CLIENT, command(b"INCR", b"name")),
    (SERVER, b"-ERR value is not an integer or out of range\r\n"),
    (CLIENT, command(b"HGETALL", b"h")),
    (SERVER, b"%2\r\n+a\r\n:1\r\n+b\r\n*2\r\n#t\r\n_\r\n"),
]


def test_replies_come_in_the_order_of_the_commands() -> None:
    wire = Wire().say(*PIPELINED)
    assert [(each["command"], each["key"]) for each in wire.requests] == [
        ("SET", "name"),
        ("GET", "name"),
        ("LPOP", "l"),
        ("INCR", "name"),
        ("HGETALL", "h"),
    ]
    assert [each["value"] for each in wire.responses[:3]] == ["OK", "Viki", None]
    assert (wire.responses[3]["status"], wire.responses[3]["error"]) == ("ERR", True)
    assert wire.responses[4]["value"] == {"a": 1, "b": [True, None]}
    assert wire.exchanges[1].request is not None
    assert wire.exchanges[1].request.size == len(command(b"GET", b"name"))


def test_splitting_at_every_byte_changes_nothing() -> None:
    assert_splitting_changes_nothing(PIPELINED)


def test_subscribers_are_sent_messages_nobody_asked_for() -> None:
    published = command(b"message", b"news", b"hi")
    wire = Wire().say(
        (CLIENT, command(b"SUBSCRIBE", b"news", b"sport")),
        (SERVER, b"*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n"),
        (SERVER, b"*3\r\n$9\r\nsubscribe\r\n$5\r\nsport\r\n:2\r\n" + published),
        (SERVER, published),
    )
    assert [each.request is not None for each in wire.exchanges] == [True, False, False]
    assert wire.responses[-1]["value"] == ["message", "news", "hi"]


def test_pushes_of_resp3_do_not_take_the_place_of_replies() -> None:
    wire = Wire().say(
        (CLIENT, command(b"GET", b"a")),
        (SERVER, b">2\r\n+invalidate\r\n*1\r\n+a\r\n" + b"+1\r\n"),
    )
    assert [(each.request is not None) for each in wire.exchanges] == [False, True]
    assert wire.responses[1]["value"] == "1"


def test_commands_may_be_typed_by_hand() -> None:
    wire = Wire().say((CLIENT, b"SET a 1\r\n"), (SERVER, b"+OK\r\n"))
    assert wire.requests[0]["args"] == ["a", "1"]
    assert wire.exchanges[0].protocol == "redis"


def test_a_large_value_is_counted_whole_and_kept_in_part() -> None:
    size = 10_000_000
    wire = Wire().say((CLIENT, command(b"GET", b"big")), (SERVER, b"$%d\r\n" % size))
    for _ in range(10):
        wire.say((SERVER, bytes(size // 10)))
    wire.say((SERVER, b"\r\n"))
    assert wire.responses[0]["size"] == size + len(b"$10000000\r\n\r\n")
    assert len(wire.responses[0]["value"]) < 100_000


def test_after_a_gap_the_next_command_is_found() -> None:
    wire = Wire().say((CLIENT, command(b"SET", b"a", b"x" * 100)[:30])).lose(CLIENT, 50)
    wire.say((CLIENT, b"xxxxx\r\n"), (CLIENT, command(b"GET", b"a")), (SERVER, b"$1\r\nx\r\n"))
    assert [each["command"] for each in wire.requests] == ["GET"]


def test_unanswered_commands_fail_as_the_connection_did() -> None:
    wire = Wire().say((CLIENT, command(b"BLPOP", b"q", b"0"))).end("reset")
    assert [each.failure for each in wire.exchanges] == ["reset"]


@pytest.mark.parametrize(
    ("client", "server", "verdict"),
    [
        (b"*1\r\n$4\r\nPING\r\n", b"", True),
        (b"*", b"", None),
        (b"*1\r\n$", b"", None),
        (b"*x\r\n", b"", False),
        (b"PING\r\n", b"", None),
        (b"PING\r\n", b"+PONG\r\n", True),
        (b"EHLO me\r\n", b"250 ok\r\n", False),
        (b"GET / HTTP/1.1\r\n", b"HTTP/1.1 200 OK\r\n", False),
    ],
)
def test_redis_is_recognised_by_its_first_bytes(
    client: bytes, server: bytes, verdict: bool | None
) -> None:
    assert recognise(client, server) is verdict


def test_commands_that_nobody_answers_are_bounded_in_memory() -> None:
    wire = Wire()
    for _ in range(100):
        wire.say((CLIENT, command(b"SET", b"a", bytes(60_000)) * 10))
    assert len(wire.exchanges) > 900
    assert {each.failure for each in wire.exchanges} == {"lost"}


@pytest.mark.parametrize("seed", range(60))
def test_mutations_do_no_harm(seed: int) -> None:
    assert_mutations_do_no_harm(PIPELINED, seed)


@given(st.lists(st.tuples(st.sampled_from((CLIENT, SERVER)), st.binary(max_size=40)), max_size=20))
def test_garbage_does_no_harm(garbage: list[Said]) -> None:
    Wire().say(PIPELINED[0], *garbage, PIPELINED[1], *garbage).end().seen()


@given(st.text("*$+-:%~>|#_,(=!.?0123456789\r\n", max_size=60))
def test_garbage_of_the_right_letters_does_no_harm(text: str) -> None:
    said = text.encode()
    Wire().say(PIPELINED[0], (SERVER, said), (CLIENT, said)).end().seen()


def answered(*conversation: Said) -> list[tuple[str, object]]:
    """Each command with the value of its reply; "-" without one."""
    wire = Wire().say(*conversation).end()
    return [
        (
            str(each.request.fields()["command"]) if each.request is not None else "?",
            each.response.fields()["value"] if each.response is not None else "-",
        )
        for each in wire.exchanges
    ]


def line(*words: str) -> bytes:
    parts = [b"$%d\r\n%s\r\n" % (len(word), word.encode()) for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(parts)


def test_what_has_no_reply_shifts_none() -> None:
    said = line("SET", "a", "1") + line("CLIENT", "REPLY", "SKIP") + line("SET", "b", "2")
    said += line("GET", "a") + line("client", "reply", "off") + line("GET", "a")
    said += line("CLIENT", "REPLY", "SKIP") + line("CLIENT", "REPLY", "ON") + line("GET", "b")
    assert sorted(answered((CLIENT, said), (SERVER, b"+OK\r\n$1\r\n1\r\n+OK\r\n$1\r\n2\r\n"))) == (
        sorted(
            [
                ("SET", "OK"),
                ("CLIENT", "-"),
                ("SET", "-"),
                ("GET", "1"),
                ("CLIENT", "-"),
                ("GET", "-"),
                ("CLIENT", "-"),
                ("CLIENT", "OK"),
                ("GET", "2"),
            ]
        )
    )


def test_a_replicas_acknowledgement_has_no_reply() -> None:
    said = line("REPLCONF", "ACK", "17") + line("PING")
    assert answered((CLIENT, said), (SERVER, b"+PONG\r\n")) == [("REPLCONF", "-"), ("PING", "PONG")]


def test_attributes_belong_to_the_reply_behind_them() -> None:
    attributes = b"|1\r\n+ttl\r\n:3600\r\n"
    wire = Wire().say((CLIENT, line("GET", "a")), (SERVER, attributes), (SERVER, b"$1\r\n1\r\n"))
    (response,) = wire.responses
    assert (response["value"], response["attributes"]) == ("1", {"ttl": 3600})
    assert response["size"] == len(attributes) + 7
    wire.say((CLIENT, line("GET", "a")), (SERVER, b"*2\r\n:1\r\n|1\r\n+ttl\r\n:1\r\n:2\r\n"))
    assert wire.responses[1]["value"] == [1, 2]
    assert "attributes" not in wire.responses[1]
