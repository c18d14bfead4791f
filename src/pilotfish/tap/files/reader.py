"""Frames of a capture file, whichever of the two formats it has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pilotfish.tap.files.frame import CaptureFileError, Frame
from pilotfish.tap.files.pcap import MAGICS, read_pcap
from pilotfish.tap.files.pcapng import SECTION_HEADER, read_pcapng


def read_frames(path: Path) -> Iterator[Frame]:
    """The frames of a pcap or pcapng file, in the file's order.

    A file that is cut off in the middle of a frame gives the frames before it.

    Raises:
        CaptureFileError: for a file that is neither, or is broken.
    """
    try:
        with path.open("rb", buffering=1 << 20) as file:
            magic = file.read(4)
            if magic in MAGICS:
                yield from read_pcap(file, magic)
            elif magic == SECTION_HEADER:
                yield from read_pcapng(file)
            else:
                raise CaptureFileError(
                    f"is no capture file: it begins with {magic.hex(' ') or 'nothing'}, "
                    "neither pcap nor pcapng (compressed? unpack it first)"
                )
    except CaptureFileError as error:
        raise CaptureFileError(f"{path}: {error}") from error
    except OSError as error:
        raise CaptureFileError(f"{path}: {error.strerror}") from error
