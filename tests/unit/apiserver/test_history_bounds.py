"""What a collection keeps of the past has bounds: in number, in bytes, in time."""

from __future__ import annotations

import gc
import time

import pytest

from pilotfish.apiserver import collection as module
from pilotfish.apiserver.collection import Change, Collection, Watcher
from pilotfish.apiserver.entries import Entry

KILOBYTE = 1000


class Eager(Watcher):
    """Asks for the frame of each change at once, as a watch does."""

    def offer(self, change: Change) -> None:
        change.frame("ADDED")


def entry(number: int, size: int = KILOBYTE) -> Entry:
    return Entry(f"default/c{number}", number, b"x" * size, {}, {})


def held_bytes(collection: Collection) -> int:
    """All bytes that can be reached from the collection, each object once."""
    seen: set[int] = set()
    waiting: list[object] = [collection]
    total = 0
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, type):
            continue
        seen.add(id(one))
        total += len(one) if isinstance(one, bytes) else 0
        waiting += gc.get_referents(one)
    return total


@pytest.fixture
def collection(monkeypatch: pytest.MonkeyPatch) -> Collection:
    monkeypatch.setattr(module, "_HISTORY_BYTES", 100 * KILOBYTE)
    monkeypatch.setattr(module, "_FRAMES_KEPT", 10)
    made = Collection("configmaps")
    made.watchers.add(Eager())
    return made


def test_what_was_deleted_is_held_up_to_a_number_of_bytes(collection: Collection) -> None:
    for number in range(1, 501):
        collection.apply(entry(number), removed=False)
    for number in range(1, 501):
        collection.apply(Entry(f"default/c{number}", 500 + number, b"x" * KILOBYTE, {}, {}), True)
    assert held_bytes(collection) <= 120 * KILOBYTE
    assert collection.horizon > 900


def test_one_object_larger_than_the_bound_is_told_all_the_same(collection: Collection) -> None:
    collection.apply(entry(1, 300 * KILOBYTE), removed=False)
    assert collection.horizon == 0


def test_frames_are_kept_of_the_newest_changes_only(collection: Collection) -> None:
    for number in range(1, 51):
        collection.apply(entry(number), removed=False)
    assert held_bytes(collection) <= (50 + 12) * KILOBYTE


def test_what_is_past_its_age_goes_also_when_nobody_writes(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection.apply(entry(1), removed=False)
    collection.apply(entry(1), removed=True)
    later = time.monotonic() + 301
    monkeypatch.setattr(module.time, "monotonic", lambda: later)
    collection.expire()
    assert held_bytes(collection) == 0
    assert collection.history_bytes == 0
