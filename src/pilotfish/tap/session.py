"""A tap session: one capture, and those who view it, each with a filter of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from pilotfish.client.api import Client
from pilotfish.network.message import text_address
from pilotfish.tap.capture import Capture
from pilotfish.tap.conntrack import Endpoint
from pilotfish.tap.entry import Entry, LazyEntry
from pilotfish.tap.identity import Identity
from pilotfish.tap.naming import Naming
from pilotfish.tap.packets import TCP, UDP, Packet
from pilotfish.tap.ring import CapturedFrame
from pilotfish.tap.streams import Connection
from pilotfish.tap.viewing import EntryViewer, PacketViewer

if TYPE_CHECKING:
    from pilotfish.tap.exchange import Exchange

log = logging.getLogger(__name__)

STATUS_EVERY_S = 1.0
# Connection tracking is asked again about connections that were forgotten.
_MAX_CONNECTIONS = 4096


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
        self._sequence = 0
        self._connections: OrderedDict[int, _Led] = OrderedDict()

    @property
    def viewers(self) -> int:
        """How many look."""
        return len(self._viewers) + len(self._packet_viewers)

    async def run(self) -> None:
        """Keep names up to date, and tell viewers how things stand, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._naming.run(), name="tap names")
            await self._naming.wait_synced()
            self._naming.on_change(self._tell_doorway)
            while True:
                await asyncio.sleep(STATUS_EVERY_S)
                if self._capture is not None:
                    self._capture.sweep()
                self._tell_status()

    def status(self) -> dict[str, Any]:
        """Counters since the capture began: see docs/reference/tap.md."""
        capture = self._capture
        return {
            "node_name": self._node_name,
            "packets": capture.frames if capture else 0,
            "dropped": capture.count_dropped() if capture else 0,
            "entries": self._sequence,
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
            capture = Capture(self._on_exchange, self._naming.internal_addresses(self._node_name))
            self._capture = capture
            self._tell_doorway()
            loop = asyncio.get_running_loop()
            loop.add_reader(capture.fileno(), capture.work)
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
        self._connections.clear()

    def _tell_doorway(self) -> None:
        if self._capture is not None:
            doorway = self._capture.doorway
            doorway.nodes = self._naming.node_addresses()
            doorway.set_pod_networks(self._naming.pod_networks())
            doorway.node_ports = self._naming.node_ports()

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
        if not self._viewers or self._capture is None:
            return
        led = self._led(self._capture, exchange.connection)
        if led.passing:
            return
        self._sequence += 1
        identity = self._naming.identity
        entry = LazyEntry(exchange, identity, led.endpoint, self._node_name, self._sequence)
        if exchange.protocol == "dns":
            _note_look_up(identity, entry, exchange.end_s)
        line = b""
        for viewer in self._viewers:
            if viewer.wants(entry):
                line = line or orjson.dumps(entry.whole(), option=orjson.OPT_APPEND_NEWLINE)
                viewer.outbox.put(line)

    def _led(self, capture: Capture, connection: Connection) -> _Led:
        """What connection tracking knows; asked once for each connection."""
        led = self._connections.get(id(connection))
        if led is None or led.connection is not connection:
            passing = capture.is_passing(connection)
            led = _Led(connection, passing, None if passing else capture.endpoint(connection))
            self._connections[id(connection)] = led
            if len(self._connections) > _MAX_CONNECTIONS:
                self._connections.popitem(last=False)
        return led


class _Led(NamedTuple):
    connection: Connection
    passing: bool  # it entered elsewhere
    endpoint: Endpoint | None


def _ports(packet: Packet) -> tuple[int, int]:
    if packet.protocol not in (TCP, UDP) or len(packet.payload) < 4:
        return 0, 0
    return int.from_bytes(packet.payload[:2], "big"), int.from_bytes(packet.payload[2:4], "big")


def _note_look_up(identity: Identity, entry: Entry, time_s: float) -> None:
    """Link what the client will do with the answer to this look-up."""
    response = entry["response"] or {}
    addresses = [
        record["data"]
        for record in response.get("answers") or ()
        if record["type"] in ("A", "AAAA")
    ]
    if addresses:
        look_up = {"name": response["name"], "answer": addresses[0], "id": entry["id"]}
        identity.note_look_up(entry["src"]["ip"], addresses, look_up, time_s)
