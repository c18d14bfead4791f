"""Files to take away: what is shown, as JSON, HAR or pcapng, sent while they are made."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator, Iterator
from contextlib import aclosing

from aiohttp import web

from pilotfish.dashboard import questions
from pilotfish.dashboard.dashboard import Dashboard
from pilotfish.dashboard.refusals import RefusedError
from pilotfish.tap.entry import Entry
from pilotfish.tap.history import download
from pilotfish.tap.history.packets import PacketView
from pilotfish.tap.history.streaming import portions

MAX_ENTRIES = 1_000_000
DOWNLOADS_AT_ONCE = 2
_TYPES = {
    "json": "application/json",
    "har": "application/json",
    "pcapng": "application/x-pcapng",
}


class Downloads:
    """Answers `GET /api/v1/download`."""

    def __init__(self, dashboard: Dashboard) -> None:
        self._dashboard = dashboard
        self._slots = asyncio.Semaphore(DOWNLOADS_AT_ONCE)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Send the file."""
        kind = request.query.get("format", "json")
        if kind not in _TYPES:
            formats = ", ".join(_TYPES)
            raise RefusedError(400, f"there is no format {kind[:20]!r}", "format", formats)
        now_us = time.time_ns() // 1000
        search = questions.search(request.query, now_us, MAX_ENTRIES, MAX_ENTRIES)
        history, packets = self._dashboard.history, self._dashboard.packets
        if history is None or packets is None:
            raise RefusedError(
                503, "there is no history yet", self._dashboard.feed.state.problem, "wait a moment"
            )
        # What was heard a moment ago may still be on its way to the disk.
        await asyncio.to_thread(history.flush)
        await asyncio.to_thread(packets.flush)
        entries = history.query(search.since_us, search.until_us, search.matches, search.limit)
        name = time.strftime(f"pilotfish-%Y%m%d-%H%M%S.{kind}", time.gmtime(now_us // 10**6))
        response = web.StreamResponse(
            headers={
                "Content-Type": _TYPES[kind],
                "Content-Disposition": f'attachment; filename="{name}"',
            }
        )
        await response.prepare(request)
        async with self._slots, aclosing(portions(_pieces(kind, entries, packets))) as found:
            async for portion in found:
                for piece in portion:
                    await response.write(piece)
        await response.write_eof()
        return response


def _pieces(
    kind: str, entries: Iterator[Entry], packets: PacketView
) -> Generator[bytes, None, None]:
    if kind == "har":
        return download.har(entries)
    if kind == "pcapng":
        return download.pcapng(entries, packets)
    return download.json(entries)
