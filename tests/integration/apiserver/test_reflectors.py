"""What client-go's reflectors rely on: list, watch, 410, list again; and servers that die.

A follower keeps a cache as a shared informer does, by hand: it lists, watches from the list's
version, goes on from the last event when the connection ends, and lists again on 410. It checks
that events come in order, none twice, none missing.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pilotfish.client.api import Client
from pilotfish.client.errors import AlreadyExists, Conflict, Gone, NotFound, Unreachable
from pilotfish.objects.meta import Object, name_of
from support.apiserver import api_server_config, client_config, free_port, running_api_server
from support.objects import config_map

SERVE = """
import asyncio, pathlib, sys
from pilotfish.apiserver.server import ApiServer
from support.apiserver import api_server_config
asyncio.run(ApiServer(api_server_config(pathlib.Path(sys.argv[1]), int(sys.argv[2]))).run())
"""
MAPS = "configmaps"
WRITERS = 4
LIVES = 3


class Follower:
    """A cache of ConfigMaps, kept by list and watch.

    Attributes:
        known: the objects, by name.
        version: up to where it has followed.
        lists: how often it had to list.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self.known: dict[str, Object] = {}
        self.version = ""
        self.lists = 0

    async def list(self) -> None:
        """Take over the state of now."""
        listed = await self._client.list(MAPS, "default")
        self.known = {name_of(item): item for item in listed["items"]}
        self.version = listed["metadata"]["resourceVersion"]
        self.lists += 1

    def is_past(self, version: str) -> bool:
        """Whether something has come since a version."""
        return self.version != version

    def take(self, kind: str, obj: Object) -> None:
        """Apply an event; fails the test when it does not follow from what is known."""
        name, version = name_of(obj), obj["metadata"]["resourceVersion"]
        assert int(version) > int(self.version), "an event came twice, or late"
        if kind == "ADDED":
            assert name not in self.known, f"{name} was known before it was added"
        else:
            assert name in self.known, f"{name} was {kind} before it was added"
        if kind == "MODIFIED":
            # Writers count: who missed an event would see a number left out.
            before, after = self.known[name]["data"]["count"], obj["data"]["count"]
            assert int(after) == int(before) + 1, "an event was lost"
        self.version = version
        if kind == "DELETED":
            del self.known[name]
        else:
            self.known[name] = obj

    async def run(self) -> None:
        """Follow until cancelled, whatever the server does meanwhile."""
        while True:
            try:
                if not self.version:
                    await self.list()
                async for kind, obj in self._client.watch(
                    MAPS, "default", resource_version=self.version
                ):
                    self.take(kind, obj)
            except Gone:
                self.version = ""
            except Unreachable:
                await asyncio.sleep(0.02)


async def write(client: Client, writer: int, acknowledged: dict[str, int | None]) -> None:
    """Create, count up and delete an object at random; note what was acknowledged.

    A write without an answer may or may not have happened: the object is read again, and must
    then be one of both.
    """
    chance = random.Random(writer)
    name = f"w{writer}"
    while True:
        count = acknowledged.get(name)
        wanted: int | None = 0 if count is None else count + 1
        if count is not None and chance.random() < 0.1:
            wanted = None
        try:
            if count is None:
                await client.create(MAPS, config_map(name, count="0"))
            elif wanted is None:
                await client.delete(MAPS, name, "default")
            else:
                assert await count_of(client, name) == count, "an acknowledged write was lost"
                await client.update(MAPS, config_map(name, count=str(wanted)))
            acknowledged[name] = wanted
        except Unreachable:
            found = await settled_count(client, name)
            assert found in (count, wanted), "an acknowledged write was lost"
            acknowledged[name] = found


async def count_of(client: Client, name: str) -> int | None:
    """Where a writer's object is; None when it does not exist."""
    try:
        return int((await client.get(MAPS, name, "default"))["data"]["count"])
    except NotFound:
        return None


