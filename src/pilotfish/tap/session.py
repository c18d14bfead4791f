"""A tap session: one capture, and those who view it, each with a filter of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING, Any

import orjson

from pilotfish.client.api import Client
from pilotfish.network.message import text_address
from pilotfish.tap.capture import TURN_S, Capture
from pilotfish.tap.entry import LazyEntry
from pilotfish.tap.entry_maker import EntryMaker
from pilotfish.tap.naming import Naming
from pilotfish.tap.packets import TCP, UDP, Packet
from pilotfish.tap.redaction import redacted
from pilotfish.tap.ring import CapturedFrame
from pilotfish.tap.viewing import EntryViewer, PacketViewer

if TYPE_CHECKING:
    from pilotfish.tap.exchange import Exchange

log = logging.getLogger(__name__)

STATUS_EVERY_S = 1.0
# How long entries are made at a time while packets wait.
_BUSY_TURN_S = 0.004


class Session:
    """Captures while it has viewers. Everything happens in one event loop."""

    def __init__(self, client: Client, node_name: str, host_addresses: Iterable[str] = ()) -> None:
        """Make one that does nothing yet.

        Args:
            client: to the API server, for names.
            node_name: the node whose namespace this is.
            host_addresses: of the machine, which the cluster knows as "host".
        """
        self._node_name = node_name
        self._naming = Naming(client, host_addresses)
        self._capture: Capture | None = None
        self._viewers: set[EntryViewer] = set()
        self._packet_viewers: set[PacketViewer] = set()
        self._maker = EntryMaker(self._naming.identity, node_name, self._deliver)
        self._making: asyncio.Handle | None = None
        self._telling: asyncio.Handle | None = None
        self._busy = False  # more packets wait than one turn of the capture took

    @property
    def viewers(self) -> int:
        """How many look."""
        return len(self._viewers) + len(self._packet_viewers)

    async def run(self) -> None:
        """Keep names up to date, and tell viewers how things stand, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._naming.run(), name="tap names")
            await self._naming.wait_synced()
            self._naming.on_change(self._tell_doorway_soon)
            while True:
                await asyncio.sleep(STATUS_EVERY_S)
                if self._capture is not None:
                    self._capture.sweep()
                self._tell_status()

    def status(self) -> dict[str, Any]:
        """Counters since the capture began: see docs/reference/tap-workers.md."""
        capture = self._capture
        return {
            "node_name": self._node_name,
            "packets": capture.frames if capture else 0,
            "dropped": capture.count_dropped() if capture else 0,
            "failed": capture.failed if capture else 0,
            "entries": self._maker.made,
            "skipped": self._maker.skipped,
            "viewers": self.viewers,
        }

    @contextlib.asynccontextmanager
    async def viewing(self, viewer: EntryViewer | PacketViewer) -> AsyncIterator[None]:
        """Let a viewer look for as long as the block lasts."""
        # Before it is known what is a Pod and what is a node, nobody can say what enters here.
        await self._naming.wait_synced()
        capture = self._started()
        if isinstance(viewer, PacketViewer):
            self._packet_viewers.add(viewer)
            capture.on_packet = self._on_packet
        else:
            self._viewers.add(viewer)
            viewer.tell({"worker": self.status() | {"lost": 0}})
        try:
            yield
        finally:
            self._viewers.discard(viewer)
            self._packet_viewers.discard(viewer)
            if not self._packet_viewers:
                capture.on_packet = None
            if not self.viewers:
                self._stop()

    def _started(self) -> Capture:
        if self._capture is None:
            capture = Capture(
                self._on_exchange,
                self._naming.internal_addresses(self._node_name),
                self._naming.pod_networks(),
            )
            self._capture = capture
            self._tell_doorway()
            loop = asyncio.get_running_loop()
            loop.add_reader(capture.fileno(), self._capture_works)
            loop.add_reader(capture.interfaces_fileno(), capture.follow_interfaces)
            log.info("the capture has begun")
        return self._capture

    def _stop(self) -> None:
        capture = self._capture
        if capture is None:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(capture.fileno())
        loop.remove_reader(capture.interfaces_fileno())
        dropped = capture.count_dropped()
        log.info("the capture is over: %d packets, %d dropped", capture.frames, dropped)
        capture.close()
        self._capture = None
        self._maker.forget()

    def _tell_doorway_soon(self) -> None:
        """Changes come by the thousand when everything is heard of for the first time."""
        if self._telling is None:
            self._telling = asyncio.get_running_loop().call_soon(self._tell_doorway)

    def _tell_doorway(self) -> None:
        self._telling = None
        if self._capture is not None:
            doorway = self._capture.doorway
            doorway.nodes = self._naming.node_addresses()
            doorway.set_pod_networks(self._naming.pod_networks())
            doorway.node_ports = self._naming.node_ports()
            doorway.services = self._naming.service_addresses()

    def _tell_status(self) -> None:
        status = self.status()
        for viewer in self._viewers:
            viewer.tell({"worker": status | {"lost": viewer.outbox.dropped}})

    def _on_packet(self, frame: CapturedFrame, packet: Packet) -> None:
        capture = self._capture
        if capture is None:
            return
        parties = [
            self._party(address, port, packet.protocol, frame.time_s)
            for address, port in zip((packet.source, packet.target), _ports(packet), strict=True)
        ]
        name = capture.interface_names.get(frame.interface, "")
        for viewer in self._packet_viewers:
            if any(viewer.wants(party) for party in parties):
                viewer.offer(frame, name)

    def _party(self, address: bytes, port: int, protocol: int, time_s: float) -> dict[str, Any]:
        transport = {TCP: "tcp", UDP: "udp"}.get(protocol, "")
        return self._naming.identity.server(text_address(address), port, transport, time_s)

    def _on_exchange(self, exchange: Exchange) -> None:
        if self._viewers and self._capture is not None:
            self._maker.add(exchange, self._capture)

    def _capture_works(self) -> None:
        """The capture goes first: entries can wait, packets cannot."""
        if self._capture is not None:
            self._busy = self._capture.work()
            self._make_soon()

    def _make_soon(self) -> None:
        if self._making is None:
            self._making = asyncio.get_running_loop().call_soon(self._make)

    def _make(self) -> None:
        self._making = None
        if self._maker.work(_BUSY_TURN_S if self._busy else TURN_S):
            self._make_soon()

    def _deliver(self, entry: LazyEntry) -> None:
        # Most often all viewers want it alike, or nobody does.
        lines: dict[bool, bytes] = {}
        for viewer in self._viewers:
            if not viewer.wants(entry):
                continue
            line = lines.get(viewer.redact)
            if line is None:
                shown = redacted(entry.whole()) if viewer.redact else entry.whole()
                line = lines[viewer.redact] = orjson.dumps(shown, option=orjson.OPT_APPEND_NEWLINE)
            viewer.outbox.put(line)


def _ports(packet: Packet) -> tuple[int, int]:
    if packet.protocol not in (TCP, UDP) or len(packet.payload) < 4:
        return 0, 0
    return int.from_bytes(packet.payload[:2], "big"), int.from_bytes(packet.payload[2:4], "big")
