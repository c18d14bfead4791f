"""Connections are told apart, opened, ended and forgotten as TCP has it."""

from __future__ import annotations

import pytest

from pilotfish.tap import streams
from pilotfish.tap.connection import CLIENT, SERVER, Connection, End
from pilotfish.tap.packets import Packet
from pilotfish.tap.streams import Assembler
from support.wire import ACK, FIN, RST, SYN, ethernet, ip, tcp, udp

FAMILIES = [("10.0.0.1", "10.0.0.2"), ("fd00::1", "fd00::2")]


class Recorder:
    """Notes what it hears."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.heard: list[tuple[object, ...]] = []
        self.kept = 0

    def opened(self, time_s: float) -> None:
        self.heard.append(("opened",))

    def data(self, side: int, payload: bytes, time_s: float) -> None:
        self.heard.append(("data", side, payload))

    def gap(self, side: int, missing: int, time_s: float) -> None:
        self.heard.append(("gap", side, missing))

    def closed(self, side: int, time_s: float) -> None:
        self.heard.append(("closed", side))

    def ended(self, how: End, time_s: float) -> None:
        self.heard.append(("ended", how))


class Capture:
    """An assembler and everything it tells."""

    def __init__(self) -> None:
        self.recorders: list[Recorder] = []
        self.others: list[Packet] = []
        self.assembler = Assembler(self._listen, lambda packet, *_: self.others.append(packet))
        self.time_s = 100.0

    def _listen(self, connection: Connection) -> Recorder:
        self.recorders.append(Recorder(connection))
        return self.recorders[-1]

    def feed(self, *frames: bytes) -> None:
        for frame in frames:
            self.time_s += 0.001
            self.assembler.feed(self.time_s, frame)


def handshake(a: tuple[str, int], b: tuple[str, int]) -> list[bytes]:
    return [
        tcp(a, b, 99, flags=SYN),
        tcp(b, a, 499, 100, SYN | ACK),
        tcp(a, b, 100, 500),
    ]


@pytest.mark.parametrize(("client", "server"), FAMILIES)
def test_a_connection_is_opened_speaks_and_closes(client: str, server: str) -> None:
    a, b = (client, 40000), (server, 80)
    capture = Capture()
    capture.feed(
        *handshake(a, b),
        tcp(a, b, 100, 500, payload=b"question"),
        tcp(b, a, 500, 108, payload=b"answer"),
        tcp(a, b, 108, 506, FIN | ACK),
        tcp(b, a, 506, 109, FIN | ACK),
        tcp(a, b, 109, 507),
    )
    (recorder,) = capture.recorders
    assert recorder.heard == [
        ("opened",),
        ("data", CLIENT, b"question"),
        ("data", SERVER, b"answer"),
        ("closed", CLIENT),
        ("closed", SERVER),
        ("ended", "closed"),
    ]
    connection = recorder.connection
    assert (connection.client_port, connection.server_port) == (40000, 80)
    assert connection.octets == [8, 6]
    assert connection.whole


def test_a_refused_connection_is_refused_and_one_that_was_open_is_reset() -> None:
    a, b, c = ("10.0.0.1", 40000), ("10.0.0.2", 80), ("10.0.0.1", 40001)
    capture = Capture()
    capture.feed(tcp(a, b, 99, flags=SYN), tcp(b, a, 0, 100, RST | ACK))
    capture.feed(*handshake(c, b), tcp(b, c, 500, 100, RST))
    refused, reset = capture.recorders
    assert refused.heard == [("ended", "refused")]
    assert reset.heard == [("opened",), ("ended", "reset")]


def test_a_server_that_never_answers_is_timed_out_when_the_capture_ends() -> None:
    capture = Capture()
    syn = tcp(("10.0.0.1", 40000), ("10.0.0.2", 80), 99, flags=SYN)
    capture.feed(syn, syn, syn)
    capture.assembler.finish(capture.time_s)
    (recorder,) = capture.recorders
    assert recorder.heard == [("ended", "timed out")]


def test_a_connection_captured_from_its_middle_has_the_higher_port_as_client() -> None:
    a, b = ("10.0.0.1", 40000), ("10.0.0.2", 80)
    capture = Capture()
    capture.feed(tcp(b, a, 500, 100, payload=b"answer"), tcp(a, b, 100, 506, payload=b"next"))
    (recorder,) = capture.recorders
    assert recorder.heard == [("data", SERVER, b"answer"), ("data", CLIENT, b"next")]
    assert not recorder.connection.whole


def test_ports_used_anew_begin_a_new_connection() -> None:
    a, b = ("10.0.0.1", 40000), ("10.0.0.2", 80)
    capture = Capture()
    capture.feed(*handshake(a, b), tcp(a, b, 7000, flags=SYN), tcp(b, a, 1, 7001, SYN | ACK))
    old, new = capture.recorders
    assert old.heard == [("opened",), ("ended", "lost")]
    assert new.heard == []


def test_a_fin_behind_missing_data_waits_for_it() -> None:
    a, b = ("10.0.0.1", 40000), ("10.0.0.2", 80)
    capture = Capture()
    capture.feed(
        *handshake(a, b),
        tcp(a, b, 104, 500, FIN | ACK, b"stop"),
        tcp(a, b, 100, 500, payload=b"full"),
    )
    heard = capture.recorders[0].heard[1:]
    assert heard == [("data", CLIENT, b"full"), ("data", CLIENT, b"stop"), ("closed", CLIENT)]


def test_data_that_the_receiver_acknowledged_but_nobody_captured_is_a_gap() -> None:
    a, b = ("10.0.0.1", 40000), ("10.0.0.2", 80)
    capture = Capture()
    capture.feed(
        *handshake(a, b),
        tcp(a, b, 110, 500, payload=b"later"),
        tcp(b, a, 500, 115),
    )
    assert capture.recorders[0].heard[1:] == [("gap", CLIENT, 10), ("data", CLIENT, b"later")]


def test_many_connections_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MAX_CONNECTIONS", 5)
    capture = Capture()
    for port in range(40000, 40020):
        capture.feed(tcp(("10.0.0.1", port), ("10.0.0.2", 80), 1, flags=SYN))
    ended = [recorder for recorder in capture.recorders if recorder.heard == [("ended", "lost")]]
    assert len(ended) == 15


def test_what_came_early_is_bounded_in_all_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MAX_EARLY_BYTES", 1000)
    capture = Capture()
    ends = [(("10.0.0.1", port), ("10.0.0.2", 80)) for port in range(40000, 40020)]
    for a, b in ends:
        capture.feed(*handshake(a, b), tcp(a, b, 200, 500, payload=bytes(100)))
    gaps = [("gap", CLIENT, 100) in recorder.heard for recorder in capture.recorders]
    assert gaps == [False] * 10 + [True] * 10
    for a, b in ends[:10]:
        capture.feed(tcp(a, b, 100, 500, payload=bytes(100)))
    heard = [recorder.heard[1:] for recorder in capture.recorders[:10]]
    assert heard == [[("data", CLIENT, bytes(100))] * 2] * 10


def test_an_idle_connection_is_forgotten() -> None:
    a, b = ("10.0.0.1", 40000), ("10.0.0.2", 80)
    capture = Capture()
    capture.feed(*handshake(a, b))
    capture.time_s += streams.IDLE_TIMEOUT_S + 1
    capture.feed(udp(a, b, b"later"))
    assert capture.recorders[0].heard[-1] == ("ended", "lost")


def test_what_is_not_tcp_goes_to_the_other_handler_whole() -> None:
    capture = Capture()
    capture.feed(udp(("10.0.0.1", 5000), ("10.0.0.2", 53), b"query"))
    (packet,) = capture.others
    assert (packet.protocol, packet.payload[8:]) == (17, b"query")


@pytest.mark.parametrize(
    "frame",
    [b"", b"\x00" * 13, ethernet(ip("10.0.0.1", "10.0.0.2", 6, b"short")), b"\xff" * 60],
    ids=["empty", "short", "no TCP header", "no IP"],
)
def test_a_frame_that_holds_no_packet_is_counted(frame: bytes) -> None:
    capture = Capture()
    capture.feed(frame)
    assert capture.assembler.undecoded == 1
    assert not capture.recorders


@pytest.mark.parametrize("accepted", [True, False])
def test_data_in_a_syn_are_heard_once(accepted: bool) -> None:
    a, b = ("10.0.0.1", 40000), ("10.0.0.2", 80)
    capture = Capture()
    syn = tcp(a, b, 99, flags=SYN, payload=b"GET")
    capture.feed(syn, syn, tcp(b, a, 499, 103 if accepted else 100, SYN | ACK))
    if not accepted:
        capture.feed(tcp(a, b, 100, 500, payload=b"GET"))
    capture.feed(tcp(a, b, 103, 500, payload=b" /"), tcp(b, a, 500, 105, payload=b"200"))
    (recorder,) = capture.recorders
    assert [each for each in recorder.heard if each[0] == "data"] == [
        ("data", CLIENT, b"GET"),
        ("data", CLIENT, b" /"),
        ("data", SERVER, b"200"),
    ]


def test_a_new_syn_with_data_begins_a_new_connection() -> None:
    a, b = ("10.0.0.1", 40000), ("10.0.0.2", 80)
    capture = Capture()
    capture.feed(tcp(a, b, 99, flags=SYN, payload=b"one"), tcp(a, b, 5000, flags=SYN))
    assert len(capture.recorders) == 2
