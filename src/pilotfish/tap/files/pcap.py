"""The pcap format, as tcpdump writes it.

Source: the IETF draft draft-ietf-opsawg-pcap. Both byte orders, and times in
micro- or nanoseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import BinaryIO

from pilotfish.tap.files.frame import MAX_FRAME_BYTES, CaptureFileError, Frame, read_exactly

# The magic number says byte order and unit of time.
MAGICS: dict[bytes, tuple[str, float]] = {
    bytes.fromhex("d4c3b2a1"): ("<", 1e-6),
    bytes.fromhex("a1b2c3d4"): (">", 1e-6),
    bytes.fromhex("4d3cb2a1"): ("<", 1e-9),
    bytes.fromhex("a1b23c4d"): (">", 1e-9),
}


def read_pcap(file: BinaryIO, magic: bytes) -> Iterator[Frame]:
    """The frames of a pcap file whose magic number was read already."""
    order, unit_s = MAGICS[magic]
    header = read_exactly(file, 20)
    if header is None:
        raise CaptureFileError("is cut off within the pcap file header")
    (link_type,) = Struct(order + "16xI").unpack(header)
    link_type &= 0x0FFF_FFFF  # the upper bits tell about frame check sequences
    record = Struct(order + "IIII").unpack
    read = file.read
    while len(head := read(16)) == 16:
        seconds, fraction, captured, length = record(head)
        if captured > MAX_FRAME_BYTES:
            raise CaptureFileError(
                f"is broken at byte {file.tell() - 16}: a frame of {captured} bytes"
            )
        data = read(captured)
        if len(data) < captured:
            return
        yield Frame(seconds + fraction * unit_s, data, length, link_type)
