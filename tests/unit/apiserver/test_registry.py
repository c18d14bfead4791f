"""The registry over its store: revisions, durability, history, watchers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from pilotfish.apiserver.collection import Change, Watcher
from pilotfish.apiserver.errors import Outdated, StatusError
from pilotfish.apiserver.registry import Registry
from pilotfish.apiserver.selection import Selection
from pilotfish.apiserver.store import journal
from pilotfish.apiserver.store.embedded import EmbeddedStore
from pilotfish.apiserver.store.interface import StoreFailedError
from pilotfish.apiserver.store.journal import Journal
from pilotfish.apiserver.watching import Watch
from pilotfish.objects.selectors import parse_label_selector

MAPS = "configmaps"


@asynccontextmanager
async def started(path: Path) -> AsyncIterator[Registry]:
    registry = Registry(EmbeddedStore(path / "store.db"))
    await registry.start()
    try:
        yield registry
    finally:
        await registry.stop()


@pytest.fixture
async def registry(tmp_path: Path) -> AsyncIterator[Registry]:
    async with started(tmp_path) as registry:
        yield registry


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "a"}, "data": data}


class Recorder(Watcher):
    """A watcher that remembers."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, str]] = []

    def offer(self, change: Change) -> None:
        event = change.event_for(Selection())
        assert event is not None
        self.seen.append((change.entry.revision, event))


async def test_every_write_has_the_next_revision_and_carries_it(registry: Registry) -> None:
    first = await registry.put(MAPS, config_map("x"))
    second = await registry.put(MAPS, config_map("y"))
    assert second.revision == first.revision + 1
    assert second.decode()["metadata"]["resourceVersion"] == str(second.revision)


async def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    async with started(tmp_path) as before:
        await before.put(MAPS, config_map("kept"))
        await before.put(MAPS, config_map("gone"))
        removal = await before.remove(MAPS, config_map("gone"))
    async with started(tmp_path) as after:
        assert [entry.key for entry in after.collection(MAPS).select(Selection())] == ["a/kept"]
        assert after.revision == removal.revision
        assert (await after.put(MAPS, config_map("new"))).revision == removal.revision + 1


async def test_a_writer_sees_what_is_not_on_the_disk_yet_and_a_reader_does_not(
    registry: Registry,
) -> None:
    write = asyncio.ensure_future(registry.put(MAPS, config_map("x")))
    await asyncio.sleep(0)
    assert registry.latest(MAPS, "a/x") is not None
    assert registry.collection(MAPS).get("a/x") is None
    await write
    assert registry.collection(MAPS).get("a/x") is not None


async def test_watchers_hear_of_all_changes_in_the_order_of_their_revisions(
    registry: Registry,
) -> None:
    recorder = Recorder()
    registry.collection(MAPS).watchers.add(recorder)
    await asyncio.gather(*(registry.put(MAPS, config_map(str(n))) for n in range(20)))
    await registry.put(MAPS, config_map("3", changed="yes"))
    await registry.remove(MAPS, config_map("4"))
    revisions = [revision for revision, _ in recorder.seen]
    assert revisions == sorted(revisions)
    assert [event for _, event in recorder.seen] == ["ADDED"] * 20 + ["MODIFIED", "DELETED"]


async def test_the_past_can_be_listed_as_it_was(registry: Registry) -> None:
    await registry.put(MAPS, config_map("x", value="old"))
    moment = (await registry.put(MAPS, config_map("y"))).revision
    await registry.put(MAPS, config_map("x", value="new"))
    await registry.remove(MAPS, config_map("y"))
    await registry.put(MAPS, config_map("z"))
    past = registry.collection(MAPS).select_at(Selection(namespace="a"), moment)
    assert [(entry.key, entry.decode()["data"]) for entry in past] == [
        ("a/x", {"value": "old"}),
        ("a/y", {}),
    ]


