"""What the registry asks of a store, and what a store tells the registry.

A store takes transactions: all their writes happen, or none. It tells of every write that became
durable, whoever made it, in the order of revisions. What it has told is what readers see.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable, Mapping, Sequence

    from pilotfish.apiserver.collection import Collection
    from pilotfish.apiserver.entries import Entry
    from pilotfish.objects.meta import Object


class StoreFailedError(Exception):
    """A transaction was not written, or nobody knows whether it was.

    Attributes:
        is_unavailable: whether the store is out of reach; trying again later may help.
    """

    def __init__(self, message: str, *, is_unavailable: bool = False) -> None:
        super().__init__(message)
        self.is_unavailable = is_unavailable


class Write(NamedTuple):
    """One object to be written or removed.

    Its metadata.resourceVersion is that of the version it succeeds; none for a new object.
    """

    collection: Collection
    key: str
    obj: Object
    removed: bool = False


class Pending(NamedTuple):
    """A write on its way, which is certain to follow those before it.

    Attributes:
        done: resolved when it is durable.
    """

    collection: Collection
    entry: Entry
    removed: bool
    done: asyncio.Future[None]


@dataclass(frozen=True, slots=True)
class Transaction:
    """Writes that belong together.

    Attributes:
        claims: names that nobody else may hold: "nodeports/30080".
        releases: names that are given back.
    """

    writes: Sequence[Write]
    claims: Iterable[str] = ()
    releases: Iterable[str] = ()


class Replica(Protocol):
    """The state in memory, which a store feeds."""

    @property
    def revision(self) -> int:
        """Of the last change that it was told of."""

    def collection(self, resource_name: str) -> Collection:
        """The objects of a resource."""

    def load(self, revision: int, entries: Iterable[tuple[str, Entry]]) -> None:
        """Take over everything there is: at the start, and when changes were missed.

        entries: each with the name of its resource.
        """

    def apply(self, collection: Collection, entry: Entry, removed: bool) -> None:
        """Take in the next change."""


class Store(Protocol):
    """Makes transactions durable."""

    @property
    def is_shared(self) -> bool:
        """Whether other API servers may write to it as well."""

    @property
    def is_reachable(self) -> bool:
        """Whether it would take a transaction now."""

    @property
    def pending(self) -> Mapping[tuple[str, str], Pending]:
        """The newest of what is on its way, by resource and key."""

    async def start(self, replica: Replica) -> None:
        """Load the replica.

        Raises:
            StoreFailedError: when the store cannot be used.
        """

    async def run(self) -> None:
        """Keep the replica up to date with what others write, until cancelled."""

    async def stop(self) -> None:
        """Finish what is under way."""

    async def write(self, transaction: Transaction) -> list[Entry]:
        """Make a transaction durable, and the replica show it; what was written, in its order.

        Nothing is awaited before the transaction has its place in the order of writes.
        Sets metadata.resourceVersion in the objects.

        Raises:
            Outdated: another server wrote one of the objects, or holds one of the claims; the
                replica shows it by now.
            StoreFailedError: when it could not be written.
        """

    async def catch_up(self) -> None:
        """Return when the replica shows everything that was acknowledged before the call.

        Raises:
            StoreFailedError: when that cannot be found out.
        """
