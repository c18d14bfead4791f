"""Numbers in the form of protocol buffers."""

from __future__ import annotations

import pytest

from pilotfish.objects.varint import encode_varint


@pytest.mark.parametrize(
    ("number", "encoded"),
    [(0, b"\x00"), (1, b"\x01"), (127, b"\x7f"), (128, b"\x80\x01"), (300, b"\xac\x02")],
)
def test_seven_bits_go_into_each_byte(number: int, encoded: bytes) -> None:
    assert encode_varint(number) == encoded


def test_the_largest_number_takes_ten_bytes() -> None:
    assert encode_varint(2**64 - 1) == b"\xff" * 9 + b"\x01"
