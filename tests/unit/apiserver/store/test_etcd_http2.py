"""The HTTP/2 of the client, frame by frame, against a server of this test's own."""

from __future__ import annotations

import contextlib
import struct

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded, StreamReset
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.apiserver.store.etcd.http2 import Ended, Event, Http2Connection, Http2Error, Message

HEAD = [(":status", "200"), ("content-type", "application/grpc")]


class Peer:
    """A client's connection and the server that it speaks to (the library h2)."""

    def __init__(self) -> None:
        self.client = Http2Connection("etcd:2379", "http")
        self.server = H2Connection(H2Configuration(client_side=False))
        self.server.initiate_connection()
        self.requests: dict[int, dict[str, str]] = {}
        self.bodies: dict[int, bytes] = {}
        self.ended: set[int] = set()
        self.reset: set[int] = set()

    def exchange(self) -> list[Event]:
        """Carry bytes to and fro until nobody has any more."""
        events: list[Event] = []
        while True:
            sent = self.client.take()
            for event in self.server.receive_data(sent) if sent else ():
                if isinstance(event, RequestReceived):
                    self.requests[event.stream_id] = {
                        name.decode(): value.decode() for name, value in event.headers
                    }
                elif isinstance(event, DataReceived):
                    before = self.bodies.get(event.stream_id, b"")
                    self.bodies[event.stream_id] = before + event.data
                    size = event.flow_controlled_length
                    self.server.acknowledge_received_data(size, event.stream_id)
                elif isinstance(event, StreamEnded):
                    self.ended.add(event.stream_id)
                elif isinstance(event, StreamReset):
                    self.reset.add(event.stream_id)
            answered = self.server.data_to_send()
            if answered:
                events += self.client.receive(answered)
            elif not sent:
                return events

    def answer(self, stream: int, *parts: bytes, status: str = "0", text: str = "") -> list[Event]:
        """Send an answer whose body comes in these parts; what the client makes of it."""
        self.server.send_headers(stream, HEAD)
        events: list[Event] = []
        for part in parts:
            self.server.send_data(stream, part)
            events += self.exchange()
        trailers = [("grpc-status", status), ("grpc-message", text)]
        self.server.send_headers(stream, trailers, end_stream=True)
        return events + self.exchange()


def framed(data: bytes) -> bytes:
    return b"\x00" + struct.pack(">I", len(data)) + data


def test_a_request_is_a_grpc_call() -> None:
    peer = Peer()
    stream = peer.client.request("/etcdserverpb.KV/Range", b"question")
    peer.exchange()
    head = peer.requests[stream]
    assert (head[":method"], head[":path"]) == ("POST", "/etcdserverpb.KV/Range")
    assert (head[":scheme"], head[":authority"], head["te"]) == ("http", "etcd:2379", "trailers")
    assert head["content-type"] == "application/grpc"
    assert peer.bodies[stream] == framed(b"question")
    assert stream in peer.ended


@given(st.lists(st.binary(max_size=300), max_size=5), st.integers(1, 400))
def test_messages_arrive_however_they_are_cut(messages: list[bytes], size: int) -> None:
    peer = Peer()
    stream = peer.client.request("/x", b"")
    peer.exchange()
    body = b"".join(map(framed, messages))
    events = peer.answer(stream, *(body[at : at + size] for at in range(0, len(body), size)))
    assert events == [*(Message(stream, each) for each in messages), Ended(stream, 0)]


def test_a_refusal_has_its_code_and_words() -> None:
    peer = Peer()
    stream = peer.client.request("/x", b"")
    peer.exchange()
    (event,) = peer.answer(stream, status="11", text="gone%20for good")
    assert event == Ended(stream, 11, "gone for good")


def test_answers_of_many_calls_are_told_apart() -> None:
    peer = Peer()
    streams = [peer.client.request("/x", b"%d" % number) for number in range(20)]
    peer.exchange()
    for stream in reversed(streams):
        assert peer.answer(stream, framed(peer.bodies[stream]))[0] == Message(
            stream, peer.bodies[stream]
        )


def test_a_large_request_keeps_to_the_servers_windows() -> None:
    peer = Peer()
    large = bytes(range(256)) * 4000
    streams = [peer.client.request("/x", large) for _ in range(3)]
    peer.exchange()
    assert [peer.bodies[stream] for stream in streams] == [framed(large)] * 3


def test_a_stream_goes_on_past_our_own_window() -> None:
    peer = Peer()
    stream = peer.client.request("/watch", b"")
    peer.exchange()
    peer.server.send_headers(stream, HEAD)
    part = framed(bytes(16_000))
    received = 0
    for _ in range(3000):
        peer.server.send_data(stream, part)
        received += len(peer.exchange())
    assert received == 3000


def test_a_cancelled_call_is_reset_and_heard_of_no_more() -> None:
    peer = Peer()
    stream = peer.client.request("/x", b"")
    peer.exchange()
    peer.client.cancel(stream)
    assert peer.exchange() == []
    assert stream in peer.reset


@pytest.mark.parametrize("data", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff" * 20])
def test_what_is_not_http2_is_refused(data: bytes) -> None:
    with pytest.raises(Http2Error):
        Http2Connection("h", "http").receive(data)


@given(st.integers(0, 10), st.integers(0, 255), st.integers(0, 3), st.binary(max_size=40))
def test_a_frame_of_garbage_is_refused_or_passed_over(
    kind: int, flags: int, stream: int, payload: bytes
) -> None:
    connection = Http2Connection("h", "http")
    connection.request("/x", b"")
    head = len(payload).to_bytes(3) + bytes((kind, flags)) + stream.to_bytes(4)
    with contextlib.suppress(Http2Error):
        connection.receive(head + payload)
