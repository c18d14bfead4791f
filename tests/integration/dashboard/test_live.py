"""Pages that stay open, over real sockets: rows, views, problems, bounds, lost connections."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from pilotfish.dashboard import announcements
from pilotfish.dashboard import live as live_module
from pilotfish.dashboard.hub import MAX_VIEWERS
from pilotfish.tap.viewer import NodeStatus
from support.dashboard import Served, until
from support.entries import entry
from support.proxy import WATCH


async def hear(socket: aiohttp.ClientWebSocketResponse, kind: str) -> Any:
    """The next message of that kind."""
    async with asyncio.timeout(10):
        while True:
            message = await socket.receive_json()
            if message["type"] == kind:
                return message


async def test_a_page_is_told_how_things_stand_and_what_happens(
    served: Served, program: aiohttp.ClientSession
) -> None:
    served.see(path="/before")
    async with program.ws_connect("/api/v1/live") as socket:
        hello, status = await socket.receive_json(), await socket.receive_json()
        assert (hello["type"], hello["context"]) == ("hello", "pilotfish-fake")
        assert (status["type"], status["connected"]) == ("status", True)
        await socket.send_json(WATCH)
        backlog = await hear(socket, "rows")
        assert (backlog["backlog"], [row["path"] for row in backlog["rows"]]) == (True, ["/before"])
        served.see(path="/now")
        rows = await hear(socket, "rows")
        assert (rows["backlog"], [row["path"] for row in rows["rows"]]) == (False, ["/now"])


async def test_two_pages_see_each_what_they_asked_for(
    served: Served, program: aiohttp.ClientSession
) -> None:
    async with (
        program.ws_connect("/api/v1/live") as one,
        program.ws_connect("/api/v1/live") as other,
    ):
        await one.send_json(WATCH | {"filter": "status_code == 200"})
        await other.send_json(WATCH | {"filter": "status_code == 503", "watch": 2})
        await hear(one, "rows")
        await hear(other, "rows")
        served.see(path="/good")
        served.see(path="/bad", status_code=503)
        assert [row["path"] for row in (await hear(one, "rows"))["rows"]] == ["/good"]
        bad = await hear(other, "rows")
        assert ([row["path"] for row in bad["rows"]], bad["watch"]) == (["/bad"], 2)


async def test_a_wrong_filter_is_said_and_a_right_one_works_afterwards(
    served: Served, program: aiohttp.ClientSession
) -> None:
    async with program.ws_connect("/api/v1/live") as socket:
        await socket.send_json(WATCH | {"filter": "http && stattus == 1", "watch": 3})
        problem = await hear(socket, "filter_problem")
        assert (problem["watch"], problem["column"], problem["end"]) == (3, 9, 16)
        await socket.send_json(WATCH | {"since": "yesterday", "watch": 4})
        problem = await hear(socket, "filter_problem")
        assert (problem["watch"], problem["line"]) == (4, 0)
        assert problem["message"].startswith("since: ")
        await socket.send_json(WATCH | {"watch": 5})
        assert (await hear(socket, "rows"))["watch"] == 5


async def test_views_come_to_who_follows_them(program: aiohttp.ClientSession) -> None:
    async with program.ws_connect("/api/v1/live") as socket:
        follow = {"type": "follow", "services": True, "map": True, "window_s": 300}
        await socket.send_json(follow)
        assert (await hear(socket, "services"))["window_s"] == 300
        assert (await hear(socket, "map"))["window_s"] == 300


@pytest.mark.parametrize(
    "message", ["", "{", "[]", '{"type":"watch"}', '{"type":"follow","services":1}', "x" * 10_000]
)
async def test_a_message_that_is_none_ends_the_connection(
    program: aiohttp.ClientSession, message: str
) -> None:
    async with program.ws_connect("/api/v1/live") as socket:
        await socket.send_str(message)
        async for _ in socket:
            pass
        assert socket.close_code == aiohttp.WSCloseCode.POLICY_VIOLATION


async def test_a_message_that_is_too_long_ends_the_connection(
    program: aiohttp.ClientSession,
) -> None:
    async with program.ws_connect("/api/v1/live") as socket:
        await socket.send_str("x" * (live_module.MAX_MESSAGE_BYTES + 1))
        async for _ in socket:
            pass
        assert socket.close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


async def test_there_is_a_bound_to_viewers_and_who_leaves_makes_room(
    served: Served, program: aiohttp.ClientSession
) -> None:
    sockets = [await program.ws_connect("/api/v1/live") for _ in range(MAX_VIEWERS)]
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await program.ws_connect("/api/v1/live")
    assert refused.value.status == 503
    await sockets.pop().close()
    await until(lambda: len(served.dashboard.hub.viewers) < MAX_VIEWERS, "there is room")
    sockets.append(await program.ws_connect("/api/v1/live"))
    for socket in sockets:
        await socket.close()


async def test_a_lost_connection_is_told_to_page_and_terminal_and_that_it_is_back(
    served: Served, program: aiohttp.ClientSession
) -> None:
    async with program.ws_connect("/api/v1/live") as socket:
        assert (await hear(socket, "status"))["connected"]
        node = served.viewer.nodes["node-1"]
        node.connected, node.problem = False, "the worker ended the stream"
        while (status := await hear(socket, "status"))["connected"]:
            pass
        assert status["problem"] == "node-1: the worker ended the stream"
        assert status["nodes"][0]["connected"] is False
        node.connected, node.problem = True, ""
        while not (await hear(socket, "status"))["connected"]:
            pass
    assert served.told == [
        "connected",
        "connection to the cluster lost: node-1: the worker ended the stream; trying again",
        "connected again",
    ]


async def test_a_node_that_is_away_for_long_is_told_of_and_one_that_is_back_at_once_is_not(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcements, "AWAY_S", 1000.0)
    away = NodeStatus("node-2", problem="no route")
    served.viewer.nodes["node-2"] = away
    await until(lambda: "node-2" in served.dashboard.feed.state.nodes, "the node is looked at")
    away.connected = True
    await until(lambda: served.dashboard.feed.state.nodes["node-2"].connected, "it is back")
    assert served.told == ["connected"]
    monkeypatch.setattr(announcements, "AWAY_S", 0.0)
    away.connected = False
    await until(lambda: len(served.told) == 2, "the node is told of")
    away.connected = True
    await until(lambda: len(served.told) == 3, "and that it is back")
    assert served.told[1:] == ["node-2: not seen, trying again: no route", "node-2: seen again"]


async def test_a_page_that_does_not_keep_up_is_told_what_it_lost_and_slows_down_nobody(
    served: Served, program: aiohttp.ClientSession
) -> None:
    count = 30_000
    made = entry(path="/" + 1500 * "x", probe=False)

    counts = {"slow": [0, 0], "quick": [0, 0]}

    async def read(name: str, socket: aiohttp.ClientWebSocketResponse) -> list[int]:
        seen = counts[name]
        while sum(seen) < count:
            message = await hear(socket, "rows")
            seen[0] += len(message["rows"])
            seen[1] += message["lost"]
        return seen

    async with (
        program.ws_connect("/api/v1/live", max_msg_size=0) as slow,
        program.ws_connect("/api/v1/live", max_msg_size=0) as quick,
    ):
        for socket in (slow, quick):
            await socket.send_json(WATCH)
            await hear(socket, "rows")
        reading = asyncio.create_task(read("quick", quick))
        for start in range(0, count, 2000):
            for number in range(start, start + 2000):
                served.dashboard.hub.hear(made | {"id": f"node-1-{number:06d}"})
            # The quick one is to have the time that it needs.
            while counts["quick"][0] < start:  # noqa: ASYNC110 it is read by another task
                await asyncio.sleep(0.01)
        assert await reading == [count, 0]
        shown, lost = await read("slow", slow)
        assert lost > 0
        assert shown + lost == count


async def test_an_entry_that_nobody_understands_does_not_end_the_view(
    served: Served, program: aiohttp.ClientSession
) -> None:
    async with program.ws_connect("/api/v1/live") as socket:
        await socket.send_json(WATCH)
        await hear(socket, "rows")
        served.viewer.queue.put_nowait({"id": "node-1-000000", "timestamp": "never"})
        served.see(path="/after")
        rows = await hear(socket, "rows")
        assert [row["path"] for row in rows["rows"]] == ["/after"]
