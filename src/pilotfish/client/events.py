"""Events: what a component tells people about an object.

`kubectl describe` and `kubectl get events` show them. An Event that repeats is
one object whose count grows, as in Kubernetes (client-go's event correlator).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal

from pilotfish.client.api import Client
from pilotfish.client.errors import ApiError, NotFound, Unreachable
from pilotfish.objects.meta import Object, name_of, namespace_of, reference_to, uid_of
from pilotfish.objects.times import now

log = logging.getLogger(__name__)

_REMEMBERED = 4096
_WAITING = 1000
_GIVE_WAY_S = 0.02

_Key = tuple[str, str, str, str, str]


@dataclass(slots=True)
class _Seen:
    name: str
    namespace: str
    count: int = 0


class EventRecorder:
    """Writes Events in the background; `run()` must be running for them to arrive.

    Events are for people: while the API server is away, those past a bounded
    number are dropped, with a line in the log.
    """

    def __init__(self, client: Client, component: str, host: str = "") -> None:
        self._client = client
        self._source = {"component": component, **({"host": host} if host else {})}
        self._seen: OrderedDict[_Key, _Seen] = OrderedDict()
        self._queue: asyncio.Queue[tuple[_Key, Object]] = asyncio.Queue(_WAITING)

    def record(
        self,
        obj: Object,
        type_: Literal["Normal", "Warning"],
        reason: str,
        message: str,
        field_path: str = "",
    ) -> None:
        """Tell people about `obj`; returns at once.

        Args:
            obj: the object the Event is about, with its uid.
            reason: a word in CamelCase: `FailedScheduling`.
            message: a sentence; cut at the API's 1,024 characters.
            field_path: the part of the object, such as `spec.containers{api}`.
        """
        reference = reference_to(obj)
        if field_path:
            reference["fieldPath"] = field_path
        message = message[:1024]
        key = (uid_of(obj) or name_of(obj), field_path, type_, reason, message)
        event: Object = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"namespace": namespace_of(obj) or "default"},
            "involvedObject": reference,
            "type": type_,
            "reason": reason,
            "message": message,
            "source": self._source,
            "firstTimestamp": now(),
            "lastTimestamp": now(),
            "count": 1,
            "reportingComponent": self._source["component"],
            "reportingInstance": self._source.get("host", ""),
        }
        try:
            self._queue.put_nowait((key, event))
        except asyncio.QueueFull:
            log.warning("event dropped, %d wait already: %s %s", _WAITING, reason, message)

    async def run(self) -> None:
        """Write the recorded Events until cancelled."""
        while True:
            if self._queue.empty():
                waiting = await self._queue.get()
                # What the Event tells of is being written too, and traffic may wait for that.
                await asyncio.sleep(_GIVE_WAY_S)
            else:
                waiting = self._queue.get_nowait()
            key, event = waiting
            try:
                await self._write(key, event)
            except (ApiError, Unreachable) as error:
                log.warning("event not written (%s): %s", error, event["message"])

    async def _write(self, key: _Key, event: Object) -> None:
        seen = self._seen.get(key)
        if seen is not None:
            self._seen.move_to_end(key)
            patch = {"count": seen.count + 1, "lastTimestamp": event["lastTimestamp"]}
            try:
                await self._client.patch("events", seen.name, patch, seen.namespace)
            except NotFound:
                del self._seen[key]  # it expired: start over
            else:
                seen.count += 1
                return
        name = event["involvedObject"].get("name", "")
        event["metadata"]["name"] = f"{name[:200]}.{time.time_ns():x}"
        await self._client.create("events", event)
        self._seen[key] = _Seen(event["metadata"]["name"], event["metadata"]["namespace"], 1)
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
