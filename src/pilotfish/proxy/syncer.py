"""One address family: its tables in memory, and the writer that keeps the kernel the same."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pilotfish.proxy.family import Family
from pilotfish.proxy.fronts import Front, Target, Wanted
from pilotfish.proxy.kernel import TableWriter
from pilotfish.proxy.tables import Change, Tables

log = logging.getLogger(__name__)

_LARGE_ELEMENTS = 1_000  # from here on a transaction is worth a thread


class FamilySyncer:
    """Brings the kernel's tables of one family to what is wanted."""

    def __init__(self, family: Family, writer: TableWriter) -> None:
        self.family = family
        self._tables = Tables()
        self._writer = writer
        self._replaces = True

    def written(self) -> dict[Front, tuple[str, Target]]:
        """What is to be at every front, and for whom; see `Tables.written`."""
        return self._tables.written()

    async def sync(
        self,
        wanted: dict[str, Wanted],
        own: tuple[str, ...] | None = None,
        ranges: tuple[str, ...] | None = None,
    ) -> Change:
        """Write what changed; see `Tables.change` for the arguments. Returns what was written.

        All of it is written anew at first, and when the kernel refuses a change, as it does after
        somebody else has meddled with the tables. Raises OSError when even that fails; the next
        call then tries again.
        """
        change = self._tables.change(wanted, own, ranges)
        if not self._replaces:
            try:
                await _call(self._writer.apply, change)
                return change
            except OSError as error:
                log.warning(
                    "table %s pilotfish: a change failed (%s); writing all of it anew",
                    self.family.name, error,
                )  # fmt: skip
        self._replaces = True
        everything = self._tables.everything()
        await _call(self._writer.replace, everything)
        self._replaces = False
        return everything

    def check(self) -> bool:
        """Whether the kernel's table is still there with all its chains and sets.

        If not, the next `sync` writes all of it anew. Raises OSError.
        """
        if self._replaces or self._writer.is_whole():
            return True
        log.warning(
            "table %s pilotfish was deleted or changed by somebody else; writing it anew",
            self.family.name,
        )
        self._replaces = True
        return False


async def _call(write: Callable[[Change], None], change: Change) -> None:
    """Write here what takes less than handing it to a thread would."""
    if change.size > _LARGE_ELEMENTS:
        await asyncio.to_thread(write, change)
    elif change:
        write(change)


@contextmanager
def no_collection(*, many: bool) -> Iterator[None]:
    """Without garbage collection while many Services are worked out.

    Hundreds of thousands of new values, none of them garbage, make the collector walk all objects
    of the process again and again: with it, 10,000 Services × 10 endpoints take twice as long.
    They stay for as long as the process does, so the collector need not look at them later either:
    one full look at those of 10,000 Services would stop the whole node's process for 1.5 s.
    """
    if not many or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