async def test_a_moment_before_the_start_is_gone(tmp_path: Path) -> None:
    async with started(tmp_path) as before:
        moment = (await before.put(MAPS, config_map("x"))).revision
        await before.put(MAPS, config_map("y"))
    async with started(tmp_path) as after:
        with pytest.raises(StatusError) as refusal:
            list(after.collection(MAPS).since(moment))
        assert (refusal.value.code, refusal.value.reason) == (410, "Expired")
        assert list(after.collection(MAPS).since(moment + 1)) == []


async def test_a_write_that_the_disk_refuses_fails_and_leaves_no_trace(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    await registry.put(MAPS, config_map("x"))
    with monkeypatch.context() as broken:
        broken.setattr(journal, "_commit", lambda *_: StoreFailedError("the disk is full"))
        with pytest.raises(StatusError, match="the disk is full"):
            await registry.put(MAPS, config_map("y"))
    assert registry.latest(MAPS, "a/y") is None
    assert (await registry.put(MAPS, config_map("z"))).key == "a/z"
    assert [entry.key for entry in registry.collection(MAPS).select(Selection())] == ["a/x", "a/z"]


async def test_a_record_that_sqlite_cannot_take_does_not_end_the_store(tmp_path: Path) -> None:
    heard: list[StoreFailedError | None] = []
    writer = Journal(tmp_path / "store.db")
    writer.load()
    writer.start(asyncio.get_running_loop(), lambda _, error: heard.append(error))
    writer.write(journal.Record(MAPS, "\ud800", 1, b"{}"))
    async with asyncio.timeout(60):
        while not heard:  # noqa: ASYNC110 - a callback tells, not an event
            await asyncio.sleep(0.01)
    writer.write(journal.Record(MAPS, "fine", 2, b"{}"))
    await writer.stop()
    await asyncio.sleep(0)
    assert [error is None for error in heard] == [False, True]
    assert [record.key for record in writer.load()[1]] == ["fine"]


async def test_an_object_that_leaves_a_selection_is_shown_as_deleted(registry: Registry) -> None:
    labelled = config_map("x")
    labelled["metadata"]["labels"] = {"app": "a"}
    before = await registry.put(MAPS, labelled)
    after = await registry.put(MAPS, config_map("x"))
    change = Change(after, before, removed=False)
    selection = Selection(labels=parse_label_selector("app=a"), is_filter=True)
    assert change.event_for(selection) == "DELETED"
    assert b'"app":"a"' in change.data("DELETED")
    assert f'"resourceVersion":"{after.revision}"'.encode() in change.data("DELETED")


async def test_after_missed_changes_a_follower_hears_the_differences_and_a_watch_ends(
    registry: Registry,
) -> None:
    kept, changed, gone = [
        await registry.put(MAPS, config_map(name)) for name in ("kept", "changed", "gone")
    ]
    collection = registry.collection(MAPS)
    follower, watch = Recorder(), Watch(Selection())
    collection.watchers |= {follower, watch}
    later = gone.revision + 10
    newer = registry.preview(MAPS, config_map("changed"))
    newer.revision = later - 1
    added = registry.preview(MAPS, config_map("added"))
    added.revision = later - 3
    registry.load(later, [(MAPS, kept), (MAPS, newer), (MAPS, added)])
    assert follower.seen == [
        (added.revision, "ADDED"),
        (newer.revision, "MODIFIED"),
        (gone.revision, "DELETED"),
    ]
    assert watch.overflowed
    assert await watch.take(1) == []
    assert [entry.key for entry in collection.select(Selection())] == [
        "a/added",
        "a/changed",
        "a/kept",
    ]
    assert registry.revision == later
    with pytest.raises(StatusError, match="too old resource version"):
        collection.since(changed.revision)


async def test_work_that_was_overtaken_is_done_again(registry: Registry) -> None:
    tries = 0

    async def work() -> str:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise Outdated("a/x")
        return "done"

    assert await registry.attempt(work) == "done"
    assert tries == 3
