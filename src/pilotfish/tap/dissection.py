"""Frames in, exchanges out: the one entry point of live capture and capture files.

Joins the assembler of TCP connections, the tracker of UDP flows and ICMP
errors, and the dissectors.
"""

from __future__ import annotations

from collections.abc import Callable

from pilotfish.tap import packets, protocols
from pilotfish.tap.connection import Connection, Listener
from pilotfish.tap.conversation import Context, Conversation, Emit
from pilotfish.tap.datagram_conversation import DatagramConversation
from pilotfish.tap.datagrams import DatagramListener, Datagrams, Flow, IcmpError, icmp_error
from pilotfish.tap.key_log import KeyLog
from pilotfish.tap.memory import Memory
from pilotfish.tap.streams import Assembler, Enters

Feed = Callable[..., None]


class Dissection:
    """Takes frames, and emits the exchanges found in them.

    Attributes:
        feed: takes the next frame; see `Assembler.feed`. (It is that method itself: a
            wrapper would be the most expensive line of the tap.)
        memory: what all connections and flows may keep together.
    """

    def __init__(
        self, emit: Emit, enters: Enters | None = None, keys: KeyLog | None = None
    ) -> None:
        """Make a dissection.

        Args:
            emit: hears every exchange, in the order in which they end.
            enters: says which connections begin here, where a packet is captured on several
                interfaces: called with source address, target address, target port, interface
                index, and whether the packet goes out there. None: all do.
            keys: secrets with which TLS is decrypted.
        """
        self._emit = emit
        self._keys = keys
        self.memory = Memory()
        self._datagrams = Datagrams(self._listen_datagrams, self._icmp_error, enters, self.memory)
        self._assembler = Assembler(self._listen, self._datagrams.feed, enters, self.memory)
        self.feed = self._assembler.feed

    @property
    def frames(self) -> int:
        """How many frames were fed."""
        return self._assembler.frames

    @property
    def undecoded(self) -> int:
        """How many of them held no IP packet, or a broken one."""
        return self._assembler.undecoded

    def entered_by(self, packet: packets.Packet, interface: int) -> bool:
        """Whether a packet that was fed belongs to what entered by that interface.

        ICMP errors belong to the connection that they are about.
        """
        if packet.protocol in (packets.ICMP, packets.ICMPV6):
            error = icmp_error(packet)
            if error is None:
                return False
            key, protocol = error.key, error.protocol
        else:
            key = packet.source + packet.target + packet.payload[:4]
            protocol = packet.protocol
        tracker = self._assembler if protocol == packets.TCP else self._datagrams
        return tracker.interface_of(key) == interface

    def sweep(self, time_s: float) -> None:
        """Let go of what is over; call it about every second where no frames come."""
        self._assembler.sweep(time_s)
        self._datagrams.sweep(time_s)

    def finish(self, time_s: float) -> None:
        """The capture is over: what is open ends here."""
        self._assembler.finish(time_s)
        self._datagrams.finish(time_s)

    def _listen(self, connection: Connection) -> Listener:
        context = Context(self._emit, connection, protocols, self._keys)
        return Conversation(connection, context)

    def _listen_datagrams(self, flow: Flow) -> DatagramListener:
        return DatagramConversation(flow, self._emit, protocols.DATAGRAMS)

    def _icmp_error(self, error: IcmpError, time_s: float) -> None:
        if error.protocol == packets.TCP:
            self._assembler.icmp_error(error.key, error.reason, time_s)
