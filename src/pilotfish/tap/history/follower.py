"""Follows the packets of all nodes, as `viewer.Viewer` follows their entries.

Nodes come and go, their workers are restarted, the API server too: a stream that ends is opened
again, after a pause that doubles up to `MAX_PAUSE_S`, for as long as the node is there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from pilotfish.client.api import Client
from pilotfish.client.errors import ApiError, Forbidden, Unreachable
from pilotfish.client.informer import Informer
from pilotfish.objects.meta import Object, name_of
from pilotfish.tap.files.frame import CaptureFileError, Frame
from pilotfish.tap.files.pcapng import PcapngStream
from pilotfish.tap.viewer import FIRST_PAUSE_S, MAX_PAUSE_S, packets_path

log = logging.getLogger(__name__)

# The right to see packets seldom comes a moment later.
FORBIDDEN_PAUSE_S = 60.0


class PacketFollower:
    """Hears every packet that the nodes' workers see, while it runs."""

    def __init__(self, client: Client, hear: Callable[[Frame], None]) -> None:
        """Make a follower.

        Args:
            client: to the API server.
            hear: is called with each packet; those of one node come in order of time.
        """
        self._client = client
        self._hear = hear
        self._streams: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Follow, until cancelled."""
        informer = Informer(self._client, "nodes")
        informer.on_change(self._node_changed)
        try:
            await informer.run()
        finally:
            for task in self._streams.values():
                task.cancel()
            await asyncio.gather(*self._streams.values(), return_exceptions=True)

    def _node_changed(self, old: Object | None, new: Object | None) -> None:
        if new is None and old is not None:
            stream = self._streams.pop(name_of(old), None)
            if stream is not None:
                stream.cancel()
        elif new is not None and name_of(new) not in self._streams:
            name = name_of(new)
            self._streams[name] = asyncio.create_task(self._follow(name), name=f"packets {name}")

    async def _follow(self, node: str) -> None:
        pause_s, told = FIRST_PAUSE_S, False
        while True:
            stream = PcapngStream()
            try:
                async for piece in self._client.stream(packets_path(node)):
                    pause_s, told = FIRST_PAUSE_S, False
                    for frame in stream.feed(piece):
                        self._hear(frame)
            except (ApiError, Unreachable, CaptureFileError) as error:
                if not told:
                    log.warning("packets of %s are missing, trying again: %s", node, error)
                told = True
                if isinstance(error, Forbidden):
                    pause_s = FORBIDDEN_PAUSE_S
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, MAX_PAUSE_S)
