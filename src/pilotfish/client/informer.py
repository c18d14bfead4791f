"""An informer: a cache of one resource's objects that follows the API server.

It lists once, then watches. When the watch ends it goes on from the last
version it saw; when that version is too old (410 Gone) it lists again, and
what changed meanwhile is reported as ordinary changes, so that those who
listen never learn the difference. When the server is away it keeps the cache
and tries again with back-off. The server is the only authority: what the
cache holds is always something that was true, in the order it became true.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Callable, Iterable, ValuesView

from pilotfish.client.api import Client
from pilotfish.client.errors import ApiError, Gone, Unreachable
from pilotfish.objects.meta import Object, key_of
from pilotfish.objects.resources import resource

log = logging.getLogger(__name__)

ChangeHandler = Callable[[Object | None, Object | None], None]
IndexFunction = Callable[[Object], Iterable[str]]

_FIRST_BACKOFF_S = 0.05
_MAX_BACKOFF_S = 5.0


class Informer:
    """A followed cache of one resource, or of the part of it that selectors choose.

    Objects in the cache are shared by all who listen and must not be mutated.

    Attributes:
        synced: set once the first list is in the cache and was reported.
    """

    def __init__(
        self,
        client: Client,
        name_of_resource: str,
        namespace: str = "",
        label_selector: str = "",
        field_selector: str = "",
    ) -> None:
        self.resource = name_of_resource
        self.synced = asyncio.Event()
        self._client = client
        self._selection = (namespace, label_selector, field_selector)
        described = resource(name_of_resource)
        self._type = {"kind": described.kind, "apiVersion": described.api_version}
        self._objects: dict[str, Object] = {}
        self._handlers: list[ChangeHandler] = []
        self._indexes: dict[str, tuple[IndexFunction, dict[str, dict[str, Object]]]] = {}

    def get(self, key: str) -> Object | None:
        """The object with that key (`namespace/name` or `name`), or None."""
        return self._objects.get(key)

    def values(self) -> ValuesView[Object]:
        """All objects in the cache, in no particular order."""
        return self._objects.values()

    def on_change(self, handler: ChangeHandler) -> None:
        """Call `handler(old, new)` in the event loop for every change from now on.

        `old` is None for what appeared, `new` is None for what went. What is in
        the cache already is reported at once, as having appeared.
        """
        self._handlers.append(handler)
        for obj in list(self._objects.values()):
            handler(None, obj)

    def index(self, name: str, function: IndexFunction) -> None:
        """Keep an index: `by_index(name, value)` finds what `function` gave that value for."""
        self._indexes[name] = (function, {})
        for key, obj in self._objects.items():
            self._index(key, None, obj)

    def by_index(self, name: str, value: str) -> list[Object]:
        """The objects for which the index' function gave that value."""
        return list(self._indexes[name][1].get(value, {}).values())

    async def run(self) -> None:
        """Follow the server until cancelled."""
        version = ""
        backoff_s = _FIRST_BACKOFF_S
        while True:
            try:
                if not version:
                    version = await self._list()
                    backoff_s = _FIRST_BACKOFF_S
                async for type_, obj in self._client.watch(
                    self.resource, *self._selection, resource_version=version
                ):
                    version = obj["metadata"]["resourceVersion"]
                    backoff_s = _FIRST_BACKOFF_S
                    if type_ != "BOOKMARK":
                        self._apply(key_of(obj), None if type_ == "DELETED" else obj, obj)
            except Gone:
                log.info("%s: resourceVersion %s is gone, listing again", self.resource, version)
                version = ""
            except (ApiError, Unreachable) as error:
                log.warning("%s: %s; trying again", self.resource, error)
                await asyncio.sleep(backoff_s * random.uniform(0.8, 1.2))
                backoff_s = min(backoff_s * 2, _MAX_BACKOFF_S)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Informer]:
        """Run in the background for as long as the block lasts, which starts once synced."""
        task = asyncio.create_task(self.run(), name=f"informer {self.resource}")
        try:
            await self.synced.wait()
            yield self
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _list(self) -> str:
        listed = await self._client.list(self.resource, *self._selection)
        # The elements of a list carry no kind of their own; those of a watch do.
        fresh = {key_of(item): {**self._type, **item} for item in listed["items"]}
        for key in self._objects.keys() - fresh.keys():
            self._apply(key, None, self._objects[key])
        for key, obj in fresh.items():
            self._apply(key, obj, obj)
        self.synced.set()
        version: str = listed["metadata"]["resourceVersion"]
        return version

    def _apply(self, key: str, new: Object | None, last: Object) -> None:
        old = self._objects.get(key)
        if new is not None:
            # Whose which field is, no component asks; in a cache it would be half of each object.
            new["metadata"].pop("managedFields", None)
        if new is None:
            if old is None:
                return
            self._index(key, old, None)
            del self._objects[key]
            # What was deleted is reported as it was last, with its final metadata.
            old = {**self._type, **last}
        else:
            if old is not None and _version(old) == _version(new):
                return
            self._objects[key] = new
            self._index(key, old, new)
        for handler in self._handlers:
            try:
                handler(old, new)
            except Exception:
                log.exception("%s %s: a change handler failed", self.resource, key)

    def _index(self, key: str, old: Object | None, new: Object | None) -> None:
        for function, entries in self._indexes.values():
            for value in function(old) if old is not None else ():
                found = entries.get(value)
                if found is not None:
                    found.pop(key, None)
                    if not found:
                        del entries[value]
            for value in function(new) if new is not None else ():
                entries.setdefault(value, {})[key] = new  # type: ignore[assignment]


def _version(obj: Object) -> str:
    version: str = obj["metadata"].get("resourceVersion", "")
    return version
