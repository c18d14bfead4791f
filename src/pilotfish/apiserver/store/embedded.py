"""The embedded store: one API server over one file of SQLite.

Everything from reading the latest version to queueing its successor runs without a pause in the
event loop, so it needs no lock: a write sees every write before it, committed or still on its way
to the disk, and is never outdated.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from pilotfish.apiserver.entries import Entry, decode_entry, encode
from pilotfish.apiserver.store.interface import (
    Pending,
    Replica,
    StoreFailedError,
    Transaction,
    Write,
)
from pilotfish.apiserver.store.journal import Journal, Record


class EmbeddedStore:
    """Gives out revisions, and has the journal write."""

    is_shared: Final = False
    is_reachable: Final = True

    def __init__(self, path: Path) -> None:
        self._journal = Journal(path)
        self._replica: Replica | None = None
        self._waiting: deque[Pending] = deque()
        self._pending: dict[tuple[str, str], Pending] = {}
        self._assigned = 0

    @property
    def pending(self) -> Mapping[tuple[str, str], Pending]:
        """What has been queued and not committed."""
        return self._pending

    async def start(self, replica: Replica) -> None:
        """Load the file and start the thread that writes it."""
        revision, records = self._journal.load()
        # Revision 0 means "any" to clients: the first one is 1.
        self._assigned = max(revision, 1)
        self._replica = replica
        replica.load(
            self._assigned,
            (
                (
                    record.resource,
                    decode_entry(
                        replica.collection(record.resource).fields_of,
                        record.key,
                        record.revision,
                        record.value,
                    ),
                )
                for record in records
                if record.value is not None
            ),
        )
        self._journal.start(asyncio.get_running_loop(), self._committed)

    async def run(self) -> None:
        """Nobody else writes: there is nothing to follow."""

    async def stop(self) -> None:
        """Write what is queued."""
        await self._journal.stop()

    async def catch_up(self) -> None:
        """Nobody else writes: there is nothing to catch up with."""

    async def write(self, transaction: Transaction) -> list[Entry]:
        """Queue the writes one after the other: one commit nearly always takes them all.

        Claims need no keeping: who gives out names asks this server's own books.

        Raises:
            StoreFailedError: when the disk did not take them.
        """
        queued = [self._queue(write) for write in transaction.writes]
        if len(queued) == 1:
            await queued[0].done
        else:
            await asyncio.gather(*(each.done for each in queued))
        return [each.entry for each in queued]

    def _queue(self, write: Write) -> Pending:
        collection, key, obj, removed = write
        self._assigned += 1
        entry = encode(collection.fields_of, key, self._assigned, obj)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queued = Pending(collection, entry, removed, done)
        self._waiting.append(queued)
        self._pending[collection.name, key] = queued
        value = None if removed else entry.data
        self._journal.write(Record(collection.name, key, entry.revision, value))
        return queued

    def _committed(self, batch: Sequence[Record], error: StoreFailedError | None) -> None:
        assert self._replica is not None
        for _ in batch:
            queued = self._waiting.popleft()
            collection, entry, removed, done = queued
            place = (collection.name, entry.key)
            if self._pending.get(place) is queued:
                del self._pending[place]
            if error is None:
                self._replica.apply(collection, entry, removed)
            if done.cancelled():
                continue
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)
