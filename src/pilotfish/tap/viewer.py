"""Views the traffic of a cluster: what the workers of all nodes tell, in the order of time.

Each node's stream comes through the API server's node proxy, with the user's own credentials.
Nodes come and go, their workers are restarted, the API server too: a stream that ends is opened
again, after a pause that doubles up to `MAX_PAUSE_S`, for as long as the node is there.

    async with Client(ClientConfig.from_kubeconfig()) as client:
        async for entry in Viewer(client, filter_text="http").entries():
            …
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlencode

import orjson

from pilotfish.client.api import Client, lines
from pilotfish.client.errors import ApiError, Unreachable
from pilotfish.client.informer import Informer
from pilotfish.objects.meta import Object, name_of
from pilotfish.tap.config import PORT
from pilotfish.tap.entry import Entry

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.1
MAX_PAUSE_S = 5.0
# Entries are told when they end; the nodes' streams differ by the time that a ring's block needs
# to be handed over, and by the way. An entry waits this long for earlier ones of other nodes.
MERGE_S = 0.1
# Entries that nobody takes: the workers stop sending then, and count what they drop.
MAX_WAITING = 10_000
# A worker says how it stands every second; one that is silent for so long is gone.
SILENCE_S = 15.0


@dataclass
class NodeStatus:
    """How a node's stream stands.

    Attributes:
        connected: whether entries come.
        problem: why not; "" while they do, or before the first attempt is over.
        counters: what the worker told last: `packets`, `dropped` (by the kernel), `entries`,
            `lost` (entries that this viewer was too slow for), `viewers`.
    """

    name: str
    connected: bool = False
    problem: str = ""
    counters: dict[str, int] = field(default_factory=dict)


class Viewer:
    """Follows the workers of all nodes.

    Attributes:
        nodes: how each node's stream stands, by name.
    """

    def __init__(
        self,
        client: Client,
        filter_text: str = "",
        probes: bool = False,
        redact: bool = True,
        on_status: Callable[[NodeStatus], None] | None = None,
    ) -> None:
        """Make a viewer of a cluster.

        Args:
            client: to the API server.
            filter_text: which entries to see, in the filter language; "" for all. It is the
                workers that apply it.
            probes: whether to see the kubelets' probes.
            redact: whether secrets are blackened out.
            on_status: is called when a node's stream begins, ends, or tells its counters.
        """
        self.nodes: dict[str, NodeStatus] = {}
        self._client = client
        self._query = {"probes": str(probes).lower(), "redact": str(redact).lower()}
        if filter_text:
            self._query["filter"] = filter_text
        self._on_status = on_status
        self._merge = Merge()
        self._streams: dict[str, asyncio.Task[None]] = {}

    async def entries(self) -> AsyncGenerator[Entry, None]:
        """What is seen, in the order of time, until the iterator is closed.

        Raises:
            ApiError: where the API server or a worker refuses what is asked: a filter with an
                error in it, or no right to look.
            Unreachable: where there is no API server when it begins.
        """
        await self._client.list("nodes")  # says at once what is wrong
        informer = Informer(self._client, "nodes")
        failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        informer.on_change(lambda old, new: self._node_changed(old, new, failed))
        following = asyncio.create_task(informer.run(), name="tap nodes")
        try:
            while True:
                ready = asyncio.ensure_future(self._merge.wait())
                await asyncio.wait({ready, failed}, return_when=asyncio.FIRST_COMPLETED)
                ready.cancel()
                if failed.done():
                    failed.result()
                for entry in self._merge.due(time.monotonic()):
                    yield entry
        finally:
            failed.cancel()
            tasks = [following, *self._streams.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _node_changed(
        self, old: Object | None, new: Object | None, failed: asyncio.Future[None]
    ) -> None:
        if new is None and old is not None:
            name = name_of(old)
            stream = self._streams.pop(name, None)
            if stream is not None:
                stream.cancel()
            self.nodes.pop(name, None)
        elif new is not None and name_of(new) not in self._streams:
            name = name_of(new)
            self.nodes[name] = NodeStatus(name)
            stream = asyncio.create_task(self._follow(name), name=f"tap {name}")
            stream.add_done_callback(partial(_pass_on, failed))
            self._streams[name] = stream

    async def _follow(self, node: str) -> None:
        """Keep a node's stream open. Raises ApiError for a question that cannot be answered."""
        status, pause_s = self.nodes[node], FIRST_PAUSE_S
        path = f"/api/v1/nodes/https:{node}:{PORT}/proxy/v1/entries"
        while True:
            try:
                stream = self._client.stream(path, self._query, SILENCE_S)
                async for line in lines(stream):
                    pause_s = FIRST_PAUSE_S
                    await self._heard(status, orjson.loads(line))
                status.problem = "the worker ended the stream"
            except ApiError as error:
                # What is wrong with the question will not get better by repeating it.
                if error.code in (400, 401, 403):
                    raise
                status.problem = error.message
            except Unreachable as error:
                status.problem = str(error)
            if status.connected:
                log.info("the stream of %s ended: %s", node, status.problem)
            status.connected = False
            self._tell(status)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, MAX_PAUSE_S)

    async def _heard(self, status: NodeStatus, line: dict[str, Any]) -> None:
        counters: Mapping[str, Any] | None = line.get("worker")
        if counters is None:
            await self._merge.put(line, time.monotonic())
            return
        status.counters = {key: n for key, n in counters.items() if isinstance(n, int)}
        status.connected, status.problem = True, ""
        self._tell(status)

    def _tell(self, status: NodeStatus) -> None:
        if self._on_status is not None:
            self._on_status(status)


def _pass_on(failed: asyncio.Future[None], task: asyncio.Task[None]) -> None:
    """What ended a stream for good ends the whole view."""
    if task.cancelled() or failed.done():
        return
    error = task.exception()
    if error is not None:
        failed.set_exception(error)


class Merge:
    """Puts entries that come from several nodes into the order of their timestamps.

    Only nearly: one that comes more than `MERGE_S` too late is not waited for.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[str, int, float, Entry]] = []
        self._numbers = itertools.count()
        self._filled = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    async def put(self, entry: Entry, now_s: float) -> None:
        """Take an entry; waits while too many are waiting. now_s: monotonic time."""
        await self._room.wait()
        number = next(self._numbers)
        heapq.heappush(self._waiting, (entry["timestamp"], number, now_s, entry))
        self._filled.set()
        if len(self._waiting) >= MAX_WAITING:
            self._room.clear()

    async def wait(self) -> None:
        """Return when something has been put in and has had its time to wait."""
        await self._filled.wait()
        await asyncio.sleep(MERGE_S)

    def due(self, now_s: float) -> list[Entry]:
        """The entries that have waited long enough, and those that are earlier than they."""
        last = max(
            (entry[:2] for entry in self._waiting if entry[2] <= now_s - MERGE_S),
            default=None,
        )
        found = []
        while last is not None and self._waiting and self._waiting[0][:2] <= last:
            found.append(heapq.heappop(self._waiting)[3])
        if not self._waiting:
            self._filled.clear()
        self._room.set()
        return found


def packets_path(node: str, namespace: str = "", names: tuple[str, ...] = ()) -> str:
    """Where a node's packets are had as a pcapng file."""
    query = [("namespace", namespace)] if namespace else []
    query += [("name", name) for name in names]
    path = f"/api/v1/nodes/https:{node}:{PORT}/proxy/v1/packets"
    return f"{path}?{urlencode(query)}" if query else path