async def settled_count(client: Client, name: str) -> int | None:
    """The same, as soon as a server answers."""
    while True:
        try:
            return await count_of(client, name)
        except Unreachable:
            await asyncio.sleep(0.02)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that a task brings about."""
    async with asyncio.timeout(20):
        while True:
            if condition():
                return
            await asyncio.sleep(0.01)


async def start(folder: Path, port: int) -> asyncio.subprocess.Process:
    """A server in a process of its own."""
    tests = Path(__file__).parents[2]
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        SERVE,
        str(folder),
        str(port),
        env=os.environ | {"PYTHONPATH": str(tests)},
    )


async def test_followers_miss_nothing_while_servers_are_killed(tmp_path: Path) -> None:
    port = free_port()
    api_server_config(tmp_path, port)
    acknowledged: dict[str, int | None] = {}
    chance = random.Random(7)
    url = f"https://127.0.0.1:{port}"
    async with Client(client_config(tmp_path, url)) as client:
        follower = Follower(client)
        work = [asyncio.create_task(write(client, n, acknowledged)) for n in range(WRITERS)]
        work.append(asyncio.create_task(follower.run()))
        for _ in range(LIVES):
            process = await start(tmp_path, port)
            before = follower.version
            await until(partial(follower.is_past, before))
            await asyncio.sleep(chance.uniform(0.1, 0.6))
            process.send_signal(signal.SIGKILL)
            await process.wait()
            for task in work:
                assert not task.done(), task.exception()
        for task in work[:-1]:
            task.cancel()
        await asyncio.gather(*work[:-1], return_exceptions=True)
        process = await start(tmp_path, port)
        try:
            async with asyncio.timeout(20):
                while True:
                    try:
                        listed = await client.list(MAPS, "default")
                        break
                    except Unreachable:
                        await asyncio.sleep(0.05)
                truth = {name_of(item): item for item in listed["items"]}
                while follower.known != truth:
                    assert not work[-1].done(), work[-1].exception()
                    await asyncio.sleep(0.02)
        finally:
            work[-1].cancel()
            await asyncio.gather(work[-1], return_exceptions=True)
            process.kill()
            await process.wait()


async def test_only_one_of_two_who_read_the_same_version_writes(tmp_path: Path) -> None:
    async with running_api_server(tmp_path) as server, Client(server.client_config()) as client:
        await client.create(MAPS, config_map("counter", count="0"))

        async def count_up(times: int) -> int:
            lost = 0
            for _ in range(times):
                while True:
                    current = await client.get(MAPS, "counter", "default")
                    current["data"]["count"] = str(int(current["data"]["count"]) + 1)
                    try:
                        await client.update(MAPS, current)
                        break
                    except Conflict:
                        lost += 1
            return lost

        lost = sum(await asyncio.gather(*(count_up(10) for _ in range(8))))
        final = await client.get(MAPS, "counter", "default")
        assert final["data"]["count"] == "80"
        assert lost > 0, "nobody met anybody: this test shows nothing"


async def test_of_many_who_create_one_name_one_succeeds(tmp_path: Path) -> None:
    async with running_api_server(tmp_path) as server, Client(server.client_config()) as client:

        async def create() -> bool:
            try:
                await client.create(MAPS, config_map("one"))
            except AlreadyExists:
                return False
            return True

        assert sum(await asyncio.gather(*(create() for _ in range(20)))) == 1


async def test_who_slept_too_long_lists_again(tmp_path: Path) -> None:
    async with running_api_server(tmp_path) as server, Client(server.client_config()) as client:
        await client.create(MAPS, config_map("a"))
        sleeper = Follower(client)
        await sleeper.list()
        await client.delete(MAPS, "a", "default")
        await client.create(MAPS, config_map("b"))
    # A server that starts has forgotten what led to its state.
    async with running_api_server(tmp_path) as server, Client(server.client_config()) as client:
        follower = Follower(client)
        follower.known, follower.version = sleeper.known, sleeper.version
        following = asyncio.create_task(follower.run())
        await until(lambda: follower.lists == 1)
        assert follower.known.keys() == {"b"}
        await client.create(MAPS, config_map("c"))
        await until(lambda: "c" in follower.known)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
