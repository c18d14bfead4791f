"""The dashboard's server on a real port, with traffic that tests make."""

from __future__ import annotations

import asyncio
import secrets
import socket
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from pilotfish.dashboard import server
from pilotfish.dashboard.access import Access
from pilotfish.dashboard.dashboard import Dashboard
from pilotfish.dashboard.kubeconfig import Kubeconfig
from pilotfish.tap.entry import Entry, timestamp
from pilotfish.tap.viewer import NodeStatus
from support.entries import entry

API_TOKEN = "of-programs"
CONTEXT = "pilotfish-fake"


def kubeconfig(path: Path, server_url: str = "http://127.0.0.1:9", context: str = CONTEXT) -> Path:
    """A kubeconfig of a cluster that is not there."""
    content = {
        "current-context": context,
        "contexts": [{"name": context, "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server_url}}],
        "users": [{"name": "u", "user": {}}],
    }
    path.write_bytes(orjson.dumps(content))
    return path


class FakeViewer:
    """Gives the entries that are put into it."""

    def __init__(self) -> None:
        self.nodes = {"node-1": NodeStatus("node-1", connected=True)}
        self.queue: asyncio.Queue[Entry | Exception] = asyncio.Queue()

    async def entries(self) -> AsyncGenerator[Entry, None]:
        while True:
            found = await self.queue.get()
            if isinstance(found, Exception):
                raise found
            yield found


@dataclass
class Served:
    """A server that runs."""

    url: str
    port: int
    access: Access
    dashboard: Dashboard
    viewer: FakeViewer
    told: list[str] = field(default_factory=list)
    links_used: list[bool] = field(default_factory=list)
    _sequence: int = 0

    def see(self, **changes: Any) -> Entry:
        """Something happens in the cluster, now."""
        self._sequence += 1
        now_s = time.time()
        made = entry(
            id=f"node-1-{self._sequence:06d}",
            timestamp=timestamp(now_s),
            conn={"id": f"c{self._sequence}@{now_s:.6f}", "first": True, "whole": True},
            **changes,
        )
        self.viewer.queue.put_nowait(made)
        return made

    def program(self) -> aiohttp.ClientSession:
        """Asks with the token of programs."""
        return aiohttp.ClientSession(self.url, headers={"Authorization": f"Bearer {API_TOKEN}"})


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@asynccontextmanager
async def serving(folder: Path, address: str = "127.0.0.1") -> AsyncIterator[Served]:
    """Serve for as long as the block lasts. $XDG_STATE_HOME must lead to a folder of the test."""
    viewer, port, told, used = FakeViewer(), free_port(), [], []
    dashboard = Dashboard(
        Kubeconfig(kubeconfig(folder / "kubeconfig")),
        lambda _client, _on_status, _hear: viewer,
        False,
        told.append,
    )
    access = Access(secrets.token_hex(32), API_TOKEN, "this-run")
    app = server.application(dashboard, access, address, port, lambda: used.append(True))
    runner = await server.start(app, address, port)
    running = asyncio.create_task(dashboard.run())
    try:
        yield Served(f"http://127.0.0.1:{port}", port, access, dashboard, viewer, told, used)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await runner.cleanup()


async def until(holds: Callable[[], bool], what: str) -> None:
    """Wait for something to come true."""
    for _ in range(1000):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"never: {what}")
