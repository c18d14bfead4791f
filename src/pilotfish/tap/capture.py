"""A capture on all interfaces of this network namespace, dissected as it goes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from pilotfish.tap import bpf
from pilotfish.tap.conntrack import TCP, UDP, Conntrack, Endpoint, Tuple
from pilotfish.tap.datagrams import Flow
from pilotfish.tap.dissection import Dissection
from pilotfish.tap.doorway import Doorway
from pilotfish.tap.interfaces import InterfaceFollower
from pilotfish.tap.packets import ETHERNET, Packet, decode
from pilotfish.tap.ring import CapturedFrame, Ring

if TYPE_CHECKING:
    from pilotfish.tap.connection import Connection
    from pilotfish.tap.exchange import Exchange

log = logging.getLogger(__name__)

# How long the capture works before others get their turn: viewers wait no longer than this.
TURN_S = 0.02
# Of a mebibyte each: what is captured while others have the processor.
RING_BLOCKS = 64
_FAILURES_LOGGED = 10
# The clock is looked at every so many frames.
_FRAMES_BETWEEN_LOOKS = 64


class Route(NamedTuple):
    """A connection's way.

    Attributes:
        passing: it seems to begin at this node, but it entered elsewhere: the node put its own
            address in place of the client's.
        asked: what the client asked for, where that cannot be seen any more in the packets.
        endpoint: what was chosen; None where there was nothing to choose.
    """

    passing: bool = False
    asked: Endpoint | None = None
    endpoint: Endpoint | None = None


class Capture:
    """Runs from the moment it is made, on the thread that made it.

    Attributes:
        doorway: which connections enter here. The caller tells it about the cluster; about this
            node it is told here.
        frames: how many were read.
        failed: those on which a dissector failed; a fault of ours, and logged.
        on_packet: hears every frame of what entered here, each once, with its packet; None
            while nobody wants them.
    """

    def __init__(
        self,
        emit: Callable[[Exchange], None],
        node_addresses: Iterable[bytes] = (),
        pod_networks: Iterable[tuple[bytes, int]] = (),
    ) -> None:
        """Open the capture.

        Args:
            emit: hears the exchanges of connections that entered here.
            node_addresses: those of the node with which the control plane talks: that talk is
                not captured.
            pod_networks: the ranges of Pod addresses, as of now: what passes between them on
                its way through this node is not captured.

        Raises:
            PermissionError: without CAP_NET_RAW and CAP_NET_ADMIN.
        """
        self.frames = 0
        self.failed = 0
        self.doorway = Doorway()
        self.on_packet: Callable[[CapturedFrame, Packet], None] | None = None
        self._dissection = Dissection(emit, self.doorway.enters)
        self._interfaces = InterfaceFollower()
        self._conntrack = Conntrack()
        self._conntrack_works = True
        outer_links = self._interfaces.present.outer_links
        accept = bpf.program(node_addresses, outer_links=outer_links, pod_networks=pod_networks)
        self._ring = Ring(accept, blocks=RING_BLOCKS)
        self._waiting: Iterator[CapturedFrame] | None = None
        self._tell_doorway()

    @property
    def interface_names(self) -> dict[int, str]:
        """Interface names by index, as of now."""
        return self._interfaces.present.names

    def fileno(self) -> int:
        """Readable when frames wait: then call `work`."""
        return self._ring.fileno()

    def interfaces_fileno(self) -> int:
        """Readable when interfaces changed: then call `follow_interfaces`."""
        return self._interfaces.fileno()

    def work(self) -> bool:
        """Dissect the frames that wait, for at most `TURN_S`; whether more of them wait."""
        until_s = time.monotonic() + TURN_S
        feed, count = self._dissection.feed, 0
        frames = self._waiting or self._ring.read()
        self._waiting = None
        for frame in frames:
            time_s, data, _, interface, outgoing = frame
            try:
                feed(time_s, data, ETHERNET, interface, outgoing)
            except Exception:
                # One packet must not keep all others from being seen.
                self.failed += 1
                if self.failed <= _FAILURES_LOGGED:
                    log.exception("a packet could not be dissected: %s", data[:1500].hex())
            if self.on_packet is not None:
                packet = decode(data)
                if packet is not None and self._dissection.entered_by(packet, interface):
                    self.on_packet(frame, packet)
            count += 1
            if not count % _FRAMES_BETWEEN_LOOKS and time.monotonic() > until_s:
                self._waiting = frames
                break
        self.frames += count
        return self._waiting is not None

    def sweep(self) -> None:
        """Let go of what is over; call it about every second."""
        self._dissection.sweep(time.time())

    def follow_interfaces(self) -> None:
        """Take notice of what changed about interfaces and addresses."""
        self._interfaces.refresh()
        self._tell_doorway()

    def count_dropped(self) -> int:
        """Packets that the kernel found no room for, since the beginning."""
        return self._ring.count_dropped()

    def route_of(self, connection: Connection) -> Route:
        """Where a connection came from and where it was led, as connection tracking knows it."""
        if not self._conntrack_works:
            return Route()
        try:
            return self._route_of(connection)
        except OSError as error:
            self._conntrack_works = False
            log.warning("which Pods are chosen cannot be told: %s", error)
            return Route()

    def _route_of(self, connection: Connection) -> Route:
        flow = Tuple(
            connection.client, connection.client_port, connection.server, connection.server_port
        )
        protocol = UDP if isinstance(connection, Flow) else TCP
        own = self._interfaces.present.addresses
        if connection.client not in own:
            chosen = self._conntrack.endpoint(flow, protocol)
            if chosen is None and not isinstance(connection, Flow) and connection.led_to:
                chosen = Endpoint(*connection.led_to)
            return Route(endpoint=chosen)
        # What leaves the node with its own address has been translated already.
        original = self._conntrack.original(flow, protocol)
        if original is None or original.source not in own:
            return Route(passing=original is not None)
        if (original.target, original.target_port) == (connection.server, connection.server_port):
            return Route()
        return Route(
            asked=Endpoint(original.target, original.target_port),
            endpoint=Endpoint(connection.server, connection.server_port),
        )

    def close(self) -> None:
        """End it. Connections that are open are not told any more."""
        self._ring.close()
        self._conntrack.close()
        self._interfaces.close()

    def _tell_doorway(self) -> None:
        present = self._interfaces.present
        self.doorway.pod_links = present.pod_links
        self.doorway.outer_links = present.outer_links
        self.doorway.own = present.addresses
