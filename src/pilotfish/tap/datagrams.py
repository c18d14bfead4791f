"""UDP datagrams → flows with a client and a server; ICMP errors → whom they concern.

Sans-I/O, the counterpart of `streams` for packets that are not TCP. The client
of a UDP flow is who spoke first, unless the ports say that the capture began
between question and answer.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from struct import Struct
from typing import NamedTuple, Protocol

from pilotfish.tap import packets
from pilotfish.tap.connection import CLIENT, SERVER, Connection, Half
from pilotfish.tap.memory import Memory
from pilotfish.tap.packets import Packet
from pilotfish.tap.streams import MAX_ELSEWHERE, Enters

MAX_FLOWS = 50_000
# As long as the kernel's connection tracking keeps a UDP stream (nf_conntrack_udp_timeout_stream).
IDLE_TIMEOUT_S = 120.0
_SWEEP_EVERY_S = 1.0
# Where answers came for so long and nobody asked, whoever sends them is a client with a port of
# its own choice.
UNASKED_S = 2.0
_MAX_UNASKED = 4096
# Linux gives clients a port from here on (ip_local_port_range); below 1024 only root serves.
_FIRST_EPHEMERAL, _FIRST_UNPRIVILEGED = 32768, 1024

_udp_header = Struct("!HHHH").unpack_from
_ports = Struct("!HH").unpack_from

# RFC 792 and RFC 4443: the codes of "destination unreachable" that say more than that.
_UNREACHABLE_V4 = {
    0: "network unreachable",
    1: "host unreachable",
    2: "protocol unreachable",
    3: "port unreachable",
    4: "packet too big",
    9: "administratively prohibited",
    10: "administratively prohibited",
    13: "administratively prohibited",
}
_UNREACHABLE_V6 = {
    0: "no route",
    1: "administratively prohibited",
    3: "address unreachable",
    4: "port unreachable",
    6: "route rejected",
}


class DatagramListener(Protocol):
    """Who hears what is said on one UDP flow; times are seconds since 1970.

    Attributes:
        idle_timeout_s: how long after its last datagram the flow is over.
    """

    idle_timeout_s: float

    @property
    def kept(self) -> int:
        """How many bytes of what was said are in memory, about; see `memory`."""

    def datagram(self, side: int, payload: bytes, time_s: float) -> None:
        """A datagram that `side` sent."""

    def failed(self, reason: str, time_s: float) -> None:
        """An ICMP error answered the last datagram: "icmp port unreachable", …"""

    def ended(self, how: str, time_s: float) -> None:
        """Nothing more will be heard."""


class IcmpError(NamedTuple):
    """An ICMP error: what is wrong, said by whom, about which packet.

    Attributes:
        reason: "port unreachable", "time exceeded", …
        reporter: the address that sent the error.
        key: addresses and ports of the packet it is about, as that packet had them.
        protocol: IP protocol number of that packet.
    """

    reason: str
    reporter: bytes
    key: bytes
    protocol: int


class Flow(Connection):
    """A UDP flow; it is never established, and never closed."""

    __slots__ = ("datagrams",)

    datagrams: DatagramListener

    def measure(self) -> int:
        """As of every connection."""
        return self.datagrams.kept

    def _streams(self) -> tuple[Half, ...]:
        """Datagrams make no stream."""
        return ()


class Datagrams:
    """Takes IP packets that are not TCP; other protocols than UDP and ICMP are passed over."""

    def __init__(
        self,
        listen: Callable[[Flow], DatagramListener],
        error: Callable[[IcmpError, float], None],
        enters: Enters | None = None,
        memory: Memory | None = None,
    ) -> None:
        """Make a tracker.

        Args:
            listen: makes the listener of a flow that is seen for the first time.
            error: hears ICMP errors that are not about a flow.
            enters: says which flows begin here, as for the Assembler.
            memory: the budget, where it is shared. Its owner has it measured.
        """
        self._listen = listen
        self._error = error
        self._enters = enters
        self._flows: OrderedDict[bytes, tuple[Flow, int]] = OrderedDict()
        # Keys of both directions of flows that do not begin here, and when they last spoke.
        self._elsewhere: dict[bytes, float] = {}
        # Keys of what looks like answers to a question that was not captured, since when.
        self._unasked: dict[bytes, float] = {}
        self._next_sweep_s = 0.0
        self._memory = memory or Memory()
        self._memory.trackers.append(self)

    def everyone(self) -> Iterable[Connection]:
        """All flows that are remembered."""
        return [flow for flow, side in self._flows.values() if side == CLIENT]

    def lose(self, connection: Connection, time_s: float) -> None:
        """Forget a flow, for want of memory."""
        self._forget(connection.keys[CLIENT], time_s)

    def feed(
        self, packet: Packet, time_s: float, interface: int = 0, outgoing: bool = False
    ) -> None:
        """Take a whole packet; `interface` and `outgoing` as the Assembler's."""
        if packet.protocol == packets.UDP and len(packet.payload) >= 8:
            self._udp(packet, time_s, interface, outgoing)
        elif packet.protocol in (packets.ICMP, packets.ICMPV6):
            error = icmp_error(packet)
            if error is not None:
                self._failed(error, time_s)
        self.sweep(time_s)

    def sweep(self, time_s: float) -> None:
        """Forget what is over; call it now and then where no packets come."""
        if time_s >= self._next_sweep_s:
            self._sweep(time_s)

    def interface_of(self, key: bytes) -> int | None:
        """As the Assembler's."""
        found = self._flows.get(key)
        return found[0].interface if found is not None else None

    def finish(self, time_s: float) -> None:
        """The capture is over."""
        while self._flows:
            self._forget(next(iter(self._flows)), time_s)

    def _failed(self, error: IcmpError, time_s: float) -> None:
        found = self._flows.get(error.key) if error.protocol == packets.UDP else None
        if found is None:
            self._error(error, time_s)
            return
        flow, _ = found
        flow.icmp = error.reason
        flow.datagrams.failed(f"icmp {error.reason}", time_s)

    def _udp(self, packet: Packet, time_s: float, interface: int, outgoing: bool) -> None:
        source_port, target_port, length, _ = _udp_header(packet.payload)
        key = packet.source + packet.target + packet.payload[:4]
        found = self._flows.get(key)
        if found is None:
            back = packet.target + packet.source + key[-2:] + key[-4:-2]
            answers = is_answer(source_port, target_port)
            if self._enters is not None:
                known = key in self._elsewhere
                if answers and not known and self._waits_for_question(key, time_s):
                    return
                answers = False
            if self._is_elsewhere(key, back, packet.source, time_s, interface, outgoing):
                return
            keys = (back, key) if answers else (key, back)
            self._begin(keys, time_s, interface)
            found = self._flows[key]
        flow, side = found
        if flow.interface != interface:
            return  # the same packet, on its way through another interface
        flow.last_s = time_s
        flow.packets[side] += 1
        flow.octets[side] += max(packet.length - 8, 0)
        flow.datagrams.datagram(side, packet.payload[8 : max(length, 8)], time_s)

    def _is_elsewhere(
        self,
        key: bytes,
        back: bytes,
        source: bytes,
        time_s: float,
        interface: int,
        outgoing: bool,
    ) -> bool:
        """Whether a flow that is not known began, or begins, at another place."""
        if self._enters is None:
            return False
        last_s = self._elsewhere.pop(key, None)
        known = last_s is not None and time_s - last_s < IDLE_TIMEOUT_S
        target, port = key[len(source) : 2 * len(source)], int.from_bytes(key[-2:], "big")
        if not known and self._enters(source, target, port, interface, outgoing):
            return False
        self._elsewhere.pop(back, None)
        self._elsewhere[key] = self._elsewhere[back] = time_s
        while len(self._elsewhere) > MAX_ELSEWHERE:
            del self._elsewhere[next(iter(self._elsewhere))]
        return True

    def _waits_for_question(self, key: bytes, time_s: float) -> bool:
        """Whether to wait for the client's datagram, which shows where the flow enters."""
        since_s = self._unasked.pop(key, time_s)
        if UNASKED_S <= time_s - since_s < IDLE_TIMEOUT_S:
            return False
        self._unasked[key] = since_s if time_s - since_s < UNASKED_S else time_s
        if len(self._unasked) > _MAX_UNASKED:
            del self._unasked[next(iter(self._unasked))]
        return True

    def _begin(self, keys: tuple[bytes, bytes], time_s: float, interface: int) -> None:
        """Remember a flow, by the keys of its client's and its server's datagrams."""
        asked = keys[CLIENT]
        size = (len(asked) - 4) // 2
        client, server = asked[:size], asked[size : 2 * size]
        client_port, server_port = _ports(asked, 2 * size)
        flow = Flow(client, client_port, server, server_port, time_s, interface)
        flow.keys = keys
        self._flows[keys[SERVER]] = (flow, SERVER)
        self._flows[asked] = (flow, CLIENT)
        flow.datagrams = self._listen(flow)
        self._memory.begun(flow)
        if len(self._flows) > 2 * MAX_FLOWS:
            self._forget(next(iter(self._flows)), time_s)

    def _forget(self, key: bytes, time_s: float) -> None:
        flow, _ = self._flows[key]
        for each in flow.keys:
            self._flows.pop(each, None)
        self._memory.forgotten(flow)
        flow.end = "closed"
        flow.datagrams.ended("closed", time_s)
        del flow.datagrams  # which refers to the flow

    def _sweep(self, time_s: float) -> None:
        self._next_sweep_s = time_s + _SWEEP_EVERY_S
        # A part of them each time, so that a sweep takes no time worth naming.
        for key in [key for key, _ in zip(self._flows, range(512), strict=False)]:
            found = self._flows.get(key)
            if found is None:
                continue  # its other direction was forgotten just now
            flow = found[0]
            if time_s - flow.last_s < flow.datagrams.idle_timeout_s:
                self._flows.move_to_end(key)
            else:
                self._forget(key, time_s)


def is_answer(source_port: int, target_port: int) -> bool:
    """Whether the ports of a flow's first datagram say that its server sent it."""
    return (
        source_port < _FIRST_UNPRIVILEGED <= target_port
        or source_port < _FIRST_EPHEMERAL <= target_port
    )


def icmp_error(packet: Packet) -> IcmpError | None:
    """What an ICMP or ICMPv6 packet says is wrong; None for echoes and the like."""
    payload = packet.payload
    if len(payload) < 8:
        return None
    kind, code = payload[0], payload[1]
    if packet.protocol == packets.ICMP:
        reason = {3: _UNREACHABLE_V4.get(code, "unreachable"), 11: "time exceeded"}.get(kind)
        link_type = packets.IPV4
    else:
        reasons = {
            1: _UNREACHABLE_V6.get(code, "unreachable"),
            2: "packet too big",
            3: "time exceeded",
        }
        reason = reasons.get(kind)
        link_type = packets.IPV6
    about = packets.decode(payload[8:], link_type) if reason else None
    if reason is None or about is None or len(about.payload) < 4:
        return None
    key = about.source + about.target + about.payload[:4]
    return IcmpError(reason, packet.source, key, about.protocol)
