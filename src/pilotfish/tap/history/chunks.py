"""The format of the history's files: chunks of compressed records, one behind the other.

A record is a time (microseconds since 1970) and bytes. A chunk is its header, which tells the
time that it spans without unpacking it, and the zlib stream of its records: all their times, all
their lengths, all their bytes. Little-endian throughout; two checksums tell damage from the
unfinished chunk at the end of a file whose writer was killed.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from pilotfish.tap.history.dictionary import DICTIONARY

Record = tuple[int, bytes]

_MAGIC = b"PFH1"
# Magic, bytes of the stream, bytes unpacked, records, first and last time, checksum of the
# stream; behind them the checksum of all these.
_FIELDS = struct.Struct("<4sIIIqqI")
_HEADER = struct.Struct("<4sIIIqqII")
HEADER_BYTES = _HEADER.size
# Records of JSON shrink to a tenth at the fastest level; the others cost more than they save.
_LEVEL = 1
# A chunk is unpacked as a whole. Those that span little time can be put in order with few of
# them in memory.
MAX_RECORDS = 1000
MAX_BYTES = 1 << 20
MAX_SPAN_US = 1_000_000


class DamagedError(Exception):
    """What stands there is no chunk; the text says why."""


class Header(NamedTuple):
    """What a chunk tells of itself. length: bytes of the stream behind the header."""

    length: int
    unpacked: int
    records: int
    first_us: int
    last_us: int
    checksum: int


def cut(records: Sequence[Record]) -> Iterator[list[Record]]:
    """Records in any order → portions that make good chunks, each in order of time."""
    portion: list[Record] = []
    size = 0
    for record in sorted(records, key=lambda record: record[0]):
        if portion and (
            len(portion) >= MAX_RECORDS
            or size + len(record[1]) > MAX_BYTES
            or record[0] - portion[0][0] > MAX_SPAN_US
        ):
            yield portion
            portion, size = [], 0
        portion.append(record)
        size += len(record[1])
    if portion:
        yield portion


def encode(records: Sequence[Record]) -> bytes:
    """The chunk of at least one record; they are in order of time."""
    count = len(records)
    heads = struct.pack(
        f"<{count}q{count}I",
        *(time_us for time_us, _ in records),
        *(len(data) for _, data in records),
    )
    unpacked = heads + b"".join(data for _, data in records)
    packer = zlib.compressobj(_LEVEL, zdict=DICTIONARY)
    stream = packer.compress(unpacked) + packer.flush()
    fields = _FIELDS.pack(
        _MAGIC,
        len(stream),
        len(unpacked),
        count,
        records[0][0],
        records[-1][0],
        zlib.crc32(stream),
    )
    return fields + struct.pack("<I", zlib.crc32(fields)) + stream


def decode_header(data: bytes, at: int = 0) -> Header:
    """The header that stands there.

    Raises:
        DamagedError: there is none.
    """
    magic, *fields, checksum = _HEADER.unpack_from(data, at)
    if magic != _MAGIC:
        raise DamagedError("no chunk begins there")
    if checksum != zlib.crc32(data[at : at + _FIELDS.size]):
        raise DamagedError("the checksum of a header is wrong")
    return Header._make(fields)


def decode(header: Header, stream: bytes) -> Iterator[Record]:
    """The records of a chunk, in order of time.

    Raises:
        DamagedError: they are not what was written.
    """
    if len(stream) != header.length or zlib.crc32(stream) != header.checksum:
        raise DamagedError("the checksum of a chunk is wrong")
    unpacked = zlib.decompressobj(zdict=DICTIONARY).decompress(stream, header.unpacked)
    heads = struct.unpack_from(f"<{header.records}q{header.records}I", unpacked)
    lengths = heads[header.records :]
    ends = accumulate(lengths, initial=header.records * 12)
    for time_us, start, length in zip(heads[: header.records], ends, lengths, strict=False):
        yield time_us, unpacked[start : start + length]
