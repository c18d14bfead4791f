"""Fragments become whole packets in any order, and hostile ones cost little."""

from __future__ import annotations

import itertools

import pytest

from pilotfish.tap import fragments
from pilotfish.tap.fragments import MAX_PIECES, Reassembler
from pilotfish.tap.packets import Packet


def fragment(offset: int, payload: bytes, more: bool) -> Packet:
    return Packet(b"\x0a\0\0\1", b"\x0a\0\0\2", 17, payload, len(payload), (7, offset, more))


PIECES = [
    fragment(0, b"aaaaaaaa", True),
    fragment(8, b"bbbbbbbb", True),
    fragment(16, b"cccccccc", True),
    fragment(24, b"dd", False),
]


@pytest.mark.parametrize("order", list(itertools.permutations(PIECES)))
def test_pieces_in_any_order_make_the_packet(order: tuple[Packet, ...]) -> None:
    reassembler = Reassembler()
    whole = [reassembler.feed(1.0, each) for each in order]
    assert whole[:-1] == [None] * 3
    assert whole[-1] is not None
    assert whole[-1].payload == b"aaaaaaaabbbbbbbbccccccccdd"


@pytest.mark.parametrize("offset", [4, 8, 12, 16, 20])
@pytest.mark.parametrize("size", [1, 8, 12])
def test_a_piece_that_overlaps_breaks_the_packet(offset: int, size: int) -> None:
    reassembler = Reassembler()
    reassembler.feed(1.0, PIECES[0])
    reassembler.feed(1.0, PIECES[2])
    reassembler.feed(1.0, fragment(offset, b"x" * size, True))
    fits = offset == 8 and size <= 8
    whole = [reassembler.feed(1.0, each) for each in (PIECES[1], PIECES[3])]
    assert whole[-1] is None
    assert bool(next(iter(reassembler._partial.values())).pieces) == (fits and size == 0)


def test_a_packet_of_countless_pieces_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = 0
    neighbours = fragments.bisect_left

    def counting(offsets: list[int], offset: int) -> int:
        nonlocal looked_at
        looked_at += 1
        return neighbours(offsets, offset)

    monkeypatch.setattr(fragments, "bisect_left", counting)
    reassembler = Reassembler()
    for at in range(8000):
        assert reassembler.feed(1.0, fragment(8 * at, b"x" * 8, at < 7999)) is None
    assert looked_at <= MAX_PIECES
    (partial,) = reassembler._partial.values()
    assert partial.pieces == {}
