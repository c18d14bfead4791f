"""The history of a cluster's packets, so that what is shown can be taken to Wireshark.

Packets hold what people say to each other, and unlike entries nothing in them is blackened out:
the files can be read by their owner only.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Callable, Generator, Mapping
from pathlib import Path

from pilotfish.tap.files.frame import Frame
from pilotfish.tap.files.recorder import flow_of
from pilotfish.tap.history.background import Background
from pilotfish.tap.history.reader import Reader, Span
from pilotfish.tap.history.writer import Writer

log = logging.getLogger(__name__)

MAX_BYTES = 64 << 20
MAX_AGE_S = 24 * 3600.0
_NAME = "packets"
# Time, length on the wire, link type, bytes of the interface's name; name and frame follow.
_HEAD = struct.Struct("<dIHB")

# Of each flow (as `flow_of` has it) the earliest and the latest time, microseconds since 1970.
Flows = Mapping[bytes, tuple[int, int]]


class PacketView:
    """Looks into a history of packets. Its methods block; any thread may call them."""

    def __init__(self, folder: Path, tell: Callable[[str], None] = log.warning) -> None:
        """Arguments as of `HistoryView`."""
        self._reader = Reader(folder / _NAME, tell)

    def frames(
        self,
        since_us: int | None = None,
        until_us: int | None = None,
        flows: Flows | None = None,
    ) -> Generator[Frame, None, None]:
        """Packets in order of time; few of them are in memory at a time.

        Args:
            since_us, until_us: the earliest and the latest time, microseconds since 1970.
            flows: which ones; None for all.

        Raises:
            OSError: the folder cannot be read.
        """
        for time_us, data in self._reader.records(since_us, until_us):
            frame = decode(data)
            if flows is not None:
                first_us, last_us = flows.get(flow_of(frame), (1, 0))
                if not first_us <= time_us <= last_us:
                    continue
            yield frame

    def span(self) -> Span | None:
        """What there is; None if it is empty. Raises OSError where it cannot be read."""
        return self._reader.span()


class PacketHistory(PacketView, Background):
    """Packets that are being recorded; see `Background` for how they are written."""

    def __init__(
        self,
        folder: Path,
        max_bytes: int = MAX_BYTES,
        max_age_s: float = MAX_AGE_S,
        tell: Callable[[str], None] = log.warning,
    ) -> None:
        """Open a history of packets for recording; arguments and errors as of `History`."""
        PacketView.__init__(self, folder, tell)
        Background.__init__(self, Writer(folder / _NAME, max_bytes, max_age_s), _NAME, tell)

    def record(self, frame: Frame) -> None:
        """Keep a packet; called in the event loop, does not wait for the disk."""
        self.put(round(frame.time_s * 1e6), encode(frame))


def encode(frame: Frame) -> bytes:
    """A packet as a record."""
    name = frame.interface.encode()[:255]
    return _HEAD.pack(frame.time_s, frame.length, frame.link_type, len(name)) + name + frame.data


def decode(data: bytes) -> Frame:
    """The packet of a record."""
    time_s, length, link_type, size = _HEAD.unpack_from(data)
    start = _HEAD.size + size
    name = data[_HEAD.size : start].decode("utf-8", "replace")
    return Frame(time_s, data[start:], length, link_type, name)
