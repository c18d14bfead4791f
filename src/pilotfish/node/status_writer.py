"""Brings a Pod's status to the API server: at once, one request at a time, the newest only."""

from __future__ import annotations

import asyncio
import copy
import logging

from pilotfish.client.api import Client
from pilotfish.client.errors import ApiError, Conflict, Forbidden, NotFound, Unreachable
from pilotfish.objects.conditions import condition
from pilotfish.objects.meta import Object, key_of, name_of, namespace_of, uid_of

log = logging.getLogger(__name__)

_FIRST_RETRY_S = 0.1
_MAX_RETRY_S = 5.0


class StatusWriter:
    """While a PATCH is on its way further changes gather, and leave as one."""

    def __init__(self, client: Client, pod: Object) -> None:
        self._client = client
        self._pod = pod
        self._wanted: Object | None = None
        self._written: Object | None = None
        self._changed = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def latest(self) -> Object | None:
        """The status as it was last published, whether it has arrived or not."""
        return self._wanted

    def publish(self, status: Object) -> None:
        """Have the status written; returns at once. Nothing happens when it is the same."""
        if status == self._wanted:
            return
        self._wanted = copy.deepcopy(status)
        self._idle.clear()
        self._changed.set()

    def observe(self, pod: Object) -> None:
        """The Pod as the API server has it: our verdict on readiness is restored if it was changed.

        The node controller calls the Pods of a silent node unready. A kubelet that was only
        halted, with the machine or by a debugger, must say so when it goes on. Of our own older
        writes, which a watch may show late, the transition is older too.
        """
        ours = condition({"status": self._wanted}, "Ready") if self._wanted else None
        stored = condition(pod, "Ready")
        if ours is None or stored is None or ours["status"] == stored["status"]:
            return
        if stored.get("lastTransitionTime", "") > ours.get("lastTransitionTime", ""):
            log.info("pod %s: readiness was changed by another; restoring it", key_of(pod))
            self._written = None
            self._idle.clear()
            self._changed.set()

    async def flush(self) -> None:
        """Wait until everything published has been written (or the Pod is gone)."""
        await self._idle.wait()

    async def run(self) -> None:
        retry_s = _FIRST_RETRY_S
        while True:
            await self._changed.wait()
            self._changed.clear()
            wanted = self._wanted
            if wanted is None or wanted == self._written:
                self._idle.set()
                continue
            try:
                await self._patch(wanted)
            except (NotFound, Conflict, Forbidden) as error:
                # Gone, or another Pod of that name by now, maybe on another node, and then not
                # ours to write: nobody reads this status any more.
                log.debug("pod %s: status not written: %s", key_of(self._pod), error)
            except Exception as error:
                # Whatever it is: a Pod whose status stands still would mislead everybody.
                unexpected = error if not isinstance(error, ApiError | Unreachable) else None
                log.warning(
                    "pod %s: status not written, trying again: %s",
                    key_of(self._pod),
                    error,
                    exc_info=unexpected,
                )
                self._changed.set()
                await asyncio.sleep(retry_s)
                retry_s = min(retry_s * 2, _MAX_RETRY_S)
                continue
            retry_s = _FIRST_RETRY_S
            self._written = wanted
            if self._wanted is wanted:
                self._idle.set()

    async def _patch(self, status: Object) -> None:
        body = {"metadata": {"uid": uid_of(self._pod)}, "status": _with_nulls(status)}
        await self._client.patch(
            "pods", name_of(self._pod), body, namespace_of(self._pod), subresource="status"
        )


def _with_nulls(status: Object) -> Object:
    """A merge patch keeps what it does not name: what may vanish is named as null."""
    return {"reason": None, "message": None, "podIP": None, "podIPs": None, **status}
