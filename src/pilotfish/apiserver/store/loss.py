"""Loss: a database that holds less than was acknowledged is kept as it was found, and announced.

The notice stays in a file beside the database, `store.db.notice`, which `pilotfish status` shows
until somebody deletes it.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

# What SQLite keeps of one database; the shared memory holds nothing that is not in the others.
_SUFFIXES = ("", "-wal")


def notice_file(database: Path) -> Path:
    """Where the notice about a database is."""
    return database.with_name(f"{database.name}.notice")


def keep_copy(database: Path) -> Path:
    """Copy the database as it was found, with its write-ahead log; where to.

    To be called before anything is written, and before the last connection is closed: both discard
    the frames behind the damaged one.
    """
    kept = _free_name(database)
    for suffix in _SUFFIXES:
        source = Path(f"{database}{suffix}")
        if source.exists():
            shutil.copy2(source, f"{kept}{suffix}")
    return kept


def discard(database: Path) -> None:
    """Remove a database of which a copy is kept, so that a new one takes its place."""
    for suffix in (*_SUFFIXES, "-shm"):
        Path(f"{database}{suffix}").unlink(missing_ok=True)


def lost_writes(kept: Path, known: int, acknowledged: int) -> str:
    """The notice for a database that ends before the newest acknowledged write."""
    return (
        f"the store lost acknowledged writes: it ends at revision {known}, and {acknowledged} was "
        f"acknowledged; the files as they were found are kept in {kept}; look at what is missing, "
        "and apply it again"
    )


def emptied(kept: Path, acknowledged: int) -> str:
    """The notice for a database whose file is gone or empty."""
    found = any(Path(f"{kept}{suffix}").exists() for suffix in _SUFFIXES)
    return (
        f"the store was emptied by somebody, and begins empty; revision {acknowledged} was "
        "acknowledged; "
        + (f"what was found is kept in {kept}; " if found else "nothing of it was found; ")
        + "restore a copy of the file while the cluster is down, or apply everything again"
    )


def unreadable(kept: Path, error: Exception) -> str:
    """The notice for a database that was replaced by an empty one."""
    return (
        f"the store could not be read ({error}) and begins empty; the files as they were found are "
        f"kept in {kept}; what is left of them shows: sqlite3 {kept} .recover"
    )


def write_notice(database: Path, notice: str) -> None:
    """Add a notice for `pilotfish status`."""
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    with notice_file(database).open("a") as file:
        file.write(f"{moment} {notice}\n")


def _free_name(database: Path) -> Path:
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    kept = database.with_name(f"{database.name}.found-{moment}")
    number = 1
    while kept.exists() or Path(f"{kept}-wal").exists():
        number += 1
        kept = database.with_name(f"{database.name}.found-{moment}-{number}")
    return kept
