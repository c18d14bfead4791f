"""A TCP connection as the tap sees it: its two streams, and who listens to what is said."""

from __future__ import annotations

from typing import Protocol

from pilotfish.tap.bytestream import ByteStream
from pilotfish.tap.memory import PIECE_BYTES

CLIENT, SERVER = 0, 1

# How a connection ended: "closed", "reset", "refused", "timed out" (no server answered), "lost"
# (the capture lost sight of it), "icmp …" where an ICMP error answered the SYN, "open" when the
# capture ended before it.
End = str


class Listener(Protocol):
    """Who hears what happens on one connection; times are seconds since 1970."""

    @property
    def kept(self) -> int:
        """How many bytes of what was said are in memory, about; see `memory`."""

    def opened(self, time_s: float) -> None:
        """The three-way handshake is through."""

    def data(self, side: int, payload: bytes, time_s: float) -> None:
        """Bytes in order, sent by `side` (CLIENT or SERVER)."""

    def gap(self, side: int, missing: int, time_s: float) -> None:
        """`missing` bytes that `side` sent were not captured."""

    def closed(self, side: int, time_s: float) -> None:
        """`side` sends no more (FIN)."""

    def ended(self, how: End, time_s: float) -> None:
        """Nothing more will be heard."""


class Half(ByteStream):
    """One side's stream, and the way from it to its connection."""

    __slots__ = ("closed", "connection", "first", "interface", "peer", "side")

    connection: Connection
    peer: Half
    interface: int

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side
        self.first = -1  # the number of its SYN; -1 where that was not captured
        self.closed = False  # the listener knows that it is finished


class Connection:
    """A TCP connection as the capture shows it.

    Attributes:
        client, server: addresses, 4 or 16 bytes. The client sent the SYN, or has
            the higher port where the beginning was not captured.
        whole: whether the beginning was captured.
        first_s, last_s: times of the first and the last segment.
        established_s: when the handshake was through; None until then.
        packets, octets: segments and payload bytes on the wire, by side.
        reset_ttl: the time to live that the reset had left; 0 where nobody knows.
        led_to: address and port to which its SYN was seen translated, or None.
        icmp: what the last ICMP error about it said ("port unreachable"); "" without one.
        end: how it ended; "" while it has not.
        kept: what it costs in memory, bytes, as last measured; see `memory`.
        interface: index of the interface it was captured on; 0 in a file.
    """

    __slots__ = (
        "client",
        "client_port",
        "end",
        "established_s",
        "first_s",
        "halves",
        "icmp",
        "interface",
        "kept",
        "keys",
        "last_s",
        "led_to",
        "listener",
        "octets",
        "packets",
        "reset_ttl",
        "server",
        "server_port",
        "whole",
    )

    listener: Listener

    def __init__(
        self,
        client: bytes,
        client_port: int,
        server: bytes,
        server_port: int,
        time_s: float,
        interface: int = 0,
    ) -> None:
        self.client = client
        self.client_port = client_port
        self.server = server
        self.server_port = server_port
        self.first_s = self.last_s = time_s
        self.established_s: float | None = None
        self.whole = False
        self.packets = [0, 0]
        self.octets = [0, 0]
        self.reset_ttl = 0
        self.led_to: tuple[bytes, int] | None = None
        self.icmp = ""
        self.end: End = ""
        self.interface = interface
        self.kept = 0
        self.keys = (b"", b"")
        self.halves: tuple[Half, ...] = self._streams()

    def measure(self) -> int:
        """What is kept of what was said: by the listener, and what came early; bytes, about."""
        early = sum(
            half.waiting_bytes + PIECE_BYTES * len(half.waiting)
            for half in self.halves
            if half.waiting
        )
        return self.listener.kept + early

    def _streams(self) -> tuple[Half, ...]:
        """What both sides send, by side."""
        client, server = Half(CLIENT), Half(SERVER)
        client.interface = server.interface = self.interface
        client.connection = server.connection = self
        client.peer, server.peer = server, client
        return client, server
