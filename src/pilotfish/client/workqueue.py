"""A work queue of keys, as controllers use it.

A key that is added many times before its turn is handled once. While a key is
being handled it may be added again, and is then handled once more afterwards,
never twice at the same time. A handler that raises is tried again with a
back-off of its own per key, so that one broken object holds up no other.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from pilotfish.client.errors import ApiError, Conflict, Unreachable
from pilotfish.client.log_fields import log_fields

log = logging.getLogger(__name__)

_FIRST_BACKOFF_S = 0.005
_MAX_BACKOFF_S = 60.0


class WorkQueue:
    """Keys that wait to be handled, each once."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._ready: asyncio.Queue[str] = asyncio.Queue()
        self._waiting: set[str] = set()
        self._active: set[str] = set()
        self._again: set[str] = set()
        self._failures: dict[str, int] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def add(self, key: str) -> None:
        """Have the key handled as soon as a worker is free."""
        if key in self._active:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            self._ready.put_nowait(key)

    def add_after(self, key: str, delay_s: float) -> None:
        """Have the key handled after a delay; the earlier of two wishes counts."""
        loop = asyncio.get_running_loop()
        timer = self._timers.get(key)
        when = loop.time() + delay_s
        if timer is not None:
            if timer.when() <= when:
                return
            timer.cancel()
        self._timers[key] = loop.call_at(when, self._due, key)

    def _due(self, key: str) -> None:
        del self._timers[key]
        self.add(key)

    async def run(self, handler: Callable[[str], Awaitable[None]], workers: int = 4) -> None:
        """Handle keys with that many workers until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(workers):
                    group.create_task(self._work(handler), name=f"{self._name} {number}")
        finally:
            for timer in self._timers.values():
                timer.cancel()
            self._timers.clear()

    async def _work(self, handler: Callable[[str], Awaitable[None]]) -> None:
        while True:
            key = await self._ready.get()
            self._waiting.discard(key)
            self._active.add(key)
            try:
                with log_fields(object=key):
                    await handler(key)
                self._failures.pop(key, None)
            except Exception as error:
                with log_fields(object=key):
                    self._retry(key, error)
            finally:
                self._active.discard(key)
                if key in self._again:
                    self._again.discard(key)
                    self.add(key)

    def _retry(self, key: str, error: Exception) -> None:
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        delay_s = min(_FIRST_BACKOFF_S * 2**failures, _MAX_BACKOFF_S)
        if isinstance(error, Conflict):
            # Somebody else wrote first: ordinary, and the next try reads what they wrote.
            log.debug("%s %s: %s; again in %.3g s", self._name, key, error, delay_s)
        elif isinstance(error, ApiError | Unreachable):
            log.warning("%s %s: %s; again in %.3g s", self._name, key, error, delay_s)
        else:
            log.error("%s %s: again in %.3g s", self._name, key, delay_s, exc_info=error)
        self.add_after(key, delay_s)
