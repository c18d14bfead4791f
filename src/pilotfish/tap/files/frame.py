"""A captured frame, and what is wrong with files that should hold some."""

from __future__ import annotations

from typing import BinaryIO, NamedTuple

# What no interface ever captured: a length beyond it means a broken file.
MAX_FRAME_BYTES = 16 * 1024 * 1024


class CaptureFileError(Exception):
    """The file cannot be read or written as a capture; the text says where and why."""


class Frame(NamedTuple):
    """A captured frame; `data` may be shorter than `length`, what it was on the wire."""

    time_s: float
    data: bytes
    length: int
    link_type: int
    interface: str = ""  # its name, where the file has one


def read_exactly(file: BinaryIO, size: int) -> bytes | None:
    """That many bytes, or None at the end of the file, where it may be cut off."""
    data = file.read(size)
    return data if len(data) == size else None
