"""The packets of all nodes are followed, whatever comes and goes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from pilotfish.client.errors import Unreachable, error_of
from pilotfish.objects.meta import Object
from pilotfish.tap.files import pcapng_blocks
from pilotfish.tap.files.frame import Frame
from pilotfish.tap.history import follower
from pilotfish.tap.history.follower import PacketFollower

HEAD = pcapng_blocks.section_header() + pcapng_blocks.interface_description("eth0")
GONE = Unreachable("the worker is away")


def packet(content: bytes) -> bytes:
    return pcapng_blocks.packet(0, 1.0, content, len(content))


class FakeClient:
    """An API server with nodes that can come and go, and the packets of their workers.

    Attributes:
        said: by node, what each stream says in turn; it stays open behind None.
    """

    def __init__(self, **said: list[list[bytes | Exception | None]]) -> None:
        self.said = said
        self.opened: dict[str, int] = {}
        self.changes: asyncio.Queue[tuple[str, Object]] = asyncio.Queue()

    def change(self, kind: str, node: str) -> None:
        self.changes.put_nowait((kind, self._node(node, self.changes.qsize() + 2)))

    @staticmethod
    def _node(name: str, version: int = 1) -> Object:
        return {"metadata": {"name": name, "resourceVersion": str(version)}}

    async def list(self, *_: str) -> Object:
        items = [self._node(name) for name in self.said]
        return {"items": items, "metadata": {"resourceVersion": "1"}}

    async def watch(self, *_: str, **__: str) -> AsyncIterator[tuple[str, Object]]:
        while True:
            yield await self.changes.get()

    async def stream(self, path: str) -> AsyncIterator[bytes]:
        assert path.endswith("/proxy/v1/packets")
        node = path.split(":")[1]
        turn = self.opened[node] = self.opened.get(node, 0) + 1
        for each in self.said[node][min(turn, len(self.said[node])) - 1]:
            if isinstance(each, Exception):
                raise each
            if each is None:
                await asyncio.Event().wait()
            else:
                yield each


@asynccontextmanager
async def following(client: FakeClient) -> AsyncIterator[list[bytes]]:
    """A follower at work, and the packets that it has heard so far."""
    heard: list[bytes] = []

    def hear(frame: Frame) -> None:
        heard.append(frame.data)

    made = PacketFollower(client, hear)  # type: ignore[arg-type]
    task = asyncio.create_task(made.run())
    try:
        yield heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 what is waited for tells nobody
            await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "FIRST_PAUSE_S", 0.0)


async def test_all_nodes_packets_are_heard() -> None:
    client = FakeClient(
        **{"node-1": [[HEAD, packet(b"a"), None]], "node-2": [[HEAD + packet(b"b"), None]]}
    )
    async with following(client) as heard:
        await until(lambda: sorted(heard) == [b"a", b"b"])


async def test_a_stream_that_ends_in_the_middle_of_a_packet_is_opened_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = FakeClient(
        **{
            "node-1": [
                [HEAD + packet(b"a") + packet(b"lost")[:9], GONE],
                [HEAD, packet(b"b"), None],
            ]
        }
    )
    with caplog.at_level(logging.WARNING):
        async with following(client) as heard:
            await until(lambda: heard == [b"a", b"b"])
    assert "packets of node-1 are missing, trying again: the worker is away" in caplog.text


async def test_a_worker_that_stays_away_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    client = FakeClient(**{"node-1": [[GONE]] * 5 + [[HEAD, packet(b"a"), None]]})
    async with following(client) as heard:
        await until(lambda: heard == [b"a"])
    assert caplog.text.count("packets of node-1 are missing") == 1


async def test_what_is_no_capture_is_told_and_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = FakeClient(**{"node-1": [[b"\0" * 40], [HEAD, packet(b"a"), None]]})
    async with following(client) as heard:
        await until(lambda: heard == [b"a"])
    assert "packets of node-1 are missing" in caplog.text


async def test_nodes_come_and_go() -> None:
    client = FakeClient(**{"node-1": [[HEAD, None]]})
    async with following(client) as heard:
        await until(lambda: client.opened == {"node-1": 1})
        client.said["node-2"] = [[HEAD, packet(b"b"), None]]
        client.change("ADDED", "node-2")
        await until(lambda: heard == [b"b"])
        client.change("DELETED", "node-2")
        client.said["node-3"] = [[HEAD, packet(b"c"), None]]
        client.change("ADDED", "node-3")
        await until(lambda: heard == [b"b", b"c"])
        assert client.opened == {"node-1": 1, "node-2": 1, "node-3": 1}


async def test_who_may_not_see_packets_does_not_ask_again_and_again() -> None:
    client = FakeClient(**{"node-1": [[error_of({"reason": "Forbidden"}, 403)]]})
    async with following(client):
        await until(lambda: client.opened.get("node-1") == 1)
        for _ in range(100):
            await asyncio.sleep(0)
        assert client.opened["node-1"] == 1
