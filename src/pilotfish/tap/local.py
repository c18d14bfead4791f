"""Views the traffic of this machine, with names from any Kubernetes API server.

For nodes that run no worker: the capture is made here, by root, and nothing is installed.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

import orjson

from pilotfish.client.api import Client
from pilotfish.network import links
from pilotfish.network.netlink import Netlink
from pilotfish.objects.meta import name_of
from pilotfish.tap.entry import Entry
from pilotfish.tap.files.frame import Frame
from pilotfish.tap.files.pcapng import PcapngStream
from pilotfish.tap.identity import node_addresses
from pilotfish.tap.session import Session
from pilotfish.tap.viewer import NodeStatus
from pilotfish.tap.viewing import EntryViewer, PacketViewer


@dataclass
class Recording:
    """Packets that are wanted beside the entries.

    Attributes:
        viewer: which of them.
        on_frame: hears each.
    """

    viewer: PacketViewer
    on_frame: Callable[[Frame], None]

    async def follow(self, session: Session) -> None:
        """Hand on packets until cancelled."""
        stream = PcapngStream()
        async with session.viewing(self.viewer):
            async for piece in self.viewer.outbox.batches():
                for frame in stream.feed(piece):
                    self.on_frame(frame)


class LocalViewer:
    """Captures in the network namespace of the thread that views. As `viewer.Viewer`.

    Attributes:
        nodes: how the capture stands: one node, this one.
    """

    def __init__(
        self,
        client: Client,
        matches: Callable[[Entry], bool],
        probes: bool = False,
        redact: bool = True,
        record: Recording | None = None,
    ) -> None:
        """Make a viewer of this machine.

        Args:
            client: to the API server, for names.
            matches: which entries to see.
            probes: whether to see the kubelet's probes.
            redact: whether secrets are blackened out.
            record: which packets are wanted as well, and who hears them.
        """
        self.nodes: dict[str, NodeStatus] = {}
        self._client = client
        self._viewer = EntryViewer(matches, probes, redact)
        self._record = record

    async def entries(self) -> AsyncGenerator[Entry, None]:
        """What is seen, until the iterator is closed.

        Raises:
            ApiError, Unreachable: where the API server does not answer when it begins.
            PermissionError: without CAP_NET_RAW and CAP_NET_ADMIN.
        """
        own = _own_addresses()
        status = NodeStatus(await self._node_name(own), connected=True)
        self.nodes[status.name] = status
        session = Session(self._client, status.name, own)
        tasks = [asyncio.create_task(session.run(), name="tap session")]
        if self._record is not None:
            tasks.append(asyncio.create_task(self._record.follow(session), name="tap packets"))
        try:
            async with session.viewing(self._viewer):
                async for batch in self._viewer.outbox.batches():
                    for line in batch.splitlines():
                        entry = orjson.loads(line)
                        if "worker" not in entry:
                            yield entry
                            continue
                        counters = entry["worker"].items()
                        status.counters = {key: n for key, n in counters if isinstance(n, int)}
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _node_name(self, own: frozenset[str]) -> str:
        """The Node that this machine is; its host name where it is none."""
        for node in (await self._client.list("nodes"))["items"]:
            if own.intersection(node_addresses(node)):
                return name_of(node)
        return socket.gethostname()


def _own_addresses() -> frozenset[str]:
    with Netlink() as netlink:
        return frozenset(address.partition("/")[0] for _, address in links.addresses(netlink))
