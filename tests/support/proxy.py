"""`pilotfish proxy` as a process, and pages that look at it."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from support.dashboard import free_port
from support.shell import Shell, eventually

WATCH: dict[str, Any] = {
    "type": "watch", "watch": 1, "filter": "", "since": "", "until": "", "limit": 1000,
    "probes": False,
}  # fmt: skip


class Proxy:
    """A proxy that runs; its state is in a folder of the test."""

    def __init__(self, shell: Shell, folder: Path, *options: str, port: int = 0) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = folder
        self._out = folder / f"out-{self.port}"
        self.environment = {**shell.environment, "XDG_STATE_HOME": str(folder / "state")}
        for name in ("DISPLAY", "WAYLAND_DISPLAY"):
            self.environment.pop(name, None)
        command = (sys.executable, "-m", "pilotfish", "proxy", "--port", str(self.port), *options)
        with self._out.open("w") as out:
            self.process = subprocess.Popen(
                command, stdout=out, stderr=subprocess.STDOUT, env=self.environment
            )

    @property
    def told(self) -> str:
        """What the terminal has said so far."""
        return self._out.read_text()

    def until_told(self, text: str) -> None:
        """Wait until the terminal says something."""
        eventually(lambda: text in self.told, f"{text!r} in {self.told}")

    def link(self) -> str:
        """The newest link."""
        self.until_told("?token=")
        return re.findall(r"http://\S+\?token=\S+", self.told)[-1]

    def token(self) -> str:
        """The token of programs."""
        return (self.folder / "state/pilotfish/api-token").read_text().strip()

    def until_seen(self, nodes: int) -> None:
        """Wait until the taps of so many nodes tell what they see."""
        asking = urllib.request.Request(
            f"{self.url}/api/v1/status", headers={"Authorization": f"Bearer {self.token()}"}
        )

        def seen() -> int:
            with urllib.request.urlopen(asking, timeout=5) as answer:
                return sum(node["connected"] for node in json.load(answer)["nodes"])

        eventually(lambda: seen() == nodes, f"{nodes} nodes are seen")

    def end(self) -> int:
        """End it as Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(10)


@contextmanager
def proxying(shell: Shell, folder: Path, *options: str) -> Iterator[Proxy]:
    """Run a proxy for as long as the block lasts."""
    proxy = Proxy(shell, folder, *options)
    try:
        proxy.until_told("?token=")
        yield proxy
    finally:
        proxy.process.kill()
        proxy.process.wait()


class Page:
    """What a page has been told so far."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.statuses: list[dict[str, Any]] = []
        self.problems: list[dict[str, Any]] = []

    @property
    def connected(self) -> bool:
        return bool(self.statuses) and self.statuses[-1]["connected"]

    def hear(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "rows":
            self.rows += message["rows"]
        elif kind == "status":
            self.statuses.append(message)
        elif kind == "filter_problem":
            self.problems.append(message)

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait for something to come true."""
        await asyncio.to_thread(eventually, holds, f"{what}; {self.statuses[-1:]}")


@asynccontextmanager
async def page(session: aiohttp.ClientSession, **watch: Any) -> AsyncIterator[Page]:
    """A page that watches the traffic for as long as the block lasts."""
    made = Page()
    async with session.ws_connect("/api/v1/live", headers={"Origin": _origin(session)}) as socket:
        await socket.send_json(WATCH | watch)

        async def listen() -> None:
            async for message in socket:
                made.hear(message.json())

        listening = asyncio.create_task(listen())
        try:
            yield made
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


@asynccontextmanager
async def browser(proxy: Proxy) -> AsyncIterator[aiohttp.ClientSession]:
    """A browser that has opened the link in the terminal."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(proxy.url, cookie_jar=jar) as session:
        async with session.get(proxy.link().removeprefix(proxy.url)) as answer:
            assert answer.status in (200, 503), await answer.text()
        yield session


def _origin(session: aiohttp.ClientSession) -> str:
    return str(session._base_url).rstrip("/")
