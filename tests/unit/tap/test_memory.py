"""What all connections and flows keep together stays within one budget, whatever they say."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator

import pytest

from pilotfish.tap.dissection import Dissection
from pilotfish.tap.exchange import Exchange
from pilotfish.tap.memory import Memory
from support.wire import ACK, RST, SYN, tcp, udp

BUDGET = 2 * 1024 * 1024
CONNECTIONS = 1000

GET = b"GET /hello HTTP/1.1\r\nHost: api\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
POST = b"POST /upload HTTP/1.1\r\nHost: api\r\nContent-Length: 999999\r\n\r\n"
H2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
STARTUP = b"\x00\x00\x00\x12\x00\x03\x00\x00user\x00root\x00"
HELLO = bytes.fromhex("1603011000010020000303") + bytes(1200)

# What the client says on a connection that is never closed, segment by segment.
NEVER_CLOSED = {
    "waits for an answer": [GET],
    "is sending a body": [POST + b"x" * 1000, b"y" * 1400, b"z" * 1400],
    "is sending a head": [b"GET / HTTP/1.1\r\nCookie: " + b"x" * 1400, b"y" * 1400],
    "has said too little": [b"GET /" + b"x" * 1400, b"y" * 1400, b"z" * 1400],
    "says one byte at a time": [bytes((byte,)) for byte in b"GET /abcdefghijklmnopqrstuvw"],
    "speaks HTTP/2": [H2 + b"\x00\x20\x00\x01\x04\x00\x00\x00\x01" + b"x" * 1000, b"y" * 1400],
    "waits for Redis": [b"*2\r\n$3\r\nGET\r\n$4\r\nname\r\n" * 20],
    "waits for PostgreSQL": [STARTUP, b"Q\x00\x00\x04\x04" + b"x" * 1024],
    "is shaking hands": [HELLO],
    "speaks nothing known": [b"\x99\x88" * 600],
}


@pytest.fixture(autouse=True)
def small_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a test needs no million packets."""
    monkeypatch.setattr(Memory, "max_bytes", BUDGET)


class Tap:
    """A dissection, and what it told."""

    def __init__(self) -> None:
        self.told: list[Exchange] = []
        self.dissection = Dissection(self.told.append)
        self.time_s = 1000.0

    def see(self, *frames: bytes) -> None:
        for frame in frames:
            self.time_s += 0.0001
            self.dissection.feed(self.time_s, frame)

    @property
    def used(self) -> int:
        return self.dissection.memory.used


def opened(port: int, said: list[bytes], skipped: int = 0) -> Iterator[bytes]:
    """A client's segments: all of a connection that nobody answers but with a SYN."""
    client, server = (f"10.0.{port // 1000}.1", 20000 + port), ("10.9.9.9", 80)
    yield tcp(client, server, 99, flags=SYN)
    yield tcp(server, client, 499, 100, SYN | ACK)
    seq = 100 + skipped
    for payload in said:
        yield tcp(client, server, seq, 500, payload=payload)
        seq += len(payload)


def assert_bounded(frames: Iterator[bytes]) -> None:
    """Memory stays within the budget by its own account, and about that by Python's."""
    dissection = Dissection(lambda _: None)
    time_s = 1000.0
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        most = 0
        for frame in frames:
            time_s += 0.0001
            dissection.feed(time_s, frame)
            most = max(most, dissection.memory.used)
        gc.collect()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most <= BUDGET
    assert most > BUDGET // 2  # the churn was enough to come near it
    assert peak - before < 1.5 * BUDGET
    dissection.finish(time_s)
    assert dissection.memory.used == 0


@pytest.mark.parametrize("what", NEVER_CLOSED)
def test_connections_that_are_never_closed_stay_within_the_budget(what: str) -> None:
    said = NEVER_CLOSED[what]
    assert_bounded(frame for port in range(CONNECTIONS) for frame in opened(port, said))


def test_segments_that_came_early_are_in_the_budget() -> None:
    said = [b"x" * 1400] * 5
    assert_bounded(frame for port in range(CONNECTIONS) for frame in opened(port, said, skipped=10))


@pytest.mark.parametrize(
    "payload",
    [b"\x99" * 300, b"\x00\x01\x01\x00\x00\x01" + bytes(6) + b"\x03abc\x00\x00\x01\x00\x01"],
)
def test_flows_without_an_answer_are_in_the_budget(payload: bytes) -> None:
    assert_bounded(
        udp((f"10.0.{port // 1000}.1", 20000 + port), ("10.9.9.9", 53), payload)
        for port in range(CONNECTIONS)
    )


def test_who_was_silent_longest_is_lost_and_told_so() -> None:
    tap = Tap()
    tap.see(*opened(0, [GET]), *opened(1, [GET]))
    talking, silent = ("10.0.0.1", 20000), ("10.0.0.1", 20001)
    asked = 100 + len(GET)
    for port in range(2, 1000):
        tap.see(*opened(port, [GET]), tcp(talking, ("10.9.9.9", 80), asked, 500))
    lost = [each.connection for each in tap.told if each.failure == "lost"]
    assert lost[0].client_port == silent[1]
    assert lost == sorted(lost, key=lambda each: each.last_s)
    assert all(each.client_port != talking[1] for each in lost)
    tap.see(tcp(("10.9.9.9", 80), talking, 500, asked, payload=OK))
    assert tap.told[-1].failure == ""
    assert tap.told[-1].connection.client_port == talking[1]


def test_what_is_over_goes_before_what_is_silent() -> None:
    tap = Tap()
    tap.see(*opened(0, [GET]))
    for port in range(1, 1000):
        tap.see(*opened(port, [GET]))
        tap.see(tcp(("10.9.9.9", 80), (f"10.0.{port // 1000}.1", 20000 + port), 500, flags=RST))
    assert not [each for each in tap.told if each.failure == "lost"]
    assert tap.used <= BUDGET
    tap.see(tcp(("10.9.9.9", 80), ("10.0.0.1", 20000), 500, 100 + len(GET), payload=OK))
    assert tap.told[-1].failure == ""


def test_a_file_that_goes_back_in_time_is_measured_all_the_same() -> None:
    said = [POST + b"x" * 1000, b"y" * 1400, b"z" * 1400]
    tap = Tap()
    for port in range(CONNECTIONS):
        if port % 500 == 0:
            tap.time_s -= 100.0
        tap.see(*opened(port, said))
        assert tap.used <= BUDGET
    measured = tap.used
    tap.dissection.memory.measure(0.0)
    assert tap.used <= measured + BUDGET // 4
