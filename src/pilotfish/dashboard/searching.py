"""Looks into the history for viewers: in threads, and no longer than somebody waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from pilotfish.tap.entry import Entry
from pilotfish.tap.filter import Filter
from pilotfish.tap.history.history import History, micros
from pilotfish.tap.history.streaming import portions

# Looking at many entries takes its share of the processor from what is live: so many at a time.
SEARCHES_AT_ONCE = 2
# Those of pages end soon.
LOOKS_AT_ONCE = 4


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


@dataclass(frozen=True)
class Past:
    """What was found on the way back from now.

    Attributes:
        entries: what matched, oldest first.
        reached_us: how far back it was looked; None if there is nothing before.
    """

    entries: list[Entry]
    reached_us: int | None


class Searches:
    """All searches of a server."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(SEARCHES_AT_ONCE)
        self._looks = asyncio.Semaphore(LOOKS_AT_ONCE)

    async def look_back(self, history: History | None, search: Search, within_s: float) -> Past:
        """The newest that match, as far as they are found in that time. Raises OSError."""
        found: list[Entry] = []
        if history is None or search.limit <= 0:
            return Past(found, None)
        reached = ""

        def matches(entry: Entry) -> bool:
            nonlocal reached
            reached = entry["timestamp"]
            return search.matches(entry)

        async with self._looks:
            await asyncio.to_thread(history.flush)
            entries = history.query(search.since_us, search.until_us, newest_first=True)
            until_s = time.monotonic() + within_s
            async with aclosing(portions(entries, matches)) as parts:
                async for portion in parts:
                    found += portion
                    if len(found) >= search.limit or time.monotonic() > until_s:
                        break
                else:
                    reached = ""
        if len(found) > search.limit:
            found = found[: search.limit]
            reached = found[-1]["timestamp"]
        found.reverse()
        return Past(found, micros(reached) if reached else None)

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
