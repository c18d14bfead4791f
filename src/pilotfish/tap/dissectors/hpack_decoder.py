"""HPACK: header blocks → header fields (RFC 7541), also where the beginning was not seen.

A decoder that keeps to the RFC must have heard the connection from its first
byte. This one goes on without: what refers to an entry of the dynamic table
that was made before we listened is unknown, everything else is read.
"""

from __future__ import annotations

from collections import deque

from hpack.exceptions import HPACKDecodingError
from hpack.huffman_table import decode_huffman
from hpack.table import HeaderTable

from pilotfish.tap.memory import PIECE_BYTES

_STATIC: tuple[tuple[bytes, bytes], ...] = tuple(
    (bytes(name), bytes(value)) for name, value in HeaderTable.STATIC_TABLE
)
_ENTRY_OVERHEAD = 32  # RFC 7541, section 4.1
_DEFAULT_TABLE_BYTES = 4096
# What SETTINGS may raise the table to is up to the peers; what we keep is not.
MAX_TABLE_BYTES = 256 * 1024
# One byte may stand for a field of any length, a thousand times.
MAX_FIELDS = 1000
MAX_FIELDS_BYTES = 256 * 1024
_UNKNOWN = (b"", b"")

Fields = list[tuple[bytes, bytes]]


class HpackError(ValueError):
    """The block is no HPACK; the state of the decoder is lost."""


class HpackDecoder:
    """Reads the header blocks that one side sends, in their order.

    Attributes:
        unknown: how many fields (so far) referred to what was said before we listened.
        size: how long the fields of the last block are, bytes.
    """

    def __init__(self) -> None:
        self.unknown = 0
        self._table: deque[tuple[bytes, bytes]] = deque()
        self._bytes = 0
        self.size = 0
        self._max_bytes = _DEFAULT_TABLE_BYTES

    @property
    def kept(self) -> int:
        """The table, bytes (RFC 7541, section 4.1, counts 32 for each entry)."""
        return self._bytes + len(self._table) * PIECE_BYTES

    def forget(self) -> None:
        """Blocks were lost: the entries known so far may stand elsewhere now."""
        self._table.clear()
        self._bytes = 0

    def decode(self, block: bytes) -> Fields:
        """The header fields of a block, without those that are unknown.

        Raises:
            HpackError: the block is broken.
        """
        try:
            return self._decode(block)
        except (IndexError, HPACKDecodingError, HpackError) as error:
            self.forget()
            raise HpackError(f"broken header block: {error}") from error

    def _decode(self, block: bytes) -> Fields:
        fields: Fields = []
        self.size = 0
        at, end = 0, len(block)
        while at < end:
            first = block[at]
            if first & 0x80:  # indexed field
                index, at = _integer(block, at, 0x7F)
                self._append(fields, self._entry(index))
                continue
            if first & 0xE0 == 0x20:  # the table's size changes
                size, at = _integer(block, at, 0x1F)
                self._max_bytes = min(size, MAX_TABLE_BYTES)
                self._shrink()
                continue
            indexing = first & 0x40
            index, at = _integer(block, at, 0x3F if indexing else 0x0F)
            if index:
                name = self._entry(index)[0]
            else:
                name, at = _string(block, at)
            value, at = _string(block, at)
            field = (name, value)
            self._append(fields, field)
            if indexing:
                # An entry whose name is unknown still takes its place.
                self._table.appendleft(field)
                self._bytes += len(name) + len(value) + _ENTRY_OVERHEAD
                self._shrink()
        return fields

    def _append(self, fields: Fields, field: tuple[bytes, bytes]) -> None:
        if not field[0]:
            self.unknown += 1
            return
        self.size += len(field[0]) + len(field[1])
        if self.size <= MAX_FIELDS_BYTES and len(fields) < MAX_FIELDS:
            fields.append(field)

    def _entry(self, index: int) -> tuple[bytes, bytes]:
        if index == 0:
            raise HpackError("index 0")
        if index <= len(_STATIC):
            return _STATIC[index - 1]
        index -= len(_STATIC) + 1
        return self._table[index] if index < len(self._table) else _UNKNOWN

    def _shrink(self) -> None:
        while self._bytes > self._max_bytes and self._table:
            name, value = self._table.pop()
            self._bytes -= len(name) + len(value) + _ENTRY_OVERHEAD


def _integer(block: bytes, at: int, mask: int) -> tuple[int, int]:
    """An integer with a prefix (RFC 7541, section 5.1), and where the next thing begins."""
    value = block[at] & mask
    at += 1
    if value < mask:
        return value, at
    shift = 0
    while True:
        byte = block[at]
        at += 1
        value += (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, at
        shift += 7
        if shift > 28:
            raise HpackError("an integer without end")


def _string(block: bytes, at: int) -> tuple[bytes, int]:
    """A string literal (RFC 7541, section 5.2), and where the next thing begins."""
    packed = block[at] & 0x80
    length, at = _integer(block, at, 0x7F)
    if at + length > len(block):
        raise HpackError("a string is longer than its block")
    text = block[at : at + length]
    return (bytes(decode_huffman(text)) if packed else text), at + length
