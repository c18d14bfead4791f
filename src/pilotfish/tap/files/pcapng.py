"""Reading the pcapng format, as Wireshark writes it.

Source: the IETF draft draft-ietf-opsawg-pcapng. Several sections, byte orders
and interfaces with clocks of their own; blocks that hold no frames are passed
over.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from struct import Struct
from typing import BinaryIO

from pilotfish.tap.dissectors.pending import Pending
from pilotfish.tap.files.frame import MAX_FRAME_BYTES, CaptureFileError, Frame, read_exactly

SECTION_HEADER = bytes.fromhex("0a0d0d0a")

_INTERFACE = 1
_PACKET = 2
_SIMPLE_PACKET = 3
_ENHANCED_PACKET = 6
_OPTION_NAME = 2
_OPTION_TIME_RESOLUTION = 9
_OPTION_TIME_OFFSET = 14


class _Interface:
    """What an interface description block says that its frames need."""

    def __init__(self, order: str, body: bytes) -> None:
        self.link_type, self.snap_length = Struct(order + "HxxI").unpack_from(body)
        self.unit_s, self.offset_s, self.name = 1e-6, 0, ""
        for code, value in _options(order, body[8:]):
            if code == _OPTION_NAME:
                self.name = value.decode("utf-8", "replace")
            elif code == _OPTION_TIME_RESOLUTION and value:
                exponent = value[0] & 0x7F
                self.unit_s = 2.0**-exponent if value[0] & 0x80 else 10.0**-exponent
            elif code == _OPTION_TIME_OFFSET and len(value) == 8:
                (self.offset_s,) = Struct(order + "q").unpack(value)


class Section:
    """One section: a byte order, and the interfaces that were described so far."""

    def __init__(self, order: str) -> None:
        self._order = order
        self._interfaces: list[_Interface] = []

    def frame(self, kind: int, body: bytes) -> Frame | None:
        """The frame of a block; None for a block that holds none.

        Raises:
            CaptureFileError: for a block that cannot be read.
        """
        try:
            if kind == _INTERFACE:
                self._interfaces.append(_Interface(self._order, body))
            elif kind in (_ENHANCED_PACKET, _PACKET, _SIMPLE_PACKET):
                return _frame(kind, self._order, body, self._interfaces)
        except (struct.error, IndexError) as error:
            raise CaptureFileError(f"a block of type {kind} cannot be read: {error}") from error
        return None


class PcapngStream:
    """A pcapng stream that comes in pieces, in little-endian order as `pcapng_blocks` writes."""

    def __init__(self) -> None:
        self._pending = Pending()
        self._section = Section("<")

    def feed(self, piece: bytes) -> Iterator[Frame]:
        """The frames that are whole with this piece."""
        data, at, need = self._pending.take(piece), 0, 8
        while len(data) - at >= 8:
            kind, length = struct.unpack_from("<II", data, at)
            if length < 12 or length > MAX_FRAME_BYTES:
                raise CaptureFileError(f"a block of {length} bytes")
            if len(data) - at < length:
                need = length
                break
            frame = self._section.frame(kind, data[at + 8 : at + length - 4])
            if frame is not None:
                yield frame
            at += length
        if at < len(data):
            self._pending.keep(data[at:], need)


def read_pcapng(file: BinaryIO) -> Iterator[Frame]:
    """The frames of a pcapng file whose first four bytes were read already."""
    order = _section(file)
    section = Section(order or "<")
    while order is not None and (head := read_exactly(file, 4)) is not None:
        if head == SECTION_HEADER:
            order = _section(file)
            section = Section(order or "<")
            continue
        (kind,) = Struct(order + "I").unpack(head)
        body = _body(file, order)
        if body is None:
            return
        try:
            frame = section.frame(kind, body)
        except CaptureFileError as error:
            raise CaptureFileError(f"is broken before byte {file.tell()}: {error}") from error
        if frame is not None:
            yield frame


def _section(file: BinaryIO) -> str | None:
    """Read a section header behind its type; its byte order, or None where the file ends."""
    head = read_exactly(file, 8)
    if head is None:
        return None
    order = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}.get(head[4:])
    if order is None:
        raise CaptureFileError(
            f"is broken: a pcapng section has no byte-order magic ({head.hex()})"
        )
    (length,) = Struct(order + "I").unpack_from(head)
    return order if read_exactly(file, max(length - 12, 0)) is not None else None


def _body(file: BinaryIO, order: str) -> bytes | None:
    """Read a block behind its type: what lies between its two lengths."""
    head = read_exactly(file, 4)
    if head is None:
        return None
    (length,) = Struct(order + "I").unpack(head)
    if length < 12 or length % 4 or length > MAX_FRAME_BYTES:
        raise CaptureFileError(f"is broken at byte {file.tell() - 8}: a block of {length} bytes")
    body = read_exactly(file, length - 8)
    return body[:-4] if body is not None else None


def _frame(kind: int, order: str, body: bytes, interfaces: list[_Interface]) -> Frame:
    if kind == _SIMPLE_PACKET:
        (length,) = Struct(order + "I").unpack_from(body)
        interface = interfaces[0]
        captured = min(length, interface.snap_length or length)
        return Frame(0.0, body[4 : 4 + captured], length, interface.link_type, interface.name)
    layout = "IIIII" if kind == _ENHANCED_PACKET else "HxxIIII"
    number, high, low, captured, length = Struct(order + layout).unpack_from(body)
    interface = interfaces[number]
    ticks = (high << 32) | low
    time_s = ticks * interface.unit_s + interface.offset_s
    return Frame(time_s, body[20 : 20 + captured], length, interface.link_type, interface.name)


def _options(order: str, data: bytes) -> Iterator[tuple[int, bytes]]:
    """The options of a block: (code, value)."""
    at = 0
    head = Struct(order + "HH")
    while at + 4 <= len(data):
        code, length = head.unpack_from(data, at)
        if code == 0:
            return
        yield code, data[at + 4 : at + 4 + length]
        at += 4 + (length + 3) // 4 * 4
