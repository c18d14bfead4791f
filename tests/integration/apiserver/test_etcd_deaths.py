"""Random concurrent writers on two API servers, while servers and etcd die at random moments.

The truth is etcd's own history: every acknowledged write must be in it, with the version that it
was made from before it; every watch must have shown exactly it, from where it began.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from asyncio.subprocess import Process
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from pilotfish.apiserver.store.etcd import messages
from pilotfish.apiserver.store.etcd.address import parse_address
from pilotfish.apiserver.store.etcd.channel import Channel
from pilotfish.client.api import Client
from pilotfish.client.errors import ApiError, Gone, Unreachable
from support.apiserver import api_server_config, client_config, free_port
from support.etcd import Etcd
from support.objects import config_map

SERVE = """
import asyncio, dataclasses, pathlib, sys, uvloop
from pilotfish.apiserver.server import ApiServer
from support.apiserver import api_server_config
folder, port, store = pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
config = api_server_config(folder, port)
config = dataclasses.replace(config, store_address=store, local_socket=None)
uvloop.run(ApiServer(config).run())
"""
WRITERS, NAMES, ROUNDS = 6, 12, 8
# What a dead server or etcd answers; whether the write was done is not known then.
TROUBLE = (Unreachable, TimeoutError)


class Server:
    """An API server in a process of its own, started again whenever it ends.

    It ends by itself when it starts while etcd is dead, as under the cluster's supervisor.
    """

    def __init__(self, folder: Path, store: str) -> None:
        self._folder, self._store = folder, store
        self.port = free_port()
        self._process: Process | None = None

    async def run(self) -> None:
        tests = str(Path(__file__).parents[2])
        while True:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", SERVE, str(self._folder), str(self.port), self._store),
                env=os.environ | {"PYTHONPATH": tests},
                stderr=asyncio.subprocess.DEVNULL,
            )
            try:
                await self._process.wait()
            finally:
                self.kill()

    def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    def client(self) -> Client:
        return Client(client_config(self._folder, f"https://127.0.0.1:{self.port}"))


@dataclass
class Acknowledged:
    """A write that a server has confirmed. made_from: the version before it; 0: none."""

    name: str
    revision: int
    made_from: int
    data: dict[str, str] | None


@dataclass
class Segment:
    """What one watch has shown from a version on: (revision, type, name)."""

    version: int
    events: list[tuple[int, str, str]] = field(default_factory=list)


async def test_nothing_acknowledged_and_no_event_is_lost_whoever_dies(tmp_path: Path) -> None:
    api_server_config(tmp_path, free_port())  # certificates before two servers make them
    with Etcd(tmp_path / "etcd") as etcd:
        servers = [Server(tmp_path, etcd.address()) for _ in range(2)]
        acknowledged: list[Acknowledged] = []
        segments: list[list[Segment]] = [[], []]
        over = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(server.run()) for server in servers]
            for server in servers:
                await _until_it_answers(server)
            watches = [
                tasks.create_task(_watch(server, shown))
                for server, shown in zip(servers, segments, strict=True)
            ]
            writers = [
                tasks.create_task(_write(servers, writer, acknowledged, over))
                for writer in range(WRITERS)
            ]
            dice = random.Random(6)
            for _ in range(ROUNDS):
                await asyncio.sleep(dice.uniform(0.3, 1.2))
                victim = dice.choice([*servers, etcd])
                if isinstance(victim, Etcd):
                    await asyncio.to_thread(victim.kill)
                    await asyncio.to_thread(victim.start)
                else:
                    victim.kill()
            for server in servers:
                await _until_it_answers(server)
            enough = max(100, len(acknowledged) + 50)
            async with asyncio.timeout(120):
                while len(acknowledged) < enough:  # noqa: ASYNC110 - writers go on by themselves
                    await asyncio.sleep(0.05)
            over.set()
            await asyncio.gather(*writers)
            history = await _history(etcd)
            last = history[-1][0]
            async with asyncio.timeout(60):
                while not all(_has_come_to(shown, last) for shown in segments):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            for task in (*watches, *running):
                task.cancel()
    _check_writes(acknowledged, history)
    for shown in segments:
        _check_watches(shown, history)


History = list[tuple[int, str, dict[str, str] | None]]


def _check_writes(acknowledged: list[Acknowledged], history: History) -> None:
    """No acknowledged write is lost, and none was made on a version that was not the newest."""
    found = {(name, revision): data for revision, name, data in history}
    assert len(found) == len(history)
    previous: dict[tuple[str, int], int] = {}
    newest: dict[str, int] = {}
    for revision, name, data in history:
        previous[name, revision] = newest.get(name, 0)
        newest[name] = 0 if data is None else revision
    for write in acknowledged:
        place = (write.name, write.revision)
        assert place in found, f"{write} is lost"
        assert found[place] == write.data
        assert previous[place] == write.made_from


def _check_watches(shown: list[Segment], history: History) -> None:
    """Each watch has shown what happened from its beginning on: all of it, once, in order."""
    exists: set[str] = set()
    truth: list[tuple[int, str, str]] = []
    for revision, name, data in history:
        kind = "DELETED" if data is None else "MODIFIED" if name in exists else "ADDED"
        (exists.discard if data is None else exists.add)(name)
        truth.append((revision, kind, name))
    assert shown
    for segment in shown:
        end = segment.events[-1][0] if segment.events else segment.version
        assert segment.events == [each for each in truth if segment.version < each[0] <= end]


def _has_come_to(shown: list[Segment], revision: int) -> bool:
    if not shown:
        return False
    newest = shown[-1]
    return (newest.events[-1][0] if newest.events else newest.version) >= revision


async def _write(
    servers: list[Server], writer: int, acknowledged: list[Acknowledged], over: asyncio.Event
) -> None:
    """Create, replace and delete at random, on any server, each time on the version just read."""
    dice = random.Random(writer)
    async with servers[0].client() as one, servers[1].client() as other:
        for count in range(100_000):
            if over.is_set():
                return
            name = f"m-{dice.randrange(NAMES)}"
            reader, author = dice.choice([one, other]), dice.choice([one, other])
            data = {"by": f"{writer}-{count}"}
            try:
                async with asyncio.timeout(20):
                    await _write_once(reader, author, name, data, dice, acknowledged)
            except ApiError as error:
                # Somebody else was quicker; or etcd is down, and the outcome not known.
                assert error.code in (404, 409, 500, 503), error
            except TROUBLE:
                await asyncio.sleep(0.05)


async def _write_once(
    reader: Client,
    author: Client,
    name: str,
    data: dict[str, str],
    dice: random.Random,
    acknowledged: list[Acknowledged],
) -> None:
    try:
        old = await reader.get("configmaps", name, "default")
    except ApiError as error:
        if error.code != 404:
            raise
        new = await author.create("configmaps", config_map(name, **data))
        acknowledged.append(Acknowledged(name, int(new["metadata"]["resourceVersion"]), 0, data))
        return
    version = int(old["metadata"]["resourceVersion"])
    if dice.random() < 0.2:
        options = {"preconditions": {"resourceVersion": str(version)}}
        path = f"/api/v1/namespaces/default/configmaps/{name}"
        await author.request("DELETE", path, body=options)
        return
    new = await author.update("configmaps", {**old, "data": data})
    revision = int(new["metadata"]["resourceVersion"])
    acknowledged.append(Acknowledged(name, revision, version, data))


async def _watch(server: Server, shown: list[Segment]) -> None:
    """List and watch as informers do: go on from the last event, list again on 410."""
    async with server.client() as client:
        segment: Segment | None = None
        while True:
            try:
                if segment is None:
                    listed = await client.list("configmaps", "default")
                    segment = Segment(int(listed["metadata"]["resourceVersion"]))
                    shown.append(segment)
                version = segment.events[-1][0] if segment.events else segment.version
                events = client.watch("configmaps", "default", resource_version=str(version))
                async for kind, obj in events:
                    metadata = obj["metadata"]
                    if metadata["name"].startswith("m-"):
                        revision = int(metadata["resourceVersion"])
                        segment.events.append((revision, kind, metadata["name"]))
            except Gone:
                segment = None
            except (ApiError, *TROUBLE):
                await asyncio.sleep(0.05)


async def _history(etcd: Etcd) -> History:
    """Every version of every ConfigMap, from etcd itself: (revision, name, data)."""
    channel = Channel(parse_address(etcd.address()))
    await channel.open()
    prefix = b"/registry/configmaps/default/m-"
    history: History = []
    try:
        # The newest write may be of another kind; what is written last is ours, and no object.
        end = b"/registry/_end"
        request = messages.watch_request(b"/registry/_", b"/registry/configmaps0", 1)
        marker = messages.put_request(end, b"")
        await channel.call("/etcdserverpb.KV/Put", marker)
        async for data in channel.stream(messages.WATCH, request):
            for pair, removed in messages.read_watched(data).events:
                if pair.key == end:
                    return history
                if pair.key.startswith(prefix):
                    name = pair.key[len(prefix) - 2 :].decode()
                    value = None if removed else orjson.loads(pair.value).get("data")
                    history.append((pair.revision, name, value))
    finally:
        await channel.close()
    raise AssertionError("etcd's history does not end")


async def _until_it_answers(server: Server) -> None:
    async with asyncio.timeout(90), server.client() as client:
        while True:
            try:
                await client.request("GET", "/version")
            except (ApiError, Unreachable):
                await asyncio.sleep(0.05)
            else:
                return
