"""Follows a cluster's traffic, through everything that may happen to the cluster.

    no kubeconfig, no cluster, no rights → a problem, and another attempt after a pause
    connected → entries; a node that comes or goes is the viewer's own business
    the API server is away → the connection is lost; attempts start over

Each attempt reads the kubeconfig again: a cluster that was taken down and started again has other
certificates, and perhaps another port.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from pilotfish.client.api import Client
from pilotfish.client.config import ConfigError
from pilotfish.client.errors import ApiError, Unreachable
from pilotfish.dashboard.kubeconfig import Kubeconfig
from pilotfish.tap.entry import Entry
from pilotfish.tap.viewer import NodeStatus

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.25
MAX_PAUSE_S = 5.0
# A worker that was killed is back sooner, and its stream is opened again by the viewer.
GIVE_UP_S = 3.0
_LOOK_EVERY_S = 0.5
_REQUEST = re.compile(r"\A(?:GET|watch) https?://\S+: ")
# What aiohttp says of an answer that ends in the middle.
_BROKEN = ("Response payload is not completed", "Server disconnected", "[Errno 104]")


class AnyViewer(Protocol):
    """`tap.viewer.Viewer`, or `tap.local.LocalViewer`."""

    nodes: dict[str, NodeStatus]

    def entries(self) -> AsyncGenerator[Entry, None]:
        """What is seen."""
        ...


@dataclass
class State:
    """How the connection stands.

    Attributes:
        connected: whether any node tells what it sees.
        problem: why none does; "" while one does, or before the first attempt is over.
        retry_at_s: when the next attempt is made (seconds since 1970), None while connected.
        context: name of the kubeconfig's context, once it could be read.
        server: URL of the API server of the last attempt.
        nodes: each node's stream.
    """

    connected: bool = False
    problem: str = ""
    retry_at_s: float | None = None
    context: str = ""
    server: str = ""
    nodes: dict[str, NodeStatus] = field(default_factory=dict)


class Feed:
    """Follows one cluster.

    Attributes:
        state: how the connection stands.
        named: set once the name of the cluster's context is known.
    """

    def __init__(
        self,
        kubeconfig: Kubeconfig,
        viewer: Callable[[Client, Callable[[NodeStatus], None]], AnyViewer],
        hear: Callable[[Entry], None],
        on_change: Callable[[], None],
        companions: Callable[[Client], Sequence[Coroutine[None, None, None]]],
    ) -> None:
        """Make a feed.

        Args:
            kubeconfig: says which cluster.
            viewer: makes a viewer of it, which may say at once when a node's stream changes.
            hear: takes each entry.
            on_change: is called when `state` has changed.
            companions: what else is to run with each new client, until the next one.
        """
        self.state = State()
        self.named = asyncio.Event()
        self._kubeconfig = kubeconfig
        self._viewer = viewer
        self._hear = hear
        self._on_change = on_change
        self._companions = companions

    async def run(self) -> None:
        """Follow it until cancelled.

        Raises:
            PermissionError: for a capture on this machine without CAP_NET_RAW and CAP_NET_ADMIN.
        """
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                config = self._kubeconfig.read()
                self.state.context, self.state.server = self._kubeconfig.context, config.server
                self.named.set()
                async with Client(config, user_agent="pilotfish/proxy") as client:
                    problem = await self._follow(client)
            except ConfigError as error:
                problem = str(error)
            except ApiError as error:
                problem = f"the cluster refuses: {error.message}"
            except PermissionError as error:
                # Waiting will not fix it.
                raise PermissionError("capturing on this machine takes root") from error
            except (Unreachable, OSError) as error:
                problem = plain(str(error))
            if self.state.connected:
                pause_s = FIRST_PAUSE_S
            await self._wait(problem, pause_s)
            # Who writes the kubeconfig is about to start a cluster.
            touched = self._kubeconfig.touched()
            pause_s = FIRST_PAUSE_S if touched else min(2 * pause_s, MAX_PAUSE_S)

    async def _wait(self, problem: str, pause_s: float) -> None:
        """Pause before the next attempt; a kubeconfig that changes ends it."""
        self.state.connected, self.state.problem = False, problem
        self.state.retry_at_s = time.time() + pause_s
        self._on_change()
        deadline_s = time.monotonic() + pause_s
        while (left_s := deadline_s - time.monotonic()) > 0:
            if self._kubeconfig.touched():
                return
            await asyncio.sleep(min(left_s, _LOOK_EVERY_S))

    async def _follow(self, client: Client) -> str:
        """Hear entries for as long as this client is of use; says why it is no more."""
        changed = asyncio.Event()
        viewer = self._viewer(client, lambda _status: changed.set())
        hearing = asyncio.create_task(self._hear_all(viewer), name="feed entries")
        tasks = [hearing]
        for companion in self._companions(client):
            tasks.append(asyncio.create_task(companion))
            tasks[-1].add_done_callback(_tell_defect)
        last_told_s = time.monotonic()
        try:
            while not hearing.done():
                looking = asyncio.create_task(changed.wait())
                await asyncio.wait(
                    {hearing, looking},
                    timeout=_LOOK_EVERY_S,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                looking.cancel()
                changed.clear()
                self._look(viewer)
                if self._kubeconfig.touched() and self._kubeconfig.read() != client.config:
                    return "the kubeconfig has changed"
                if self.state.connected:
                    last_told_s = time.monotonic()
                elif time.monotonic() - last_told_s > GIVE_UP_S:
                    # Is it the cluster, or only its taps? Raises when the cluster is away.
                    await client.list("nodes")
                    last_told_s = time.monotonic()
            hearing.result()
            return "the stream of entries ended"
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _hear_all(self, viewer: AnyViewer) -> None:
        async with contextlib.aclosing(viewer.entries()) as entries:
            async for entry in entries:
                self._hear(entry)

    def _look(self, viewer: AnyViewer) -> None:
        """Note how the nodes' streams stand."""
        state = self.state
        # Copies: the viewer changes its own.
        state.nodes = {
            name: replace(node, problem=plain(node.problem)) for name, node in viewer.nodes.items()
        }
        problems = [f"{node.name}: {node.problem}" for node in state.nodes.values() if node.problem]
        if any(node.connected for node in state.nodes.values()):
            state.connected, state.problem, state.retry_at_s = True, "", None
        elif state.connected or problems:
            # The viewer tries again by itself.
            state.connected, state.retry_at_s = False, None
            state.problem = problems[0] if problems else "the cluster has no nodes"
        self._on_change()


def plain(problem: str) -> str:
    """A problem without what only its finder needs: the request, and the parser's view."""
    told = _REQUEST.sub("", problem)
    return "the connection broke" if told.startswith(_BROKEN) else told


def _tell_defect(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("what goes with the feed ended: %s", error, exc_info=error)
