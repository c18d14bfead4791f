"""The revision of the newest write that was acknowledged, kept beside the database.

SQLite takes what is behind the first damaged frame of its write-ahead log for never written
(https://www.sqlite.org/fileformat2.html section 4.4), and an empty file for a new database. Both
open without an error. So the journal notes each revision here before it is acknowledged; a database
that knows less has lost writes.

The note goes to the page cache, which outlives the process, and to the disk once a second at most.
After a power cut it may be behind, never ahead: the database is on the disk before it is written.
"""

from __future__ import annotations

import os
import struct
import time
import zlib
from pathlib import Path
from typing import Final

_REVISION: Final = struct.Struct("<Q")
_SUM: Final = struct.Struct("<I")
_BYTES: Final = _REVISION.size + _SUM.size
_SYNC_PERIOD_S: Final = 1.0


def read(path: Path) -> int:
    """The revision; 0 where there is no note, or one that was written in part."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return 0
    if len(content) != _BYTES or _packed(_REVISION.unpack_from(content)[0]) != content:
        return 0
    revision: int = _REVISION.unpack_from(content)[0]
    return revision


class HighWaterMark:
    """The note's file, open for the thread that writes the journal."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._synced_s = 0.0

    def write(self, revision: int) -> None:
        """Note that everything up to `revision` is in the database."""
        os.pwrite(self._descriptor, _packed(revision), 0)
        now = time.monotonic()
        if now - self._synced_s > _SYNC_PERIOD_S:
            os.fdatasync(self._descriptor)
            self._synced_s = now

    def close(self) -> None:
        """Bring it to the disk."""
        os.fdatasync(self._descriptor)
        os.close(self._descriptor)


def _packed(revision: int) -> bytes:
    content = _REVISION.pack(revision)
    return content + _SUM.pack(zlib.crc32(content))
