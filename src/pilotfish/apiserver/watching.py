"""Watches: the changes of a selection, as they are committed, to one client."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from itertools import islice
from typing import Final

import orjson

from pilotfish.apiserver.call import Call
from pilotfish.apiserver.collection import (
    Change,
    Collection,
    EventType,
    Watcher,
    event_frame,
)
from pilotfish.apiserver.core import Core
from pilotfish.apiserver.errors import StatusError, expired
from pilotfish.apiserver.listing import revision_of
from pilotfish.apiserver.options import check_watch_options
from pilotfish.apiserver.selection import Selection, selection_of
from pilotfish.objects.meta import Object
from pilotfish.objects.resources import Resource

_BOOKMARK_PERIOD_S: Final = 30.0
# A client that is so many events behind is cut off: it lists again.
_BACKLOG: Final = 20_000
# So many objects at a time are sent at first: the rest of the server goes on in between.
_FIRST_AT_ONCE: Final = 500
# Without a timeoutSeconds: half an hour to an hour, so that not all end at once.
_SHORTEST_S: Final = 1800
# A timer takes no more; clients that name a longer time ask again once in a day.
_LONGEST_S: Final = 86_400

# How an event is shown: the frame of a committed change, or of a synthetic one.
Shape = Callable[[EventType, bytes], bytes]


class Watch(Watcher):
    """The changes that one client has yet to be sent."""

    def __init__(self, selection: Selection) -> None:
        self.selection = selection
        self.overflowed = False
        self.ended = False
        self._changes: list[tuple[EventType, Change]] = []
        self._wake: asyncio.Future[None] | None = None

    def offer(self, change: Change) -> None:
        """Take note of a committed change; wakes the sender."""
        event = change.event_for(self.selection)
        if event is None:
            return
        if len(self._changes) >= _BACKLOG:
            self.overflowed = True
        else:
            self._changes.append((event, change))
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def resume(self, differences: Sequence[Change]) -> None:  # noqa: ARG002
        """Changes were missed: the client has to list again, as one who is too slow."""
        self.overflowed = True
        if self._wake is not None:
            _finish(self._wake)

    def end(self) -> None:
        """The resource is served no more: the client is to find out by asking again."""
        self.ended = True
        if self._wake is not None:
            _finish(self._wake)

    async def take(self, timeout_s: float) -> list[tuple[EventType, Change]]:
        """What came in since the last time; waits for something, or for the time to pass."""
        if not (self._changes or self.overflowed or self.ended):
            loop = asyncio.get_running_loop()
            self._wake = loop.create_future()
            timer = loop.call_later(timeout_s, _finish, self._wake)
            try:
                await self._wake
            finally:
                timer.cancel()
                self._wake = None
        taken, self._changes = self._changes, []
        return taken


def _finish(wake: asyncio.Future[None]) -> None:
    if not wake.done():
        wake.set_result(None)


async def watch(core: Core, call: Call, shape: Shape | None) -> AsyncGenerator[bytes, None]:
    """The lines of a watch, several at a time, until its time is over.

    Args:
        shape: makes the frame of an event; None for the object as it is stored, whose frames
            all watches share.

    Raises:
        StatusError: before the first line, 400 or 410. Later trouble is an ERROR event.
    """
    query, resource = call.query, call.resource
    collection = core.registry.collection(resource.full_name)
    selection = selection_of(
        resource,
        call.route.namespace,
        query.get("labelSelector", ""),
        query.get("fieldSelector", ""),
        call.route.name,
    )
    requested = query.get("resourceVersion", "")
    bookmarks = call.flag("allowWatchBookmarks")
    check_watch_options(call)
    initial = requested in ("", "0")
    if "sendInitialEvents" in query:
        initial = call.flag("sendInitialEvents")
    timeout_s = float(min(call.number("timeoutSeconds") or 0, _LONGEST_S))
    if timeout_s <= 0:
        timeout_s = _SHORTEST_S * (1 + random.random())
    subscription = Watch(selection)
    first = _first_frames(collection, selection, revision_of(requested), initial, shape)
    revision = core.registry.revision
    collection.watchers.add(subscription)
    try:
        # There is a first line, even if an empty one: the head of the answer waits for it.
        yield b"".join(islice(first, _FIRST_AT_ONCE))
        while frames := list(islice(first, _FIRST_AT_ONCE)):
            await asyncio.sleep(0)
            yield b"".join(frames)
        if initial and "sendInitialEvents" in query and bookmarks:
            yield _bookmark(resource, revision, shape, ends_initial=True)
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout_s
        bookmark_at = loop.time() + _BOOKMARK_PERIOD_S
        while (now := loop.time()) < end:
            changes = await subscription.take(min(end, bookmark_at) - now)
            if changes:
                yield b"".join(_frame(event, change, shape) for event, change in changes)
            if subscription.overflowed:
                error = expired("too old resource version: events were missed; the watch ends here")
                yield error_frame(error)
                return
            if subscription.ended:
                return
            if loop.time() >= bookmark_at:
                bookmark_at = loop.time() + _BOOKMARK_PERIOD_S
                if bookmarks:
                    yield _bookmark(resource, core.registry.revision, shape)
    finally:
        collection.watchers.discard(subscription)


def error_frame(error: StatusError) -> bytes:
    """The event by which a watch reports its own failure."""
    return b'{"type":"ERROR","object":%b}\n' % orjson.dumps(error.body())


def _first_frames(
    collection: Collection,
    selection: Selection,
    revision: int,
    initial: bool,
    shape: Shape | None,
) -> Iterator[bytes]:
    """What comes before the changes to come. Of this moment, whenever the frames are asked for."""
    make = shape or event_frame
    if initial:
        return (make("ADDED", entry.data) for entry in collection.select(selection))
    if not revision:
        return iter(())
    return (
        _frame(event, change, shape)
        for change in collection.since(revision)
        if (event := change.event_for(selection)) is not None
    )


def _frame(event: EventType, change: Change, shape: Shape | None) -> bytes:
    return change.frame(event) if shape is None else shape(event, change.data(event))


def _bookmark(
    resource: Resource, revision: int, shape: Shape | None, ends_initial: bool = False
) -> bytes:
    metadata: Object = {"resourceVersion": str(revision)}
    if ends_initial:
        metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
    bookmark: Object = {
        "kind": resource.kind,
        "apiVersion": resource.api_version,
        "metadata": metadata,
    }
    return (shape or event_frame)("BOOKMARK", orjson.dumps(bookmark))
