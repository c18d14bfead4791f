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

from pilotfish.apiserver.store import high_water, loss
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
_UNREADABLE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


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
        self._mark_path = path.with_name(f"{path.name}-mark")
        self._queue: queue.SimpleQueue[Record | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def load(self) -> tuple[int, list[Record]]:
        """The last revision and every object, in no particular order.

        Where the file cannot be read, or holds less than was acknowledged, that is announced, what
        was found is kept (`loss`), and revisions go on behind the last one that was acknowledged.

        Raises:
            StoreFailedError: when the file cannot be opened.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        acknowledged = high_water.read(self._mark_path)
        if acknowledged and not (self._path.exists() and self._path.stat().st_size):
            # SQLite would begin a new one, and delete what the log of the old one holds.
            self._announce(loss.emptied(loss.keep_copy(self._path), acknowledged))
            loss.discard(self._path)
            return self._begun_again(acknowledged), []
        connection = self._open()
        try:
            return self._loaded(connection, acknowledged)
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF not in _UNREADABLE:
                raise StoreFailedError(
                    f"the store {self._path} cannot be opened: {error}"
                ) from error
            # While the connection is open: its end discards the log.
            self._announce(loss.unreadable(loss.keep_copy(self._path), error))
        finally:
            connection.close()
        loss.discard(self._path)
        return self._begun_again(acknowledged), []

    def _begun_again(self, acknowledged: int) -> int:
        connection = self._connect()
        try:
            connection.executescript(_SCHEMA)
            connection.execute(_REVISION, (acknowledged,))
        finally:
            connection.close()
        return acknowledged

    def _loaded(
        self, connection: sqlite3.Connection, acknowledged: int
    ) -> tuple[int, list[Record]]:
        _configure(connection)
        connection.executescript(_SCHEMA)
        rows = connection.execute("SELECT resource, key, revision, value FROM objects")
        records = [Record(*row) for row in rows]
        last = connection.execute("SELECT value FROM state WHERE name = 'revision'").fetchone()
        known = last[0] if last else 0
        if known < acknowledged:
            kept = loss.keep_copy(self._path)
            self._announce(loss.lost_writes(kept, known, acknowledged))
            connection.execute(_REVISION, (acknowledged,))
        return max(known, acknowledged), records

    def _announce(self, notice: str) -> None:
        log.error("%s", notice)
        loss.write_notice(self._path, notice)

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

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)

    def _connect(self) -> sqlite3.Connection:
        connection = self._open()
        _configure(connection)
        return connection

    def _work(self, loop: asyncio.AbstractEventLoop, committed: Committed) -> None:
        connection = self._connect()
        mark = high_water.HighWaterMark(self._mark_path)
        try:
            for batch in self._batches():
                error = _commit(connection, batch)
                if error is None:
                    error = _noted(mark, batch[-1].revision)
                loop.call_soon_threadsafe(committed, batch, error)
        finally:
            mark.close()
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


def _configure(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")


def _noted(mark: high_water.HighWaterMark, revision: int) -> StoreFailedError | None:
    try:
        mark.write(revision)
    except OSError as error:
        log.error("store: revision %d is written, but not noted: %s", revision, error)
        return StoreFailedError(f"nobody knows whether the write is kept: {error}")
    return None


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
