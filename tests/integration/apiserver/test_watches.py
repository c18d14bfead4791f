"""Watches: from a version, from now, with the state first; never a change lost or twice."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import orjson
import pytest
from websockets.asyncio.client import connect

from pilotfish.client.api import Client
from pilotfish.client.errors import Gone
from pilotfish.objects.meta import Object
from support.apiserver import RunningApiServer, running_api_server
from support.objects import config_map

MAPS = "/api/v1/namespaces/default/configmaps"


async def take(events: AsyncIterator[tuple[str, Object]], count: int) -> list[tuple[str, str]]:
    """The type and name of the next events."""
    taken: list[tuple[str, str]] = []
    async with asyncio.timeout(10):
        async for kind, obj in events:
            taken.append((kind, obj["metadata"].get("name", "")))
            if len(taken) == count:
                return taken
    raise AssertionError(f"the watch ended after {taken}")


async def test_a_watch_goes_on_where_a_list_ended(client: Client) -> None:
    await client.create("configmaps", config_map("before"))
    listed = await client.list("configmaps", "default")
    await client.create("configmaps", config_map("a"))
    await client.patch("configmaps", "a", {"data": {"x": "y"}}, "default")
    await client.delete("configmaps", "a", "default")
    version = listed["metadata"]["resourceVersion"]
    events = client.watch("configmaps", "default", resource_version=version)
    assert await take(events, 3) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]


async def test_a_watch_over_websocket_has_a_message_for_each_event(
    server: RunningApiServer, client: Client
) -> None:
    url = server.url.replace("https:", "wss:") + MAPS + "?watch=true"
    async with (
        asyncio.timeout(10),
        connect(url, ssl=server.client_config().ssl_context()) as socket,
    ):
        for name in ("a", "b"):
            await client.create("configmaps", config_map(name))
        events = []
        while len(events) < 2:
            message = await socket.recv()
            assert isinstance(message, str)
            event = orjson.loads(message)
            if event["object"]["metadata"]["name"] in ("a", "b"):
                events.append((event["type"], event["object"]["metadata"]["name"]))
    assert events == [("ADDED", "a"), ("ADDED", "b")]
    metrics = await server.kubectl("get", "--raw", "/metrics")
    assert re.search(r'apiserver_watch_events_total{.*resource="configmaps"} [1-9]', metrics)


async def test_changes_arrive_in_order_and_once_while_many_write(client: Client) -> None:
    listed = await client.list("configmaps", "default")
    version = listed["metadata"]["resourceVersion"]
    events = client.watch("configmaps", "default", resource_version=version)

    async def write() -> None:
        await asyncio.gather(
            *(client.create("configmaps", config_map(f"m-{n}")) for n in range(50))
        )

    writing = asyncio.create_task(write())
    seen: list[int] = []
    async with asyncio.timeout(10):
        async for _, obj in events:
            seen.append(int(obj["metadata"]["resourceVersion"]))
            if len(seen) == 50:
                break
    await writing
    assert seen == sorted(set(seen))


async def test_an_object_enters_and_leaves_a_selection(client: Client) -> None:
    listed = await client.list("configmaps", "default")
    version = listed["metadata"]["resourceVersion"]
    events = client.watch(
        "configmaps", "default", label_selector="on=yes", resource_version=version
    )
    await client.create("configmaps", config_map("a"))
    for value in ("yes", "no"):
        labels = {"metadata": {"labels": {"on": value}}}
        await client.patch("configmaps", "a", labels, "default")
    assert await take(events, 2) == [("ADDED", "a"), ("DELETED", "a")]


async def test_the_state_comes_first_when_asked_for_and_a_bookmark_ends_it(
    server: RunningApiServer, client: Client
) -> None:
    await client.create("configmaps", config_map("a"))
    params = {
        "watch": "1",
        "sendInitialEvents": "true",
        "resourceVersionMatch": "NotOlderThan",
        "allowWatchBookmarks": "true",
        "timeoutSeconds": "1",
    }
    config = server.client_config()
    async with (
        aiohttp.ClientSession() as session,
        session.get(server.url + MAPS, params=params, ssl=config.ssl_context()) as response,
    ):
        lines = [orjson.loads(line) async for line in response.content]
    assert [line["type"] for line in lines] == ["ADDED", "BOOKMARK"]
    annotations = lines[1]["object"]["metadata"]["annotations"]
    assert annotations == {"k8s.io/initial-events-end": "true"}


async def test_a_version_from_before_the_start_is_gone(tmp_path: Path) -> None:
    async with running_api_server(tmp_path) as server, Client(server.client_config()) as client:
        old = await client.create("configmaps", config_map("a"))
        await client.create("configmaps", config_map("b"))
    version = old["metadata"]["resourceVersion"]
    async with running_api_server(tmp_path) as server, Client(server.client_config()) as client:
        with pytest.raises(Gone):
            await take(client.watch("configmaps", resource_version=version), 1)


async def test_kubectl_prints_rows_as_they_change(server: RunningApiServer, client: Client) -> None:
    printing = asyncio.create_task(
        server.try_kubectl("get", "configmaps", "--watch", "--request-timeout=3s")
    )
    await asyncio.sleep(1)
    await client.create("configmaps", config_map("a", x="y"))
    _, output, _ = await printing
    assert output.split()[:3] == ["NAME", "DATA", "AGE"]
    assert "a      1" in output
