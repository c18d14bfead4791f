"""The etcd store: objects in etcd, its watch as the one way by which they reach the replica.

A write is a transaction that compares revisions, so several API servers can write at once; its
author hears of it when the watch has brought it to this replica too. A read that wants the newest
state asks etcd for the revision of the newest write, and waits until the watch has come so far: one
question at a time, for all who wait.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from heapq import heappop, heappush
from types import MappingProxyType
from typing import Final

import orjson

from pilotfish.apiserver.entries import Entry, encode
from pilotfish.apiserver.errors import Outdated
from pilotfish.apiserver.store.etcd import messages
from pilotfish.apiserver.store.etcd.address import EtcdAddress
from pilotfish.apiserver.store.etcd.channel import Channel, EtcdError, UnreachableError
from pilotfish.apiserver.store.etcd.compaction import compact
from pilotfish.apiserver.store.etcd.layout import Layout
from pilotfish.apiserver.store.etcd.messages import KeyValue, Watched
from pilotfish.apiserver.store.etcd.version import check_version
from pilotfish.apiserver.store.interface import (
    Pending,
    Replica,
    StoreFailedError,
    Transaction,
)

log = logging.getLogger(__name__)

_PAGE: Final = 1000
# Longer than etcd itself waits for a leader (7 s).
_WATCH_LAG_S: Final = 15.0
_RETRY_S: Final = 0.2
# gRPC's DEADLINE_EXCEEDED and UNAVAILABLE: no leader, or none in time.
_PASSING: Final = (4, 14)
_NOTHING: Final[Mapping[tuple[str, str], Pending]] = MappingProxyType({})


class EtcdStore:
    """The part of one etcd cluster that is under a prefix."""

    is_shared: Final = True
    # What is on its way may be refused: nothing is certain before etcd's answer.
    pending = _NOTHING

    def __init__(self, address: EtcdAddress) -> None:
        self._address = address
        self._layout = Layout(address.prefix)
        self._channel = Channel(address)
        self._replica: Replica | None = None
        # How far the watch has come, and who waits for it to come to which revision.
        self._seen = 0
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._waits = 0
        # The question for the newest write that can still be joined, and who may ask one now.
        self._question: asyncio.Task[int] | None = None
        self._turn = asyncio.Lock()

    @property
    def is_reachable(self) -> bool:
        """Whether there is a connection."""
        return self._channel.is_connected

    async def start(self, replica: Replica) -> None:
        """Connect, load, and follow.

        Raises:
            StoreFailedError: when etcd is not there, is too old, or does not let us in.
        """
        self._replica = replica
        try:
            await self._channel.open()
            await check_version(self._channel)
            await self._load()
        except (EtcdError, OSError) as error:
            raise StoreFailedError(
                f"the store at {self._address} cannot be used: {error}", is_unavailable=True
            ) from error

    async def run(self) -> None:
        """Follow what is written, and see to it that etcd forgets."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow(), name="watch of etcd")
            tasks.create_task(compact(self._channel, self._layout.compaction), name="compaction")

    async def stop(self) -> None:
        """Let go of etcd. What was under way may have been written or not."""
        await self._channel.close()

    async def write(self, transaction: Transaction) -> list[Entry]:
        """Commit a transaction, and wait until the watch has brought it.

        Raises:
            Outdated: when another server was quicker.
            StoreFailedError: when etcd refuses it, or cannot be reached.
        """
        request = self._layout.transaction(transaction)
        try:
            answer = await self._channel.call(messages.TXN, request)
        except EtcdError as error:
            raise _failure(error) from error
        outcome = messages.read_outcome(answer)
        if not outcome.succeeded:
            newest = max((pair.revision for pair in outcome.found[0].pairs), default=0)
            await self._seen_until(newest)
            raise Outdated(transaction.writes[0].key)
        await self._seen_until(outcome.revision)
        return [
            encode(write.collection.fields_of, write.key, outcome.revision, write.obj)
            for write in transaction.writes
        ]

    async def catch_up(self) -> None:
        """Ask for the newest write, together with all who ask meanwhile; wait until it is seen.

        Raises:
            StoreFailedError: when etcd does not answer.
        """
        if self._question is None:
            self._question = asyncio.create_task(self._ask(), name="question to etcd")
        try:
            newest = await asyncio.shield(self._question)
        except EtcdError as error:
            raise _failure(error) from error
        await self._seen_until(newest)

    async def _ask(self) -> int:
        """The revision of the newest write."""
        async with self._turn:
            # Who comes from now on may have seen a write that is newer than the answer.
            self._question = None
            return (await self._read_revisions())[0]

    async def _read_revisions(self) -> tuple[int, int]:
        """The revision of our newest write, and etcd's own."""
        request = messages.range_request(self._layout.revision, keys_only=True)
        found = messages.read_found(await self._channel.call(messages.RANGE, request))
        return max((pair.revision for pair in found.pairs), default=0), found.revision

    async def _seen_until(self, revision: int) -> None:
        """Wait until the watch has come to a revision."""
        if self._seen >= revision:
            return
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waits += 1
        heappush(self._waiting, (revision, self._waits, waiting))
        try:
            async with asyncio.timeout(_WATCH_LAG_S):
                await waiting
        except TimeoutError:
            raise StoreFailedError(
                f"etcd's watch has not come to revision {revision} in time", is_unavailable=True
            ) from None

    def _come_to(self, revision: int) -> None:
        self._seen = max(self._seen, revision)
        while self._waiting and self._waiting[0][0] <= self._seen:
            waiting = heappop(self._waiting)[2]
            if not waiting.done():
                waiting.set_result(None)

    async def _load(self) -> None:
        """Take over everything that etcd holds now."""
        assert self._replica is not None
        layout, replica = self._layout, self._replica
        pairs: list[KeyValue] = []
        key, revision, more = layout.first, 0, True
        while more:
            request = messages.range_request(key, layout.end, limit=_PAGE, revision=revision)
            found = messages.read_found(await self._channel.call(messages.RANGE, request))
            pairs += found.pairs
            revision, more = revision or found.revision, found.more
            key = pairs[-1].key + b"\0" if pairs else key
        entries = []
        for pair in pairs:
            resource, name = layout.place(pair.key)
            entry = self._entry(resource, name, pair)
            if entry is not None:
                entries.append((resource, entry))
        replica.load(revision, entries)
        # What others wrote to etcd after that is none of ours or comes by the watch.
        self._seen = 0
        self._come_to(revision)

    def _entry(self, resource: str, key: str, pair: KeyValue) -> Entry | None:
        assert self._replica is not None
        try:
            obj = orjson.loads(pair.value)
            return encode(self._replica.collection(resource).fields_of, key, pair.revision, obj)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            log.error("the value of %s in etcd is no object, and passed over: %s", pair.key, error)
            return None

    async def _follow(self) -> None:
        """Bring every change to the replica, in order, until cancelled."""
        while True:
            try:
                async with aclosing(self._watch()) as messages_of_watch:
                    async for watched in messages_of_watch:
                        if watched.canceled:
                            why = watched.reason or f"compacted at {watched.compacted}"
                            log.warning("etcd ended the watch at %d: %s", self._seen, why)
                            await self._load()
                            break
                        self._take(watched)
            except UnreachableError:
                # The channel has told of it, and waits for a connection.
                await asyncio.sleep(_RETRY_S)
            except EtcdError as error:
                log.warning("the watch of etcd broke at revision %d: %s", self._seen, error)
                await asyncio.sleep(_RETRY_S)

    async def _watch(self) -> AsyncGenerator[Watched, None]:
        """What comes after what was seen."""
        layout = self._layout
        _, current = await self._read_revisions()
        if current < self._seen:
            # Its history is not the one we know: it lost data, or another etcd is there now.
            log.error(
                "etcd is at revision %d, but was at %d; everything is read again",
                current,
                self._seen,
            )
            await self._load()
        request = messages.watch_request(layout.first, layout.end, self._seen + 1)
        async with aclosing(self._channel.stream(messages.WATCH, request)) as answers:
            async for data in answers:
                yield messages.read_watched(data)

    def _take(self, watched: Watched) -> None:
        assert self._replica is not None
        replica = self._replica
        for pair, removed in watched.events:
            resource, key = self._layout.place(pair.key)
            collection = replica.collection(resource)
            if not removed:
                entry = self._entry(resource, key, pair)
            else:
                last = collection.get(key)
                entry = last and encode(collection.fields_of, key, pair.revision, last.decode())
            if entry is not None:
                replica.apply(collection, entry, removed)
        if watched.events:
            self._come_to(watched.events[-1][0].revision)
        elif not watched.created:
            # Nothing has happened to our keys, while others may have written to theirs.
            self._come_to(watched.revision)


def _failure(error: EtcdError) -> StoreFailedError:
    if isinstance(error, UnreachableError):
        then = "; whether it was written is not known" if error.is_sent else ""
        return StoreFailedError(f"etcd cannot be reached: {error}{then}", is_unavailable=True)
    return StoreFailedError(str(error), is_unavailable=error.code in _PASSING)
