"""Quantities read and write as the Kubernetes API's do."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.objects.quantities import format_quantity, parse_quantity


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("100m", "0.1"),
        ("1.5Gi", str(3 * 2**29)),
        ("2e3", "2000"),
        ("1E", "1e18"),
        ("12", "12"),
        ("-3k", "-3000"),
        (".5", "0.5"),
        ("1e+0000001", "10"),
        ("-1e999", str(-(2**63 - 1))),
        ("-" + "9" * 3000 + ".1234567890123", str(-(2**63 - 1))),
        (5, "5"),
    ],
)
def test_a_quantity_is_read(text: str | int, number: str) -> None:
    assert parse_quantity(text) == Decimal(number)


@pytest.mark.parametrize(
    "text", ["", "ten", "1 Gi", "1KiB", "--1", "1.2.3", "1e", "1" * 200_000 + "x"]
)
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="quantities must match"):
        parse_quantity(text)


@given(st.integers(-(2**63 - 1), 2**63 - 1), st.booleans())
def test_a_number_survives_being_written_and_read(number: int, binary: bool) -> None:
    assert parse_quantity(format_quantity(number, binary)) == number


def test_the_largest_suffix_that_leaves_a_whole_number_is_used() -> None:
    assert format_quantity(2**31, binary=True) == "2Gi"
    assert format_quantity(1500) == "1500"
    assert format_quantity(Decimal("0.25")) == "250m"
