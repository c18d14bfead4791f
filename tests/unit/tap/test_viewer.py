"""What several nodes tell is followed, and put into the order of time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest

from pilotfish.client.errors import ApiError, Unreachable, error_of
from pilotfish.objects.meta import Object
from pilotfish.tap import viewer
from pilotfish.tap.viewer import MERGE_S, Merge, Viewer


def entry(timestamp: str, node: str = "node-1") -> dict[str, str]:
    return {"timestamp": timestamp, "node_name": node}


def times(entries: list[dict[str, str]]) -> list[str]:
    return [each["timestamp"] for each in entries]


async def test_entries_come_out_in_the_order_of_their_timestamps() -> None:
    merge = Merge()
    for number, timestamp in enumerate(("3", "1", "2")):
        await merge.put(entry(timestamp), number / 1000)
    assert times(merge.due(MERGE_S + 1)) == ["1", "2", "3"]


async def test_an_entry_waits_for_earlier_ones_of_other_nodes() -> None:
    merge = Merge()
    await merge.put(entry("2", "node-1"), 100.0)
    assert merge.due(100.0 + MERGE_S / 2) == []
    await merge.put(entry("1", "node-2"), 100.0 + MERGE_S / 2)
    await merge.put(entry("3", "node-2"), 100.0 + MERGE_S / 2)
    assert times(merge.due(100.0 + MERGE_S)) == ["1", "2"]
    assert times(merge.due(100.0 + 2 * MERGE_S)) == ["3"]


async def test_entries_of_the_same_moment_keep_their_order() -> None:
    merge = Merge()
    for node in ("node-2", "node-1", "node-3"):
        await merge.put(entry("1", node), 0.0)
    assert [each["node_name"] for each in merge.due(1.0)] == ["node-2", "node-1", "node-3"]


async def test_who_takes_no_entries_gets_no_more_until_there_is_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(viewer, "MAX_WAITING", 2)
    merge = Merge()
    await merge.put(entry("1"), 0.0)
    await merge.put(entry("2"), 0.0)
    third = asyncio.create_task(merge.put(entry("3"), 0.0))
    await asyncio.sleep(0)
    assert not third.done()
    assert times(merge.due(1.0)) == ["1", "2"]
    await third
    assert times(merge.due(1.0)) == ["3"]


class FakeClient:
    """An API server with nodes that can come and go, and what their workers say.

    Attributes:
        said: by node, what each stream says in turn: lines, then it ends with an error if one
            is last, or stays open if None is.
        opened: by node, how many streams were opened.
    """

    def __init__(self, **said: list[list[Any]]) -> None:
        self.said = said
        self.opened: dict[str, int] = {}
        self.changes: asyncio.Queue[tuple[str, Object]] = asyncio.Queue()
        self._version = 1

    def change(self, kind: str, node: str) -> None:
        self._version += 1
        self.changes.put_nowait((kind, self._node(node)))

    def _node(self, name: str) -> Object:
        return {"metadata": {"name": name, "resourceVersion": str(self._version)}}

    async def list(self, *_: str) -> Object:
        items = [self._node(name) for name in self.said]
        return {"items": items, "metadata": {"resourceVersion": "1"}}

    async def watch(self, *_: str, **__: str) -> AsyncIterator[tuple[str, Object]]:
        while True:
            yield await self.changes.get()

    async def stream(self, path: str, *_: object) -> AsyncIterator[bytes]:
        node = path.split(":")[1]
        turn = self.opened[node] = self.opened.get(node, 0) + 1
        for each in self.said[node][min(turn, len(self.said[node])) - 1]:
            if isinstance(each, Exception):
                raise each
            if each is None:
                await asyncio.Event().wait()
            yield orjson.dumps(each) + b"\n"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewer, "FIRST_PAUSE_S", 0.0)
    monkeypatch.setattr(viewer, "MERGE_S", 0.0)


@asynccontextmanager
async def viewing(client: FakeClient) -> AsyncIterator[tuple[Viewer, list[Any]]]:
    """A viewer at work, and what it has seen so far."""
    made = Viewer(client)  # type: ignore[arg-type]
    seen: list[Any] = []

    async def collect() -> None:
        async for each in made.entries():
            seen.append(each)  # noqa: PERF401 it is looked at before it is whole

    task = asyncio.create_task(collect())
    try:
        yield made, seen
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 what is waited for tells nobody
            await asyncio.sleep(0)


WORKER = {"worker": {"node_name": "node-1", "packets": 5}}
GONE = Unreachable("the worker is away")


@pytest.mark.usefixtures("impatient")
async def test_a_stream_that_ends_is_opened_again() -> None:
    client = FakeClient(node_1=[[WORKER, entry("1"), GONE], [GONE], [WORKER, entry("2"), None]])
    async with viewing(client) as (made, seen):
        await until(lambda: times(seen) == ["1", "2"])
        status = made.nodes["node_1"]
        assert (status.connected, status.problem, status.counters) == (True, "", {"packets": 5})
    assert client.opened == {"node_1": 3}


@pytest.mark.usefixtures("impatient")
async def test_what_is_wrong_with_a_node_is_told() -> None:
    client = FakeClient(node_1=[[GONE]])
    async with viewing(client) as (made, _):
        await until(lambda: client.opened.get("node_1", 0) > 2)
        assert not made.nodes["node_1"].connected
        assert made.nodes["node_1"].problem == "the worker is away"


@pytest.mark.usefixtures("impatient")
async def test_nodes_that_come_are_followed_and_those_that_go_are_not() -> None:
    client = FakeClient(node_1=[[WORKER, None]])
    async with viewing(client) as (made, seen):
        await until(lambda: client.opened == {"node_1": 1})
        client.said["node_2"] = [[WORKER, entry("1", "node_2"), None]]
        client.change("ADDED", "node_2")
        await until(lambda: len(seen) == 1)
        client.change("DELETED", "node_1")
        await until(lambda: set(made.nodes) == {"node_2"})


@pytest.mark.parametrize("code", [400, 403])
async def test_a_question_that_no_worker_will_answer_ends_the_view(code: int) -> None:
    client = FakeClient(node_1=[[error_of({"message": "unknown name"}, code)]])
    with pytest.raises(ApiError, match="unknown name"):
        await anext(Viewer(client).entries())  # type: ignore[arg-type]
