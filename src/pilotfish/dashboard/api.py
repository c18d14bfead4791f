"""The HTTP API: entries, rows, completions, views. docs/reference/dashboard-api.md describes it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace

import orjson
from aiohttp import web

from pilotfish.dashboard import metrics, questions
from pilotfish.dashboard.dashboard import Dashboard
from pilotfish.dashboard.messages import Completions, EntriesPage, EntryDetails, RowsPage
from pilotfish.dashboard.refusals import RefusedError
from pilotfish.dashboard.rows import row
from pilotfish.dashboard.searching import Search, Searches
from pilotfish.tap.filter import FilterError, complete
from pilotfish.tap.filter import compile as compile_filter
from pilotfish.tap.filter.language import MAX_CHARS

# Who scrolls back waits; what is further away is asked for next.
_ROWS_S = 2.0
_DEFAULT_WINDOW_S = 300
_MAX_WINDOW_S = 3600


class Api:
    """Answers requests."""

    def __init__(self, dashboard: Dashboard, searches: Searches) -> None:
        self._dashboard = dashboard
        self._searches = searches

    async def session(self, _request: web.Request) -> web.Response:
        """Says that the credentials are good, and how things stand."""
        return _json(self._dashboard.hello())

    async def status(self, _request: web.Request) -> web.Response:
        """How the connection stands."""
        return _json(self._dashboard.status())

    async def entries(self, request: web.Request) -> web.Response:
        """Entries that match: the newest; or with `after`, those behind a cursor."""
        now_us = _now_us()
        asked = questions.search(request.query, now_us)
        cursor = questions.cursor(request.query)
        if cursor is None:
            found = await self._searches.find(self._dashboard.history, asked, newest=True)
        else:
            search = replace(asked, since_us=cursor.at_us, limit=asked.limit + cursor.given)
            found = await self._searches.find(self._dashboard.history, search)
            found = cursor.behind(found)[: asked.limit]
        answer: EntriesPage = {
            "entries": found,  # type: ignore[typeddict-item]
            "next": str((cursor or questions.Cursor(now_us, 0)).moved(found)),
        }
        return _json(answer)

    async def entry(self, request: web.Request) -> web.Response:
        """One entry, and who else could have been chosen."""
        at_us = questions.time_us(request.query, "time")
        id_ = request.match_info["id"]
        search = Search(compile_filter(""), at_us, at_us, True, questions.MAX_LIMIT)
        found = [
            each
            for each in await self._searches.find(self._dashboard.history, search)
            if each["id"] == id_
        ]
        if not found:
            raise RefusedError(
                404,
                "this entry is not there any more",
                f"entry {id_[:100]}",
                "what is old is deleted; look at a newer one",
            )
        await self._dashboard.know()
        answer: EntryDetails = {
            "entry": found[0],  # type: ignore[typeddict-item]
            "peers": self._dashboard.peers(found[0]),
        }
        return _json(answer)

    async def rows(self, request: web.Request) -> web.Response:
        """Rows before a time, for who scrolls back."""
        asked = questions.search(request.query, _now_us())
        until_us = questions.time_us(request.query, "before") - 1
        search = replace(asked, until_us=until_us)
        past = await self._searches.look_back(self._dashboard.history, search, _ROWS_S)
        answer: RowsPage = {
            "rows": [row(entry) for entry in past.entries],
            "more": past.reached_us is not None,
            "reached": past.reached_us / 1000 if past.reached_us is not None else None,
        }
        return _json(answer)

    async def completions(self, request: web.Request) -> web.Response:
        """What may stand at the cursor of a filter, and what is wrong with the filter."""
        text = request.query.get("text", "")
        cursor = questions.number(request.query, "cursor", len(text), MAX_CHARS, least=0)
        return _json(await asyncio.to_thread(_completions, text, cursor))

    async def services(self, request: web.Request) -> web.Response:
        """All Services, with numbers of the last seconds."""
        await self._dashboard.look()
        return _encoded(self._dashboard.services(_window_s(request.query)))

    async def map(self, request: web.Request) -> web.Response:
        """Who talks to whom."""
        return _encoded(self._dashboard.map(_window_s(request.query)))

    async def metrics(self, _request: web.Request) -> web.Response:
        """What was counted, for Prometheus."""
        text = metrics.text(self._dashboard.statistics, self._dashboard.status())
        return web.Response(
            body=text.encode(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        )


async def health(_request: web.Request) -> web.Response:
    """Says that the server runs, and nothing else."""
    return web.Response(text="ok\n")


async def openapi(_request: web.Request) -> web.Response:
    """Describes all this to programs."""
    from pilotfish.dashboard.openapi import document

    return _json(document())


def _completions(text: str, cursor: int) -> Completions:
    answer: Completions = {
        "completions": [
            {"text": each.text, "start": each.start, "type": each.type, "doc": each.doc}
            for each in complete(text, cursor)
        ],
        "problem": None,
    }
    try:
        compile_filter(text)
    except FilterError as error:
        answer["problem"] = questions.filter_problem(error, 0)
    return answer


def _window_s(query: Mapping[str, str]) -> int:
    return questions.number(query, "window", _DEFAULT_WINDOW_S, _MAX_WINDOW_S)


def _now_us() -> int:
    return time.time_ns() // 1000


def _json(content: object) -> web.Response:
    return _encoded(orjson.dumps(content))


def _encoded(content: bytes) -> web.Response:
    return web.Response(body=content, content_type="application/json")
