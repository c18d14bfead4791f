"""Expiry: Events are kept for an hour (kube-apiserver's --event-ttl), other objects for good.

The history of changes has its own bounds, which are looked after here too: of a resource that
nobody writes or watches any more, it would stay in memory for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Final

from pilotfish.apiserver.core import Core
from pilotfish.apiserver.deleting import remove
from pilotfish.apiserver.errors import Outdated, StatusError
from pilotfish.apiserver.registry import Registry
from pilotfish.apiserver.selection import Selection
from pilotfish.objects.meta import Object
from pilotfish.objects.resources import resource
from pilotfish.objects.times import age_s

log = logging.getLogger(__name__)

_KEPT_S: Final = 3600.0
_PERIOD_S: Final = 60.0


async def expire_events(core: Core) -> None:
    """Remove Events that are past their time, until cancelled."""
    while True:
        await asyncio.sleep(_PERIOD_S)
        try:
            removed = await remove_old_events(core)
        except StatusError as error:
            log.warning("old Events could not be removed: %s", error)
            continue
        if removed:
            log.info("removed %d Events older than an hour", removed)


async def expire_histories(registry: Registry) -> None:
    """Forget changes that are past their time, until cancelled."""
    while True:
        await asyncio.sleep(_PERIOD_S)
        for collection in [*registry.collections()]:
            collection.expire()
            await asyncio.sleep(0)


async def remove_old_events(core: Core) -> int:
    """Remove the Events that are past their time now; returns how many."""
    events = resource("events")
    old = [
        obj
        for entry in core.registry.collection(events.full_name).select(Selection())
        if last_seen_s(obj := entry.decode()) > _KEPT_S
    ]
    for obj in old:
        # Another server may have been quicker.
        with contextlib.suppress(Outdated):
            await remove(core, events, obj)
    return len(old)


def last_seen_s(event: Object) -> float:
    """How long ago, in seconds, an Event last happened."""
    times = (
        (event.get("series") or {}).get("lastObservedTime"),
        event.get("lastTimestamp"),
        event.get("eventTime"),
        event["metadata"]["creationTimestamp"],
    )
    return min(age_s(text) for text in times if text)
