"""Looks into the history for viewers: in threads, and no longer than somebody waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from pilotfish.tap.entry import Entry
from pilotfish.tap.filter import Filter
from pilotfish.tap.history.history import History
from pilotfish.tap.history.streaming import portions

# Looking at many entries takes its share of the processor from what is live: so many at a time.
SEARCHES_AT_ONCE = 2


@dataclass(frozen=True)
class Search:
    """Which entries are looked for.

    Attributes:
        wanted: a filter of its own: filters are for one thread at a time.
        since_us, until_us: both included; None for no bound.
        probes: whether probes too.
        limit: how many at the most.
    """

    wanted: Filter
    since_us: int | None
    until_us: int | None
    probes: bool
    limit: int

    def matches(self, entry: Entry) -> bool:
        """Whether the entry is wanted, if the time is right."""
        return (self.probes or not entry["probe"]) and self.wanted.matches(entry)


class Searches:
    """All searches of a server."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(SEARCHES_AT_ONCE)

    async def find(
        self, history: History | None, search: Search, newest: bool = False
    ) -> list[Entry]:
        """What matches, oldest first; of too many the oldest, or the newest. Raises OSError."""
        found: list[Entry] = []
        async with aclosing(self.portions(history, search, newest)) as portions_:
            async for portion in portions_:
                found += portion
        if newest:
            found.reverse()
        return found

    async def portions(
        self, history: History | None, search: Search, newest: bool = False
    ) -> AsyncGenerator[list[Entry], None]:
        """The same piece by piece; newest: from the newest back. Raises OSError."""
        left = search.limit
        if history is None or left <= 0:
            return
        async with self._slots:
            # What was heard a moment ago may still be on its way to the disk.
            await asyncio.to_thread(history.flush)
            entries = history.query(search.since_us, search.until_us, newest_first=newest)
            async with aclosing(portions(entries, search.matches)) as found:
                async for portion in found:
                    yield portion[:left]
                    left -= len(portion)
                    if left <= 0:
                        return
