"""The life that every controller shares: wait for the caches, then work off a queue of keys.

A controller registers its callbacks while it is built, before any informer
runs, so the first list reaches it like any later change. Changes only put keys
on the queue; `sync` reads the caches, asks a pure function what is wanted and
writes the difference. A key is never handled twice at the same time, and a
`sync` that raises is retried later by the queue.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from typing import Any

from pilotfish.client.api import Client
from pilotfish.client.errors import ApiError, NotFound
from pilotfish.client.events import EventRecorder
from pilotfish.client.informer import Informer
from pilotfish.client.workqueue import WorkQueue
from pilotfish.controllers.config import ControllerConfig
from pilotfish.controllers.informers import Informers
from pilotfish.objects.meta import Object, key_of, name_of, namespace_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Context:
    """What the manager hands to each controller.

    Attributes:
        client: to the API server.
        urgent: another one, for the few writes that traffic waits for: a client sends a limited
            number of requests at a time, and these must not queue behind fifty new Pods.
    """

    client: Client
    urgent: Client
    informers: Informers
    config: ControllerConfig


class Controller:
    """A queue of keys of one resource and the handler that brings each up to date.

    Attributes:
        name: as it appears in logs and as the source of Events.
        workers: how many keys are handled at the same time.
    """

    name: str
    workers = 8

    def __init__(self, context: Context) -> None:
        self.client = context.client
        self.config = context.config
        self.queue = WorkQueue(self.name)
        self.events = EventRecorder(context.client, self.name)
        self._informers = context.informers
        self._awaited: list[Informer] = []

    def informer(self, resource: str, eager: bool = True) -> Informer:
        """The shared informer of a resource, whose first list `run` waits for.

        Args:
            resource: its name, such as `pods`.
            eager: whether the cluster's start depends on it; others come after those.
        """
        informer = self._informers.get(resource, eager)
        self._awaited.append(informer)
        return informer

    def enqueue(self, obj: Object) -> None:
        """Have the object of this controller's resource handled."""
        self.queue.add(key_of(obj))

    async def sync(self, key: str) -> None:
        """Bring what belongs to the object of that key to what is wanted."""
        raise NotImplementedError

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.events.run(), name=f"{self.name} events")
            for informer in self._awaited:
                await informer.synced.wait()
            await self.queue.run(self._handle, workers=self.workers)

    async def _handle(self, key: str) -> None:
        try:
            await self.sync(key)
        except ApiError as error:
            if not is_namespace_terminating(error):
                raise
            log.debug("%s %s: %s", self.name, key, error)

    async def write_status(self, resource: str, obj: Object, status: Object) -> Object | None:
        """Make `status` the object's status; nothing is sent when it already is.

        Returns:
            The object as it was written, or None when it was not.
        """
        patch = status_patch(obj.get("status") or {}, status)
        if not patch:
            return None
        try:
            return await self.client.patch(
                resource, name_of(obj), {"status": patch}, namespace_of(obj), subresource="status"
            )
        except NotFound:
            log.debug("%s %s went before its status was written", resource, key_of(obj))
            return None


def status_patch(observed: Object, wanted: Object) -> dict[str, Any]:
    """The merge patch (RFC 7386) from one status to another; empty when they are equal."""
    patch = {key: value for key, value in wanted.items() if observed.get(key) != value}
    return patch | {key: None for key in observed if key not in wanted}


def is_namespace_terminating(error: ApiError) -> bool:
    """Whether the API server refused to create something in a namespace that is being deleted."""
    causes = (error.status.get("details") or {}).get("causes") or ()
    return any(cause.get("reason") == "NamespaceTerminating" for cause in causes)


async def together(steps: Iterable[Awaitable[object]]) -> None:
    """Await all steps at once; the first error is raised after every one has ended."""
    results = await asyncio.gather(*steps, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
