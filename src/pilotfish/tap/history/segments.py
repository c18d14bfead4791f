"""A folder of segments: the files that a history consists of.

Segments are written one after the other and deleted as a whole, oldest first: so the disk is
given back at once, and nothing is ever rewritten. Their names are the time of their beginning,
so that they sort. A file that is damaged is set aside under another name, and counts towards the
bounds until it is deleted in its turn.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import NamedTuple

SUFFIX = ".segment"
DAMAGED = ".damaged"


class Segment(NamedTuple):
    """A file of the folder as it was found. written_s: when it was last written to."""

    path: Path
    size: int
    written_s: float
    inode: int


def segments(folder: Path, damaged: bool = False) -> list[Segment]:
    """The segments of a folder, oldest first; none where there is no folder.

    Args:
        folder: theirs.
        damaged: whether those that were set aside are meant as well.

    Raises:
        OSError: the folder cannot be read.
    """
    found = []
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return []
    for entry in entries:
        if entry.name.endswith(SUFFIX) or (damaged and entry.name.endswith(DAMAGED)):
            with contextlib.suppress(FileNotFoundError):  # deleted by now
                status = entry.stat()
                path = folder / entry.name
                found.append(Segment(path, status.st_size, status.st_mtime, status.st_ino))
    return sorted(found, key=lambda segment: segment.path.name)


def name(number: int) -> str:
    """The file name of a segment with that number, microseconds since 1970."""
    return f"{number:020d}{SUFFIX}"


def number(path: Path) -> int:
    """The number in a segment's name; 0 for a name that is none of ours."""
    return int(path.stem) if path.stem.isdecimal() else 0


def set_aside(path: Path) -> Path | None:
    """Rename a damaged segment; its new path, or None if somebody did so before."""
    aside = path.with_suffix(DAMAGED)
    try:
        return path.rename(aside)
    except FileNotFoundError:
        return None
