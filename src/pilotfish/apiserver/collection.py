"""A collection: all committed objects of one resource, their recent history, who watches.

What is here was committed; what is on its way to the disk is the registry's matter. The
history lets a watch start in the past and a paged list stay at the moment it began; how far
it reaches back is bounded, and before its horizon the answer is 410.
"""

from __future__ import annotations

import time
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Collection as Several
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

import orjson

from pilotfish.apiserver.entries import Entry, decode_entry
from pilotfish.apiserver.errors import expired
from pilotfish.apiserver.fields import fields_at, selectable_fields
from pilotfish.apiserver.selection import Selection
from pilotfish.objects.meta import Object

EventType = Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]

# The window that clients may fall behind before they have to list again.
_HISTORY_LENGTH: Final = 16_384
_HISTORY_AGE_S: Final = 300.0
# Of one resource; an object that was replaced and its successor count both.
_HISTORY_BYTES: Final = 48_000_000
# Watchers that keep up share the frames of the newest changes; for one that lags they are made
# again.
_FRAMES_KEPT: Final = 256


class Change:
    """One committed write.

    Attributes:
        entry: the object as written; for a removal, as it was last, at the removal's revision.
        previous: what it replaced; None for a new object.
        removed: whether the object is gone.
        at: when, on the monotonic clock, seconds.
    """

    __slots__ = ("_frames", "at", "entry", "previous", "removed")

    def __init__(self, entry: Entry, previous: Entry | None, removed: bool) -> None:
        self.entry = entry
        self.previous = previous
        self.removed = removed
        self.at = time.monotonic()
        self._frames: dict[str, bytes] | None = None

    @property
    def held_bytes(self) -> int:
        """About how much memory it takes: its objects' bytes, without the frames for watchers."""
        before = len(self.previous.data) if self.previous is not None else 0
        return len(self.entry.data) + before

    def forget_frames(self) -> None:
        """Forget the frames made for watchers; a watcher who asks gets them made again."""
        self._frames = None

    def event_for(self, selection: Selection) -> EventType | None:
        """What the change is to a watcher who sees only a selection; None if nothing."""
        before = self.previous is not None and selection.matches(self.previous)
        after = not self.removed and selection.matches(self.entry)
        if after:
            return "MODIFIED" if before else "ADDED"
        return "DELETED" if before else None

    def data(self, event: EventType) -> bytes:
        """The object of the event, as JSON.

        An object that leaves a selection is shown as it was when still inside, at the
        revision that took it out (as kube-apiserver's watch cache does).
        """
        if event != "DELETED" or self.removed or self.previous is None:
            return self.entry.data
        obj = self.previous.decode()
        obj["metadata"]["resourceVersion"] = str(self.entry.revision)
        return orjson.dumps(obj)

    def frame(self, event: EventType) -> bytes:
        """The watch event as a line of JSON; made once for all watchers."""
        if self._frames is None:
            self._frames = {}
        frame = self._frames.get(event)
        if frame is None:
            frame = event_frame(event, self.data(event))
            self._frames[event] = frame
        return frame


def event_frame(event: EventType, data: bytes) -> bytes:
    """A watch event around an object's JSON."""
    return b'{"type":"%b","object":%b}\n' % (event.encode(), data)


class Watcher:
    """Who is told of changes as they are committed."""

    def offer(self, change: Change) -> None:
        """Take note of a change; must neither block nor raise."""
        raise NotImplementedError

    def resume(self, differences: Sequence[Change]) -> None:
        """Changes were missed: these are the differences from what was told last.

        Who needs each change by itself cannot go on.
        """
        for change in differences:
            self.offer(change)

    def end(self) -> None:
        """The resource is served no more, and there will be no further change."""


