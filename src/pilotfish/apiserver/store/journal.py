"""The journal: a SQLite file, and the thread that writes it.

Writes queue up while the thread commits and then go in one transaction together (group
commit): the disk is asked once for as many writes as came in meanwhile. Each transaction is
fsynced (WAL, synchronous=FULL), so that what was acknowledged survives a power cut.
Revisions are given out by the caller, in the order of the queue.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pilotfish.apiserver.store.interface import StoreFailedError

log = logging.getLogger(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    resource TEXT NOT NULL, key TEXT NOT NULL, revision INTEGER NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY (resource, key));
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""
_PUT = "INSERT OR REPLACE INTO objects (resource, key, revision, value) VALUES (?, ?, ?, ?)"
_REMOVE = "DELETE FROM objects WHERE resource = ? AND key = ?"
_REVISION = "INSERT OR REPLACE INTO state (name, value) VALUES ('revision', ?)"
_MAX_BATCH = 1000


class Record(NamedTuple):
    """One row: an object's bytes, or their removal (`value` is None)."""

    resource: str
    key: str
    revision: int
    value: bytes | None


Committed = Callable[[Sequence[Record], StoreFailedError | None], None]


class Journal:
    """A SQLite file and the thread that writes it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queue: queue.SimpleQueue[Record | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def load(self) -> tuple[int, list[Record]]:
        """The last revision and every object, in no particular order."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = self._connect()
        try:
            connection.executescript(_SCHEMA)
            rows = connection.execute("SELECT resource, key, revision, value FROM objects")
            records = [Record(*row) for row in rows]
            last = connection.execute("SELECT value FROM state WHERE name = 'revision'").fetchone()
        finally:
            connection.close()
        return (last[0] if last else 0), records

    def start(self, loop: asyncio.AbstractEventLoop, committed: Committed) -> None:
        """Start the thread; `committed` is called in the loop after each transaction."""
        self._thread = threading.Thread(
            target=self._work, args=(loop, committed), name="store", daemon=True
        )
        self._thread.start()

    def write(self, record: Record) -> None:
        """Queue a record; `committed` hears of it."""
        self._queue.put(record)

    async def stop(self) -> None:
        """Write what is queued and end the thread."""
        if self._thread is not None:
            self._queue.put(None)
            await asyncio.to_thread(self._thread.join)
            self._thread = None

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def _work(self, loop: asyncio.AbstractEventLoop, committed: Committed) -> None:
        connection = self._connect()
        try:
            for batch in self._batches():
                error = _commit(connection, batch)
                loop.call_soon_threadsafe(committed, batch, error)
        finally:
            connection.close()

    def _batches(self) -> Iterator[list[Record]]:
        while True:
            batch: list[Record] = []
            record = self._queue.get()
            while record is not None:
                batch.append(record)
                if len(batch) == _MAX_BATCH:
                    break
                try:
                    record = self._queue.get_nowait()
                except queue.Empty:
                    break
            if batch:
                yield batch
            if record is None:
                return


def _commit(connection: sqlite3.Connection, batch: list[Record]) -> StoreFailedError | None:
    try:
        connection.execute("BEGIN IMMEDIATE")
        for record in batch:
            if record.value is None:
                connection.execute(_REMOVE, record[:2])
            else:
                connection.execute(_PUT, record)
        connection.execute(_REVISION, (batch[-1].revision,))
        connection.execute("COMMIT")
    except (sqlite3.Error, ValueError, OverflowError) as error:
        log.exception("store: a transaction of %d writes failed", len(batch))
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        return StoreFailedError(f"the store did not take the write: {error}")
    return None
