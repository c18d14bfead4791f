"""A capture file as entries: the tap without a cluster."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pilotfish.tap.dissection import Dissection
from pilotfish.tap.entry import LazyEntry
from pilotfish.tap.exchange import Exchange
from pilotfish.tap.files.frame import Frame
from pilotfish.tap.files.reader import read_frames
from pilotfish.tap.identity import Identity
from pilotfish.tap.key_log import KeyLog


def read_entries(
    path: Path,
    names: Identity,
    emit: Callable[[LazyEntry], None],
    keys: KeyLog | None = None,
    on_frame: Callable[[Frame], None] | None = None,
) -> int:
    """Dissect a file; the number of its frames.

    Args:
        path: a pcap or pcapng file.
        names: says who the addresses were.
        emit: hears each entry, in the order in which they end.
        keys: secrets with which TLS is decrypted.
        on_frame: hears each frame, before what it brings to an end.

    Raises:
        CaptureFileError: for a file that cannot be read.
    """
    sequence = 0

    def hear(exchange: Exchange) -> None:
        nonlocal sequence
        sequence += 1
        emit(LazyEntry(exchange, names, None, "", sequence))

    dissection = Dissection(hear, keys=keys)
    feed, last_s = dissection.feed, 0.0
    for frame in read_frames(path):
        if on_frame is not None:
            on_frame(frame)
        last_s = frame.time_s
        feed(last_s, frame.data, frame.link_type)
    dissection.finish(last_s)
    return dissection.frames
