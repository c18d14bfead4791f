"""SPDY streams over a transport that a test holds in its hands."""

from __future__ import annotations

import asyncio

import pytest

from pilotfish.node.streaming.spdy_connection import SpdyConnection, SpdyStream
from pilotfish.node.streaming.spdy_frames import (
    CANCEL,
    REFUSED_STREAM,
    Data,
    Frame,
    FrameDecoder,
    FrameEncoder,
    GoAway,
    Ping,
    RstStream,
    SynReply,
    SynStream,
)
from pilotfish.node.streaming.streams import MAX_BUFFERED_BYTES, StreamGone


class HeldTransport:
    """Gives what the test sends; keeps what the connection writes; drains when told to."""

    def __init__(self) -> None:
        self._encoder = FrameEncoder()
        self._decoder = FrameDecoder()
        self._incoming: asyncio.Queue[bytes] = asyncio.Queue()
        self.received = 0
        self.written: list[Frame] = []
        self.flowing = asyncio.Event()
        self.flowing.set()

    def client_sends(self, *frames: Frame) -> None:
        for frame in frames:
            self._incoming.put_nowait(self._encoder.encode(frame))

    def client_leaves(self) -> None:
        self._incoming.put_nowait(b"")

    async def receive(self) -> bytes:
        data = await self._incoming.get()
        self.received += len(data)
        return data

    def write(self, data: bytes) -> None:
        self.written += self._decoder.feed(data)

    async def drain(self) -> None:
        await self.flowing.wait()

    def send_end(self) -> None: ...

    def close(self) -> None: ...


class Talk:
    """A connection that takes every stream but those of type `unwanted`."""

    def __init__(self) -> None:
        self.transport = HeldTransport()
        self.streams: dict[int, SpdyStream] = {}
        self.connection = SpdyConnection(self.transport, self._on_stream)
        self.task = asyncio.create_task(self.connection.run())

    def _on_stream(self, stream: SpdyStream) -> bool:
        self.streams[stream.stream_id] = stream
        return stream.headers.get("streamtype") != "unwanted"

    async def settle(self) -> None:
        """Lets everything happen that can happen without the test."""
        for _ in range(200):
            await asyncio.sleep(0)


async def test_streams_carry_bytes_both_ways() -> None:
    talk = Talk()
    talk.transport.client_sends(SynStream(1, {"streamtype": "data"}), Data(1, b"in", fin=True))
    await talk.settle()
    stream = talk.streams[1]
    assert [await stream.read(), await stream.read()] == [b"in", b""]
    await stream.write(b"out")
    await stream.close()
    assert talk.transport.written == [SynReply(1), Data(1, b"out"), Data(1, b"", fin=True)]
    talk.task.cancel()


async def test_an_unwanted_stream_is_refused() -> None:
    talk = Talk()
    talk.transport.client_sends(SynStream(1, {"streamtype": "unwanted"}))
    await talk.settle()
    assert talk.transport.written == [RstStream(1, REFUSED_STREAM)]
    talk.task.cancel()


async def test_a_stream_that_nobody_reads_stops_the_connection_and_loses_nothing() -> None:
    talk = Talk()
    talk.transport.client_sends(SynStream(1))
    piece, pieces = b"x" * 65536, 64
    talk.transport.client_sends(*[Data(1, piece)] * pieces, Data(1, b"", fin=True))
    await talk.settle()
    assert talk.transport.received < MAX_BUFFERED_BYTES + 2 * 65536 + 1024
    total = 0
    while data := await talk.streams[1].read():
        total += len(data)
    assert total == pieces * len(piece)
    talk.task.cancel()


async def test_a_stream_that_is_ignored_holds_up_nothing() -> None:
    talk = Talk()
    talk.transport.client_sends(SynStream(1))
    talk.transport.client_sends(*[Data(1, b"x" * 65536)] * 16)
    await talk.settle()
    talk.streams[1].ignore_input()
    talk.transport.client_sends(Ping(1))
    await talk.settle()
    assert talk.transport.written[-1] == Ping(1)
    talk.task.cancel()


async def test_a_writer_waits_for_a_client_that_does_not_keep_up() -> None:
    talk = Talk()
    talk.transport.client_sends(SynStream(1))
    await talk.settle()
    talk.transport.flowing.clear()
    writing = asyncio.create_task(talk.streams[1].write(b"out"))
    await talk.settle()
    assert not writing.done()
    talk.transport.flowing.set()
    await writing
    talk.task.cancel()


async def test_a_reset_ends_reading_and_refuses_writing() -> None:
    talk = Talk()
    talk.transport.client_sends(SynStream(1), RstStream(1, CANCEL))
    await talk.settle()
    assert await talk.streams[1].read() == b""
    with pytest.raises(StreamGone):
        await talk.streams[1].write(b"out")
    talk.task.cancel()


async def test_the_end_of_the_connection_is_the_end_of_every_stream() -> None:
    talk = Talk()
    talk.transport.client_sends(SynStream(1), Data(1, b"last"), SynStream(3))
    talk.transport.client_leaves()
    await talk.task
    assert [await talk.streams[1].read(), await talk.streams[1].read()] == [b"last", b""]
    assert await talk.streams[3].read() == b""


async def test_a_broken_client_is_told_to_go() -> None:
    talk = Talk()
    talk.transport.client_sends(SynStream(2))
    await talk.task
    assert isinstance(talk.transport.written[-1], GoAway)
