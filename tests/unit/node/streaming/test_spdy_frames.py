"""SPDY/3.1 framing."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.node.streaming.spdy_frames import (
    DICTIONARY,
    MAX_CONTROL_BYTES,
    Data,
    Frame,
    FrameDecoder,
    FrameEncoder,
    GoAway,
    Headers,
    Ping,
    RstStream,
    SpdyError,
    SynReply,
    SynStream,
    Unknown,
    WindowUpdate,
)

# What kubectl 1.20 sends to open the streams of `kubectl exec`.
KUBECTL_OPENS_ERROR = bytes.fromhex(
    "80030001000000290000000100000000000078f9e3c6a7c26260606004a7b392a2d4c45c"
    "6851c29a0a0a6800000000ffff"
)
KUBECTL_OPENS_STDOUT = bytes.fromhex(
    "800300010000001900000003000000000000c22ac5565c92925f5a02000000ffff"
)
KUBECTL_RESETS_AND_LEAVES = bytes.fromhex(
    "8003000300000008000000010000000580030007000000080000000000000000"
)

EVERY_FRAME: list[Frame] = [
    SynStream(1, {"streamtype": "data", "port": "80", "requestid": "0"}),
    SynStream(3, {"streamtype": "error"}, fin=True, unidirectional=True),
    SynReply(1, {}),
    SynReply(3, {"a": "ü"}, fin=True),
    Headers(1, {"later": "more"}),
    Data(1, b"bytes"),
    Data(1, b"", fin=True),
    RstStream(3, 5),
    Ping(7),
    WindowUpdate(1, 65536),
    Unknown(4),
    GoAway(3, 1),
]


def encoded(frames: list[Frame]) -> bytes:
    encoder = FrameEncoder()
    return b"".join(encoder.encode(frame) for frame in frames)


def test_the_dictionary_is_the_one_of_the_draft() -> None:
    assert zlib.adler32(DICTIONARY) == 0xE3C6A7C2


def test_streams_that_kubectl_opens_are_understood() -> None:
    decoder = FrameDecoder()
    assert decoder.feed(KUBECTL_OPENS_ERROR) == [SynStream(1, {"streamtype": "error"})]
    assert decoder.feed(KUBECTL_OPENS_STDOUT) == [SynStream(3, {"streamtype": "stdout"})]
    assert decoder.feed(KUBECTL_RESETS_AND_LEAVES) == [RstStream(1, 5), GoAway(0)]


def test_every_frame_survives_the_wire() -> None:
    assert FrameDecoder().feed(encoded(EVERY_FRAME)) == EVERY_FRAME


def test_a_data_frame_has_the_layout_of_the_draft() -> None:
    assert FrameEncoder().encode(Data(5, b"xy", fin=True)) == bytes.fromhex("0000000501000002") + (
        b"xy"
    )


def test_a_ping_has_the_layout_of_the_draft() -> None:
    assert FrameEncoder().encode(Ping(1)) == bytes.fromhex("800300060000000400000001")


def test_the_payload_of_a_data_frame_is_handed_out_as_it_arrives() -> None:
    decoder = FrameDecoder()
    head = bytes.fromhex("0000000101000006")
    assert decoder.feed(head + b"ab") == [Data(1, b"ab")]
    assert decoder.feed(b"cd") == [Data(1, b"cd")]
    assert decoder.feed(b"ef") == [Data(1, b"ef", fin=True)]


@given(st.lists(st.integers(1, 40), min_size=1))
def test_frames_may_be_cut_anywhere(lengths: list[int]) -> None:
    stream = encoded(EVERY_FRAME)
    decoder, frames = FrameDecoder(), []
    position = index = 0
    while position < len(stream):
        length = lengths[index % len(lengths)]
        frames += decoder.feed(stream[position : position + length])
        position, index = position + length, index + 1
    data = b"".join(frame.data for frame in frames if isinstance(frame, Data))
    assert data == b"bytes"
    others = [frame for frame in frames if not isinstance(frame, Data)]
    assert others == [frame for frame in EVERY_FRAME if not isinstance(frame, Data)]


@pytest.mark.parametrize(
    ("bytes_", "complaint"),
    [
        (bytes.fromhex("8002000100000000"), "version 2"),
        (bytes.fromhex("80030001") + (MAX_CONTROL_BYTES + 1).to_bytes(4, "big"), "too long"),
        (bytes.fromhex("8003000600000002") + b"\0\0", "malformed"),
        (bytes.fromhex("800300010000000e00000001000000000000") + b"junk", "malformed"),
    ],
)
def test_broken_frames_end_the_connection(bytes_: bytes, complaint: str) -> None:
    with pytest.raises(SpdyError, match=complaint):
        FrameDecoder().feed(bytes_)


def test_a_header_block_that_expands_without_end_is_refused() -> None:
    bomb = FrameEncoder().encode(SynStream(1, {"x": "a" * 1_000_000}))
    assert len(bomb) < MAX_CONTROL_BYTES
    with pytest.raises(SpdyError, match="longer than"):
        FrameDecoder().feed(bomb)


def test_a_header_block_that_ends_too_early_is_refused() -> None:
    compressor = zlib.compressobj(zdict=DICTIONARY)
    block = compressor.compress(b"\0\0\0\x01\0\0\0\x09abc") + compressor.flush(zlib.Z_SYNC_FLUSH)
    head = bytes.fromhex("80030002") + (4 + len(block)).to_bytes(4, "big")
    with pytest.raises(SpdyError, match="ends in the middle"):
        FrameDecoder().feed(head + b"\0\0\0\x01" + block)


@given(st.binary(max_size=200), st.sampled_from([1, 2, 3, 4, 6, 7, 8, 9, 200]))
def test_nothing_a_client_sends_raises_anything_else(junk: bytes, type_: int) -> None:
    head = bytes.fromhex("8003") + type_.to_bytes(2, "big") + len(junk).to_bytes(4, "big")
    for stream in (junk, head + junk):
        try:
            FrameDecoder().feed(stream)
        except SpdyError:
            continue
