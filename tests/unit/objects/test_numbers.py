"""Whole numbers in strangers' text."""

from __future__ import annotations

import pytest

from pilotfish.objects.numbers import whole_number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("-12", -12),
        ("+007", 7),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", None),
        ("9" * 5000, None),
        ("", None),
        ("²", None),
        ("١", None),
        ("1_0", None),
        (" 1", None),
        ("1.0", None),
    ],
)
def test_a_number_is_ascii_digits_of_64_bits(text: str, value: int | None) -> None:
    assert whole_number(text) == value
