"""What Events last complained about, by object: why probes fail, why nothing can be scheduled."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pilotfish.client.errors import ApiError, Unreachable
from pilotfish.objects.meta import Object

if TYPE_CHECKING:
    from pilotfish.client.api import Client

log = logging.getLogger(__name__)

_EVERY_S = 5.0
_WANTED = "type=Warning,involvedObject.kind=Pod"


class EventsPoller:
    """Reads what Events say of Pods, at most every few seconds.

    Attributes:
        warnings: see `last_warnings`.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._again_s = 0.0
        self.warnings: dict[str, str] = {}

    async def look(self) -> None:
        """Read them, if that is long enough ago."""
        now_s = asyncio.get_running_loop().time()
        if now_s < self._again_s:
            return
        self._again_s = now_s + _EVERY_S
        try:
            listed = await self._client.list("events", field_selector=_WANTED)
        except (ApiError, Unreachable) as error:
            log.debug("Events are not read: %s", error)
            return
        self.warnings = last_warnings(listed["items"])


def last_warnings(events: Iterable[Object]) -> dict[str, str]:
    """The message of each Pod's last Event of type Warning, by the Pod's uid."""
    found: dict[str, tuple[str, str]] = {}
    for event in events:
        involved = event.get("involvedObject") or {}
        uid, when = involved.get("uid", ""), _when(event)
        if uid and found.get(uid, ("", ""))[0] <= when:
            found[uid] = (when, event.get("message") or "")
    return {uid: message for uid, (_, message) in found.items()}


def _when(event: Object) -> str:
    """The time of an Event, as text: RFC 3339 in UTC sorts by itself."""
    series = event.get("series") or {}
    when: str = (
        series.get("lastObservedTime")
        or event.get("lastTimestamp")
        or event.get("eventTime")
        or event.get("metadata", {}).get("creationTimestamp")
        or ""
    )
    return when
