"""The WebSocket of a page: what it asks for in, rows and views out.

Messages are those of `messages.py`. One that is none of them ends the connection with code 1008.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

import orjson
from aiohttp import WSMsgType, web

from pilotfish.dashboard import questions
from pilotfish.dashboard.dashboard import Dashboard
from pilotfish.dashboard.hub import MAX_VIEWERS, Viewer, Watching
from pilotfish.dashboard.messages import FilterProblem, Follow, Watch
from pilotfish.dashboard.refusals import RefusedError
from pilotfish.dashboard.searching import Past, Search, Searches
from pilotfish.tap.filter import FilterError
from pilotfish.tap.filter import compile as compile_filter

log = logging.getLogger(__name__)

# The first row goes at once, what follows together.
BATCH_S = 0.1
# What is live waits for the history before it.
BACKLOG_S = 1.0
HEARTBEAT_S = 20.0
# A page that sleeps does not answer when the connection ends.
_CLOSING_S = 0.5
MAX_MESSAGE_BYTES = 64 * 1024
MAX_WINDOW_S = 86400


class Live:
    """Serves WebSockets."""

    def __init__(self, dashboard: Dashboard, searches: Searches) -> None:
        self._dashboard = dashboard
        self._searches = searches
        self._sockets: set[web.WebSocketResponse] = set()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one, until it ends."""
        if request.headers.get("Upgrade", "").lower() != "websocket":
            raise RefusedError(426, "this is a WebSocket", request.path, "connect with one")
        if len(self._dashboard.hub.viewers) >= MAX_VIEWERS:
            raise RefusedError(
                503, f"{MAX_VIEWERS} viewers look already", request.path, "close one of them"
            )
        # Compressing costs a row more time than all else, and saves nothing on one machine.
        socket = web.WebSocketResponse(
            timeout=_CLOSING_S,
            heartbeat=HEARTBEAT_S,
            max_msg_size=MAX_MESSAGE_BYTES,
            compress=False,
        )
        await socket.prepare(request)
        session = _Session(self._dashboard, self._searches, socket)
        self._sockets.add(socket)
        try:
            await session.run()
        finally:
            self._sockets.discard(socket)
        return socket

    async def close(self, _app: web.Application) -> None:
        """End all of them: the server ends (RFC 6455 section 7.4.1, 1001: going away)."""
        sockets = list(self._sockets)
        await asyncio.gather(
            *(each.close(code=1001, message=b"pilotfish proxy ends") for each in sockets)
        )


class _Session:
    """One page's connection."""

    def __init__(
        self, dashboard: Dashboard, searches: Searches, socket: web.WebSocketResponse
    ) -> None:
        self._dashboard = dashboard
        self._searches = searches
        self._socket = socket
        self._viewer = Viewer()
        self._looking: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Talk until either side ends it."""
        self._dashboard.welcome(self._viewer)
        sending = asyncio.create_task(self._send(), name="viewer")
        try:
            async for message in self._socket:
                if message.type is not WSMsgType.TEXT or not self._take(message.data):
                    await self._socket.close(code=1008, message=b"this message is unknown")
        finally:
            self._dashboard.hub.viewers.discard(self._viewer)
            tasks = [sending] + ([self._looking] if self._looking is not None else [])
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _send(self) -> None:
        """Send what there is; waits for a slow page, and for nobody else."""
        try:
            while True:
                await self._viewer.filled.wait()
                for message in self._viewer.take():
                    await self._socket.send_frame(message, WSMsgType.TEXT)
                await asyncio.sleep(BATCH_S)
        except ConnectionError:
            log.debug("a page went")

    # --- what the page says ----------------------------------------------------------------

    def _take(self, text: str) -> bool:
        """Do what a message says; False for one that is none."""
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError:
            return False
        watch, follow = as_watch(message), as_follow(message)
        if watch is not None:
            self._watch(watch)
        elif follow is not None:
            self._viewer.follow = follow
            self._dashboard.show_views([self._viewer])
        return watch is not None or follow is not None

    def _watch(self, asked: Watch) -> None:
        if self._looking is not None:
            self._looking.cancel()
        self._viewer.watch(None)
        number, now_us = asked["watch"], time.time_ns() // 1000
        try:
            live, past = compile_filter(asked["filter"]), compile_filter(asked["filter"])
            since_us = questions.moment_us(_texts(asked), "since", now_us)
            until_us = questions.moment_us(_texts(asked), "until", now_us)
        except FilterError as error:
            self._problem(questions.filter_problem(error, number))
            return
        except RefusedError as error:
            what = f"{error.problem['where']}: {error.problem['what']}"
            self._problem(
                {
                    "type": "filter_problem",
                    "watch": number,
                    "message": what,
                    "line": 0,
                    "column": 0,
                    "end": 0,
                }
            )
            return
        watching = Watching(number, live, asked["probes"], is_live=until_us is None)
        # Rows wait in it from now on, so that none is missed between history and life.
        self._viewer.watch(watching)
        limit = min(max(asked["limit"], 0), questions.MAX_LIMIT)
        search = Search(past, since_us, until_us, asked["probes"], limit)
        self._looking = asyncio.create_task(self._look(watching, search), name="backlog")

    async def _look(self, watching: Watching, search: Search) -> None:
        try:
            past = await self._searches.look_back(self._dashboard.history, search, BACKLOG_S)
        except OSError as error:
            log.warning("the history cannot be read: %s", error)
            past = Past([], None)
        self._viewer.begin(watching, past)

    def _problem(self, problem: FilterProblem) -> None:
        self._viewer.post("filter_problem", orjson.dumps(problem))


def _texts(asked: Watch) -> dict[str, str]:
    return {"since": asked["since"], "until": asked["until"]}


_WATCH = {"watch": int, "filter": str, "since": str, "until": str, "limit": int, "probes": bool}
_FOLLOW = {"services": bool, "map": bool, "window_s": int}


def as_watch(message: object) -> Watch | None:
    """A message as a `Watch`, if it is one."""
    return _as(message, "watch", _WATCH)  # type: ignore[return-value]


def as_follow(message: object) -> Follow | None:
    """A message as a `Follow`, if it is one."""
    found = _as(message, "follow", _FOLLOW)
    if found is None or not 0 < found["window_s"] <= MAX_WINDOW_S:
        return None
    return found  # type: ignore[return-value]


def _as(message: object, kind: str, fields: dict[str, type]) -> dict[str, Any] | None:
    if not isinstance(message, dict) or message.get("type") != kind:
        return None
    if any(type(message.get(name)) is not field for name, field in fields.items()):
        return None
    return {"type": kind} | {name: message[name] for name in fields}
