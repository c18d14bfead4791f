"""What a controller has asked for and not yet seen in its cache.

A watch may lag behind the controller's own writes. A controller that counted
only its cache would create the same Pods again; so it notes the names it
creates and deletes, and leaves the object alone until the watch has shown
them. Names, not counts: an event that belongs to another write cannot be
taken for ours.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

# A watch that has shown nothing for this long has lost the event for good
# (Kubernetes' controllers use the same five minutes).
EXPECTATION_TIMEOUT_S = 300.0


class Expectations:
    """Names expected to appear in, and to leave, the cache, per controlling object."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._appearing: dict[str, set[str]] = {}
        self._leaving: dict[str, set[str]] = {}
        self._since: dict[str, float] = {}

    def expect_created(self, key: str, names: Iterable[str]) -> None:
        """Names that the controller of `key` is about to create."""
        self._appearing.setdefault(key, set()).update(names)
        self._since[key] = self._clock()

    def expect_deleted(self, key: str, names: Iterable[str]) -> None:
        """Names that the controller of `key` is about to delete."""
        self._leaving.setdefault(key, set()).update(names)
        self._since[key] = self._clock()

    def created(self, key: str, name: str) -> None:
        """The name was seen, or its creation has failed."""
        self._settle(self._appearing, key, name)

    def deleted(self, key: str, name: str) -> None:
        """The name was seen to go, or its deletion has failed."""
        self._settle(self._leaving, key, name)

    def fulfilled(self, key: str) -> bool:
        """Whether the cache shows all that was asked for, or has had time enough."""
        if key not in self._appearing and key not in self._leaving:
            return True
        if self._clock() - self._since[key] > EXPECTATION_TIMEOUT_S:
            self.forget(key)
            return True
        return False

    def forget(self, key: str) -> None:
        """Drop what was expected for an object that is gone."""
        self._appearing.pop(key, None)
        self._leaving.pop(key, None)
        self._since.pop(key, None)

    def _settle(self, names: dict[str, set[str]], key: str, name: str) -> None:
        expected = names.get(key)
        if expected is None:
            return
        expected.discard(name)
        if not expected:
            del names[key]
            if key not in self._appearing and key not in self._leaving:
                self._since.pop(key, None)
