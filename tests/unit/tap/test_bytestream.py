"""One direction of TCP comes out in order, however its segments came in."""

from __future__ import annotations

import itertools
import random

from hypothesis import given
from hypothesis import strategies as st

from pilotfish.tap.bytestream import (
    MAX_WAITING_BYTES,
    MAX_WAITING_SEGMENTS,
    ByteStream,
    Piece,
)

START = (1 << 32) - 20  # so that sequence numbers wrap around in every test


def delivered(pieces: list[Piece]) -> bytes:
    return b"".join(piece.payload for piece in pieces)


def seq(offset: int) -> int:
    return (START + offset) % (1 << 32)


@st.composite
def segments(draw: st.DrawFn) -> tuple[bytes, list[tuple[int, bytes]]]:
    """A text, and segments that cover it: overlapping, repeated, in any order."""
    text = draw(st.binary(min_size=1, max_size=80))
    cuts = sorted({0, len(text), *draw(st.lists(st.integers(0, len(text)), max_size=8))})
    pieces = [(a, text[a:b]) for a, b in itertools.pairwise(cuts)]
    extra = draw(st.lists(st.tuples(st.integers(0, len(text) - 1), st.integers(1, 30)), max_size=6))
    pieces += [(at, text[at : at + size]) for at, size in extra]
    return text, draw(st.permutations(pieces))


@given(segments())
def test_segments_in_any_order_give_the_text_once(
    case: tuple[bytes, list[tuple[int, bytes]]],
) -> None:
    text, pieces = case
    stream = ByteStream()
    stream.next = seq(0)
    out: list[Piece] = []
    for at, payload in pieces:
        out += stream.segment(seq(at), payload, len(payload))
    assert delivered(out) == text
    assert not any(piece.missing for piece in out)
    assert not stream.waiting


@given(segments(), st.data())
def test_what_is_lost_is_a_gap_of_its_size_and_the_rest_is_whole(
    case: tuple[bytes, list[tuple[int, bytes]]], data: st.DataObject
) -> None:
    text, pieces = case
    kept = [piece for piece in pieces if data.draw(st.booleans())]
    stream = ByteStream()
    stream.next = seq(0)
    out: list[Piece] = []
    for at, payload in kept:
        out += stream.segment(seq(at), payload, len(payload))
    stream.end(seq(len(text)))
    out += stream.acknowledged(seq(len(text)))
    at = 0
    for piece in out:
        assert piece.payload == text[at : at + len(piece.payload)]
        at += len(piece.payload) + piece.missing
    assert at == len(text)
    assert stream.finished
    seen = {index for start, payload in kept for index in range(start, start + len(payload))}
    assert sum(len(piece.payload) for piece in out) == len(seen)


def test_a_stream_whose_beginning_was_not_captured_begins_where_it_is_first_seen() -> None:
    stream = ByteStream()
    assert delivered(stream.segment(1000, b"tail", 4)) == b"tail"
    assert stream.segment(990, b"old", 3) == []


def test_a_segment_cut_by_the_snap_length_leaves_a_gap() -> None:
    stream = ByteStream()
    assert stream.segment(0, b"begin", 1400) == [Piece(b"begin"), Piece(b"", 1395)]
    assert stream.next == 1400


def test_waiting_is_bounded() -> None:
    stream = ByteStream()
    stream.next = 0
    block = bytes(64 * 1024)
    out: list[Piece] = []
    sent = 0
    while not out:
        out = stream.segment(10 + sent, block, len(block))
        sent += len(block)
        assert sent <= MAX_WAITING_BYTES + len(block)
    assert out[0] == Piece(b"", 10)
    assert len(delivered(out)) == sent
    assert not stream.waiting


def test_a_thousand_early_crumbs_are_put_in_order() -> None:
    stream = ByteStream()
    stream.segment(1000, b"", 0)
    text = bytes(range(256)) * 8
    order = list(range(1, len(text)))
    random.Random(7).shuffle(order)
    for at in order:
        assert stream.segment(1000 + at, text[at : at + 1], 1) == []
    pieces = stream.segment(1000, text[:1], 1)
    assert b"".join(piece.payload for piece in pieces) == text
    assert (stream.waiting_bytes, len(stream.waiting)) == (0, 0)


def test_crumbs_that_wait_are_bounded_in_number() -> None:
    stream = ByteStream()
    stream.segment(0, b"x", 1)
    for at in range(10 * MAX_WAITING_SEGMENTS):
        stream.segment(10 + 2 * at, b"y", 1)
        assert len(stream.waiting) <= MAX_WAITING_SEGMENTS


def test_what_waits_over_the_wrap_of_numbers_stays_in_order() -> None:
    stream = ByteStream()
    begin = (1 << 32) - 5
    stream.segment(begin, b"a", 1)
    stream.segment(3, b"d", 1)
    stream.segment(begin + 3, b"bc", 2)
    pieces = stream.acknowledged(4)
    assert pieces == [Piece(b"", 2), Piece(b"bc"), Piece(b"", 3), Piece(b"d")]
