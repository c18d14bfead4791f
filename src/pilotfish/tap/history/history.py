"""The history of a cluster's entries: what failed five minutes ago can still be asked.

`pilotfish proxy` records; any process may look, also when nobody records any more:

    history = History(history_folder("pilotfish-default"))
    recording = asyncio.create_task(history.run())
    history.record(entry)
    …
    for entry in HistoryView(folder).query(since_us=five_minutes_ago):
        …
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Generator
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import orjson

from pilotfish.tap.entry import Entry
from pilotfish.tap.history.background import Background
from pilotfish.tap.history.reader import Reader, Span
from pilotfish.tap.history.writer import Writer

log = logging.getLogger(__name__)

MAX_BYTES = 256 << 20
MAX_AGE_S = 24 * 3600.0
_NAME = "entries"


class HistoryView:
    """Looks into a history. Its methods block (see `streaming`); any thread may call them."""

    def __init__(self, folder: Path, tell: Callable[[str], None] = log.warning) -> None:
        """Make a view; there need not be a history.

        Args:
            folder: of the cluster, as `history_folder` says.
            tell: is told in one line of each file that is damaged.
        """
        self._reader = Reader(folder / _NAME, tell)

    def query(
        self,
        since_us: int | None = None,
        until_us: int | None = None,
        matches: Callable[[Entry], bool] | None = None,
        limit: int | None = None,
        newest_first: bool = False,
    ) -> Generator[Entry, None, None]:
        """Entries in order of their timestamps; few of them are in memory at a time.

        Args:
            since_us, until_us: the earliest and the latest timestamp, microseconds since 1970,
                both included; None for no bound.
            matches: which ones are wanted; None for all.
            limit: how many at the most; None for no bound.
            newest_first: begin with the newest, and go back.

        Raises:
            OSError: the folder cannot be read.
        """
        lines = self._reader.records(since_us, until_us, newest_first)
        entries = (orjson.loads(line) for _, line in lines)
        wanted = entries if matches is None else filter(matches, entries)
        yield from itertools.islice(wanted, limit)

    def entry(self, id_: str, timestamp: str) -> Entry | None:
        """One entry, if it is still there.

        An id alone is not enough: they start over when a node's tap does.
        """
        at_us = micros(timestamp)
        return next(self.query(at_us, at_us, lambda entry: entry["id"] == id_), None)

    def span(self) -> Span | None:
        """What the history holds; None if it is empty. Raises OSError where it cannot be read."""
        return self._reader.span()


class History(HistoryView, Background):
    """A history that is being recorded; see `Background` for how it is written."""

    def __init__(
        self,
        folder: Path,
        max_bytes: int = MAX_BYTES,
        max_age_s: float = MAX_AGE_S,
        tell: Callable[[str], None] = log.warning,
    ) -> None:
        """Open a history for recording; its folder is made if need be.

        Args:
            folder: of the cluster, as `history_folder` says.
            max_bytes: how much disk it may take.
            max_age_s: how long entries are kept.
            tell: is told in one line, by any thread, of each file that is damaged, and that the
                disk refuses.

        Raises:
            HistoryError: the folder cannot be used.
        """
        HistoryView.__init__(self, folder, tell)
        Background.__init__(self, Writer(folder / _NAME, max_bytes, max_age_s), _NAME, tell)

    def record(self, entry: Entry) -> None:
        """Keep an entry, a whole one; called in the event loop, does not wait for the disk."""
        self.put(micros(entry["timestamp"]), orjson.dumps(entry))


def micros(timestamp: str) -> int:
    """An entry's timestamp (UTC, with microseconds) as microseconds since 1970."""
    return _second(timestamp[:19]) * 1_000_000 + int(timestamp[20:26])


@lru_cache(maxsize=16)
def _second(text: str) -> int:
    """Many entries share a second, and calendars are slow."""
    return int(datetime.fromisoformat(text + "Z").timestamp())
