"""The registry: the latest state of every object, and the one way to write it.

A write succeeds the version that its author has read: who was slower than another server reads
again (`attempt`). Readers and watchers see a write when it has been committed, and its author
hears of it after they can.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from pilotfish.apiserver.collection import Collection
from pilotfish.apiserver.entries import Entry, encode
from pilotfish.apiserver.errors import Outdated, StatusError, internal, unavailable
from pilotfish.apiserver.store.interface import (
    Store,
    StoreFailedError,
    Transaction,
    Write,
)
from pilotfish.objects.meta import Object, key_of

# Two names for one kind of object: kube-apiserver stores it once as well.
_STORED_AS = {"events.events.k8s.io": "events"}

_T = TypeVar("_T")


class Registry:
    """All collections, over one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._collections: dict[str, Collection] = {}
        self._horizon = 0
        self.revision = 0

    async def start(self) -> None:
        """Load what is stored.

        Raises:
            StoreFailedError: when the store cannot be used.
        """
        await self._store.start(self)

    async def run(self) -> None:
        """Follow what others write, until cancelled; a store of our own needs no following."""
        await self._store.run()

    async def stop(self) -> None:
        """Write what is queued."""
        await self._store.stop()

    @property
    def is_shared(self) -> bool:
        """Whether other API servers may write as well."""
        return self._store.is_shared

    @property
    def is_reachable(self) -> bool:
        """Whether a write would be taken now."""
        return self._store.is_reachable

    def collection(self, resource_name: str) -> Collection:
        """The committed objects of a resource, by its full name: `deployments.apps`."""
        name = _STORED_AS.get(resource_name, resource_name)
        collection = self._collections.get(name)
        if collection is None:
            # What was written before this start is not remembered as history.
            collection = self._collections[name] = Collection(name, horizon=self._horizon)
        return collection

    def collections(self) -> Iterable[Collection]:
        """All collections that hold or held anything."""
        return self._collections.values()

    def latest(self, resource_name: str, key: str) -> Entry | None:
        """The newest version of an object, committed or not; None if there is none."""
        name = _STORED_AS.get(resource_name, resource_name)
        pending = self._store.pending.get((name, key))
        if pending is not None:
            return None if pending.removed else pending.entry
        return self.collection(name).get(key)

    def preview(self, resource_name: str, obj: Object) -> Entry:
        """The entry that a write would make: the answer to a dry run."""
        revision = int(obj["metadata"].get("resourceVersion") or 0)
        return encode(self.collection(resource_name).fields_of, key_of(obj), revision, obj)

    def putting(self, resource_name: str, obj: Object) -> Write:
        """The write of an object, as a part of a transaction."""
        return Write(self.collection(resource_name), key_of(obj), obj)

    def removing(self, resource_name: str, obj: Object) -> Write:
        """The removal of an object, as a part of a transaction."""
        return Write(self.collection(resource_name), key_of(obj), obj, removed=True)

    async def put(self, resource_name: str, obj: Object) -> Entry:
        """Write an object; returns when it is durable.

        What it succeeds is the version of its metadata.resourceVersion, which is set again in
        `obj`. The order of writes is that of the calls.

        Raises:
            StatusError: 500 or 503 when the store failed; Outdated when another server has
                written the object meanwhile.
        """
        return (await self.write(Transaction((self.putting(resource_name, obj),))))[0]

    async def remove(self, resource_name: str, obj: Object) -> Entry:
        """Remove an object; returns it as it was last, at the revision of its removal.

        Raises:
            StatusError: as `put`.
        """
        return (await self.write(Transaction((self.removing(resource_name, obj),))))[0]

    async def write(self, transaction: Transaction) -> list[Entry]:
        """Do several writes, all or none of them; what was written, in their order.

        Raises:
            StatusError: as `put`.
        """
        try:
            return await self._store.write(transaction)
        except StoreFailedError as error:
            raise _failure(error) from error

    async def attempt(self, work: Callable[[], Awaitable[_T]]) -> _T:
        """Do work that reads and then writes; again while somebody else was quicker.

        Raises:
            StatusError: what the work raises.
        """
        while True:
            try:
                return await work()
            except Outdated:
                continue

    async def catch_up(self) -> None:
        """Return when everything can be read that was acknowledged before, by any server.

        Raises:
            StatusError: 503, when the store cannot be asked.
        """
        try:
            await self._store.catch_up()
        except StoreFailedError as error:
            raise _failure(error) from error

    def load(self, revision: int, entries: Iterable[tuple[str, Entry]]) -> None:
        """Take over what the store holds: at the start, and when changes were missed."""
        self._horizon = self.revision = revision
        by_resource: dict[str, list[Entry]] = {name: [] for name in self._collections}
        for name, entry in entries:
            by_resource.setdefault(name, []).append(entry)
        for name, found in by_resource.items():
            self.collection(name).load(found, revision)

    def apply(self, collection: Collection, entry: Entry, removed: bool) -> None:
        """Take in a committed write."""
        self.revision = entry.revision
        collection.apply(entry, removed)


def _failure(error: StoreFailedError) -> StatusError:
    return unavailable(str(error)) if error.is_unavailable else internal(str(error))
