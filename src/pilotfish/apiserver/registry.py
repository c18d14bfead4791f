"""The registry: the latest state of every object, and the one way to write it.

Everything from reading the latest version to queueing its successor runs without a pause in
the event loop, so it needs no lock: a write sees every write before it, committed or still on
its way to the disk. Readers and watchers see a write when it has been committed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pilotfish.apiserver.collection import Collection
from pilotfish.apiserver.entries import Entry, decode_entry, encode
from pilotfish.apiserver.errors import internal
from pilotfish.apiserver.store import Record, Store, StoreFailedError
from pilotfish.objects.meta import Object, key_of

# Two names for one kind of object: kube-apiserver stores it once as well.
_STORED_AS = {"events.events.k8s.io": "events"}


class _Write(NamedTuple):
    collection: Collection
    entry: Entry
    removed: bool
    done: asyncio.Future[None]


class Registry:
    """All collections, over one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._collections: dict[str, Collection] = {}
        self._waiting: deque[_Write] = deque()
        # The newest version of what has been queued and not committed; None: a removal.
        self._pending: dict[tuple[str, str], _Write] = {}
        self._started = 0
        self._assigned = 0
        self.revision = 0

    def start(self) -> None:
        """Load the store and start its thread."""
        self.revision, records = self._store.load()
        # Revision 0 means "any" to clients: the first one is 1.
        self.revision = max(self.revision, 1)
        self._started = self._assigned = self.revision
        by_resource: dict[str, list[Entry]] = {}
        for record in records:
            assert record.value is not None
            collection = self.collection(record.resource)
            entry = decode_entry(collection.fields_of, record.key, record.revision, record.value)
            by_resource.setdefault(record.resource, []).append(entry)
        for name, entries in by_resource.items():
            self.collection(name).load(entries)
        self._store.start(asyncio.get_running_loop(), self._committed)

    async def stop(self) -> None:
        """Write what is queued."""
        await self._store.stop()

    def collection(self, resource_name: str) -> Collection:
        """The committed objects of a resource, by its full name: `deployments.apps`."""
        name = _STORED_AS.get(resource_name, resource_name)
        collection = self._collections.get(name)
        if collection is None:
            # What was written before this start is not remembered as history.
            collection = self._collections[name] = Collection(name, horizon=self._started)
        return collection

    def collections(self) -> Iterable[Collection]:
        """All collections that hold or held anything."""
        return self._collections.values()

    def latest(self, resource_name: str, key: str) -> Entry | None:
        """The newest version of an object, committed or not; None if there is none."""
        name = _STORED_AS.get(resource_name, resource_name)
        write = self._pending.get((name, key))
        if write is not None:
            return None if write.removed else write.entry
        return self.collection(name).get(key)

    def preview(self, resource_name: str, obj: Object) -> Entry:
        """The entry that a write would make: the answer to a dry run."""
        revision = int(obj["metadata"].get("resourceVersion") or 0)
        return encode(self.collection(resource_name).fields_of, key_of(obj), revision, obj)

    async def put(self, resource_name: str, obj: Object) -> Entry:
        """Write an object at the next revision; returns when it is on the disk.

        The queueing happens before the first pause. Sets metadata.resourceVersion in `obj`.

        Raises:
            StatusError: 500, when the store failed.
        """
        return await self._write(resource_name, obj, removed=False)

    async def remove(self, resource_name: str, obj: Object) -> Entry:
        """Remove an object; returns it as it was last, at the revision of its removal.

        Raises:
            StatusError: 500, when the store failed.
        """
        return await self._write(resource_name, obj, removed=True)

    async def _write(self, resource_name: str, obj: Object, *, removed: bool) -> Entry:
        collection = self.collection(resource_name)
        self._assigned += 1
        entry = encode(collection.fields_of, key_of(obj), self._assigned, obj)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        write = _Write(collection, entry, removed, done)
        self._waiting.append(write)
        self._pending[collection.name, entry.key] = write
        value = None if removed else entry.data
        self._store.write(Record(collection.name, entry.key, entry.revision, value))
        try:
            await done
        except StoreFailedError as error:
            raise internal(str(error)) from error
        return entry

    def _committed(self, batch: Sequence[Record], error: StoreFailedError | None) -> None:
        for _ in batch:
            write = self._waiting.popleft()
            collection, entry, removed, done = write
            place = (collection.name, entry.key)
            if self._pending.get(place) is write:
                del self._pending[place]
            if error is None:
                self.revision = entry.revision
                collection.apply(entry, removed)
            if done.cancelled():
                continue
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)
