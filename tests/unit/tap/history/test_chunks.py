"""Chunks give back what was put into them, or say that they are damaged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.tap.history import chunks
from pilotfish.tap.history.chunks import HEADER_BYTES, DamagedError, Record

TIMES = st.integers(-(1 << 40), 1 << 60)
RECORDS = st.lists(st.tuples(TIMES, st.binary(max_size=200)), min_size=1, max_size=50)


def decoded(chunk: bytes) -> list[Record]:
    header = chunks.decode_header(chunk[:HEADER_BYTES])
    return list(chunks.decode(header, chunk[HEADER_BYTES:]))


@given(RECORDS)
def test_records_come_back_as_they_were(records: list[Record]) -> None:
    records.sort(key=lambda record: record[0])
    chunk = chunks.encode(records)
    assert decoded(chunk) == records
    header = chunks.decode_header(chunk)
    assert (header.first_us, header.last_us) == (records[0][0], records[-1][0])
    assert (header.records, header.length) == (len(records), len(chunk) - HEADER_BYTES)


@given(RECORDS, st.data())
def test_no_changed_byte_goes_unnoticed(records: list[Record], data: st.DataObject) -> None:
    chunk = bytearray(chunks.encode(sorted(records)))
    at = data.draw(st.integers(0, len(chunk) - 1))
    chunk[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(DamagedError):
        decoded(bytes(chunk))


@given(st.lists(st.tuples(st.integers(0, 5_000_000), st.binary(max_size=50)), max_size=300))
def test_portions_are_in_order_and_span_little_time(records: list[Record]) -> None:
    portions = list(chunks.cut(records))
    assert sorted(record for portion in portions for record in portion) == sorted(records)
    for portion in portions:
        assert portion == sorted(portion, key=lambda record: record[0])
        assert portion[-1][0] - portion[0][0] <= chunks.MAX_SPAN_US


def test_portions_are_neither_long_nor_large() -> None:
    assert [len(portion) for portion in chunks.cut([(0, b"")] * 2500)] == [1000, 1000, 500]
    large = b"x" * (chunks.MAX_BYTES // 2 + 1)
    assert [len(portion) for portion in chunks.cut([(0, large)] * 3)] == [1, 1, 1]