class Collection:
    """The committed objects of one resource."""

    def __init__(self, name: str, horizon: int = 0) -> None:
        self.name = name
        self.horizon = horizon
        self.watchers: set[Watcher] = set()
        # Of the objects in the history, about.
        self.history_bytes = 0
        self._entries: dict[str, Entry] = {}
        self._keys: list[str] = []
        self._history: deque[Change] = deque()
        self._selectable: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: str) -> Entry | None:
        """The committed object of that key."""
        return self._entries.get(key)

    def fields_of(self, obj: Object) -> Mapping[str, str]:
        """The values of an object's fields that selectors can ask for."""
        if self._selectable:
            return fields_at(obj, self._selectable)
        return selectable_fields(self.name, obj)

    def make_selectable(self, paths: Several[str]) -> None:
        """Let selectors ask for these fields of a custom resource's objects."""
        if self._selectable == frozenset(paths):
            return
        self._selectable = frozenset(paths)
        self._entries = {
            key: decode_entry(self.fields_of, key, entry.revision, entry.data)
            for key, entry in self._entries.items()
        }

    def load(self, entries: Sequence[Entry], revision: int) -> None:
        """Take over what the store holds at a revision; what was before is forgotten."""
        before = self._entries
        self._entries = {entry.key: entry for entry in entries}
        self._keys = sorted(self._entries)
        self._history.clear()
        self.history_bytes = 0
        self.horizon = revision
        if self.watchers:
            differences = _differences(before, self._entries)
            for watcher in [*self.watchers]:
                watcher.resume(differences)

    def select(self, selection: Selection) -> list[Entry]:
        """The objects of a selection, in the order of their keys."""
        if selection.key is not None:
            entry = self._entries.get(selection.key)
            return [entry] if entry is not None and selection.matches(entry) else []
        keys = self._keys
        if selection.namespace:
            # "0" follows "/": the keys of a namespace are one stretch of the sorted list.
            first = bisect_left(keys, f"{selection.namespace}/")
            keys = keys[first : bisect_left(keys, f"{selection.namespace}0", first)]
        entries = [self._entries[key] for key in keys]
        if not selection.is_filter:
            return entries
        matches = selection.matches
        return [entry for entry in entries if matches(entry)]

    def select_at(self, selection: Selection, revision: int) -> list[Entry]:
        """The objects of a selection as they were at a revision.

        Raises:
            StatusError: 410, when the history does not reach back so far.
        """
        self.expire()
        if revision < self.horizon:
            raise expired(
                "The provided continue parameter is too old to display a consistent list result. "
                "You must start a new list without the continue parameter."
            )
        undone: dict[str, Entry | None] = {}
        for change in reversed(self._history):
            if change.entry.revision <= revision:
                break
            undone[change.entry.key] = change.previous
        if not undone:
            return self.select(selection)
        state = {**self._entries, **undone}
        prefix = f"{selection.namespace}/" if selection.namespace else ""
        return [
            entry
            for key in sorted(state)
            if key.startswith(prefix)
            and (entry := state[key]) is not None
            and selection.matches(entry)
        ]

    def since(self, revision: int) -> Iterator[Change]:
        """The changes after a revision, oldest first.

        Raises:
            StatusError: 410, when the history does not reach back so far.
        """
        self.expire()
        if revision < self.horizon:
            raise expired(f"too old resource version: {revision} ({self.horizon})")
        recent: list[Change] = []
        for change in reversed(self._history):
            if change.entry.revision <= revision:
                break
            recent.append(change)
        return reversed(recent)

    def apply(self, entry: Entry, removed: bool) -> None:
        """Take in a committed write and tell the watchers."""
        key = entry.key
        previous = self._entries.get(key)
        if removed:
            if previous is None:
                return
            del self._entries[key]
            del self._keys[bisect_left(self._keys, key)]
        else:
            self._entries[key] = entry
            if previous is None:
                insort(self._keys, key)
        change = Change(entry, previous, removed)
        self._history.append(change)
        self.history_bytes += change.held_bytes
        while len(self._history) > _HISTORY_LENGTH or (
            # The newest stays: watchers are told of it right now.
            self.history_bytes > _HISTORY_BYTES and len(self._history) > 1
        ):
            self._forget_oldest()
        if len(self._history) > _FRAMES_KEPT:
            self._history[-_FRAMES_KEPT - 1].forget_frames()
        self._forget_before(change.at - _HISTORY_AGE_S)
        for watcher in self.watchers:
            watcher.offer(change)

    def expire(self) -> None:
        """Forget the history that is past its age."""
        self._forget_before(time.monotonic() - _HISTORY_AGE_S)

    def _forget_before(self, oldest: float) -> None:
        while self._history and self._history[0].at < oldest:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        oldest = self._history.popleft()
        self.history_bytes -= oldest.held_bytes
        self.horizon = oldest.entry.revision


def _differences(before: Mapping[str, Entry], after: Mapping[str, Entry]) -> list[Change]:
    """The changes that lead from one state to another, in the order of their revisions."""
    gone = [Change(entry, entry, True) for key, entry in before.items() if key not in after]
    changed = (
        Change(entry, previous, False)
        for key, entry in after.items()
        if (previous := before.get(key)) is None or previous.revision != entry.revision
    )
    return [*sorted(changed, key=lambda change: change.entry.revision), *gone]
