"""Frames → TCP connections: who opened, what each side sent, how it ended.

Sans-I/O. This is the hot path of the tap: an ordinary segment costs one
dictionary look-up, by the twelve bytes of addresses and ports as they stand in
the packet; everything out of the ordinary goes to `bytestream`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from struct import Struct

from pilotfish.tap import packets
from pilotfish.tap.bytestream import Piece
from pilotfish.tap.connection import CLIENT, SERVER, Connection, End, Half, Listener
from pilotfish.tap.fragments import Reassembler
from pilotfish.tap.memory import Memory
from pilotfish.tap.packets import Packet

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10

MAX_CONNECTIONS = 50_000
# Of segments that came early, in all connections.
MAX_EARLY_BYTES = 64 * 1024 * 1024
IDLE_TIMEOUT_S = 3600.0
# A SYN is sent again after 1, 3, 7, 15 … s; people want to hear earlier than the 127 s after
# which Linux gives up (tcp_syn_retries), and whoever answered the fifth is rare.
UNANSWERED_TIMEOUT_S = 16.0
_LAST_SYN_TIMEOUT_S = 130.0
# What is closed is remembered for a while, so that late segments begin no new connection.
CLOSED_TIMEOUT_S = 2.0
_SWEEP_EVERY_S = 1.0

# Whether a connection or flow whose first packet has this source address, target address and
# target port begins here: the packet was captured on that interface (its index), going out
# (True) or coming in.
Enters = Callable[[bytes, bytes, int, int, bool], bool]

# What began elsewhere is remembered, so that the question is asked once.
MAX_ELSEWHERE = 100_000
_MAX_RECENT_SYNS = 4096

_MASK = (1 << 32) - 1
_segment_header = Struct("!IIBB").unpack_from
_ports = Struct("!HH").unpack_from


class Assembler:
    """Takes frames, and tells listeners what happens on their connections.

    Attributes:
        frames: how many were fed.
        undecoded: those that held no IP packet, or a broken one.
    """

    def __init__(
        self,
        listen: Callable[[Connection], Listener],
        other: Callable[[Packet, float, int, bool], None],
        enters: Enters | None = None,
        memory: Memory | None = None,
    ) -> None:
        """Make an assembler.

        Args:
            listen: makes the listener of a connection that is seen for the first time.
            other: hears every IP packet that is not TCP, defragmented, with its time, its
                interface and whether it went out there.
            enters: says which connections begin here, where a packet is captured on several
                interfaces; asked once for each. None: all do.
            memory: the budget, where it is shared.
        """
        self.frames = 0
        self.undecoded = 0
        self._memory = memory or Memory()
        self._memory.trackers.append(self)
        self._listen = listen
        self._on_other = other
        # By addresses and ports as they stand in the packet: one entry a direction.
        self._halves: dict[bytes, Half] = {}
        # By the client's key; those that were looked at longest ago come first.
        self._connections: OrderedDict[bytes, Connection] = OrderedDict()
        self._ended: OrderedDict[bytes, float] = OrderedDict()
        self._enters = enters
        # Keys of both directions of connections that do not begin here.
        self._elsewhere: dict[bytes, None] = {}
        # Sequence numbers of the last SYNs that began a connection, with its client's key.
        self._syns: dict[int, bytes] = {}
        self._early_bytes = 0
        self._fragments = Reassembler()
        self._next_sweep_s = 0.0

    def feed(
        self,
        time_s: float,
        frame: bytes,
        link_type: int = packets.ETHERNET,
        interface: int = 0,
        outgoing: bool = False,
    ) -> None:
        """Take the next frame of the capture.

        Args:
            time_s: when it was captured, seconds since 1970.
            frame: the frame, as far as it was captured.
            link_type: LINKTYPE_… of capture files.
            interface: index of the interface that captured it; 0 where nobody knows.
            outgoing: whether it went out there.
        """
        self.frames += 1
        # Nearly all traffic has one shape, and needs no general decoder: Ethernet,
        # IPv4 without options, not a fragment, TCP.
        if (
            link_type == 1
            and frame[12:15] == b"\x08\x00\x45"
            and len(frame) >= 54
            and frame[23] == 6
            and not frame[20] & 0x3F
            and not frame[21]
        ):
            total = (frame[16] << 8) | frame[17]
            end = 14 + total if total else len(frame)
            self._segment(frame[26:38], frame, 34, end, time_s, interface, outgoing)
        else:
            self._uncommon(frame, link_type, time_s, interface, outgoing)
        if time_s >= self._next_sweep_s:
            self._sweep(time_s)
        memory = self._memory
        memory.allowance -= len(frame)
        if memory.allowance < 0:
            memory.measure(time_s)

    def everyone(self) -> Iterable[Connection]:
        """All connections that are remembered."""
        return self._connections.values()

    def lose(self, connection: Connection, time_s: float) -> None:
        """Forget a connection, for want of memory."""
        self._forget(connection, "lost", time_s)

    def finish(self, time_s: float) -> None:
        """The capture is over: connections that are open end here."""
        for connection in list(self._connections.values()):
            unanswered = connection.whole and connection.halves[SERVER].next == -1
            self._forget(connection, "timed out" if unanswered else "open", time_s)

    def icmp_error(self, key: bytes, reason: str, time_s: float) -> bool:
        """An ICMP error about a packet with this key; whether its connection is known.

        It ends a connection that is not established (as Linux does: tcp_v4_err); to
        another one it is only a remark.
        """
        half = self._halves.get(key)
        if half is None:
            return False
        connection = half.connection
        connection.icmp = reason
        if connection.established_s is None and not connection.end:
            self._ends(connection, f"icmp {reason}", time_s)
        return True

    def interface_of(self, key: bytes) -> int | None:
        """The interface by which the connection of such a packet entered; None: not known here.

        Args:
            key: addresses and ports as they stand in the packet.
        """
        half = self._halves.get(key)
        return half.interface if half is not None else None

    def sweep(self, time_s: float) -> None:
        """Forget what is over; call it now and then where no frames come."""
        if time_s >= self._next_sweep_s:
            self._sweep(time_s)

    def _uncommon(
        self, frame: bytes, link_type: int, time_s: float, interface: int, outgoing: bool
    ) -> None:
        packet = packets.decode(frame, link_type)
        if packet is None:
            self.undecoded += 1
            return
        whole = self._fragments.feed(time_s, packet)
        if whole is None:
            return
        if whole.protocol != packets.TCP:
            self._on_other(whole, time_s, interface, outgoing)
        elif len(whole.payload) >= 20:
            key = whole.source + whole.target + whole.payload[:4]
            self._segment(key, whole.payload, 0, whole.length, time_s, interface, outgoing)
        else:
            self.undecoded += 1

    def _segment(
        self,
        key: bytes,
        data: bytes,
        start: int,
        end: int,
        time_s: float,
        interface: int,
        outgoing: bool,
    ) -> None:
        """A TCP segment whose header begins at `start`; on the wire it ended at `end`."""
        seq, ack, offset, flags = _segment_header(data, start + 4)
        start += (offset >> 4) << 2
        half = self._halves.get(key)
        if half is None or flags & 0x02:
            half = self._beginning(key, half, seq, flags, time_s, interface, outgoing)
            if half is None:
                return
        if half.interface != interface:
            return  # the same packet, on its way through another interface
        connection, side = half.connection, half.side
        connection.last_s = time_s
        connection.packets[side] += 1
        if flags & 0x06:
            self._syn_or_reset(half, seq, flags, time_s)
            if end > start and flags & 0x06 == SYN:
                # TCP Fast Open: the SYN has data behind it (RFC 7413).
                connection.octets[side] += end - start
                self._deliver(half, (seq + 1) & _MASK, data[start:end], end - start, time_s)
            # Of an ordinary frame; of others only the segment is here.
            if flags & RST and data[26:38] == key:
                connection.reset_ttl = data[22]
            return
        if connection.established_s is None:
            self._answered(connection, side, time_s)
        length = end - start
        if length > 0:
            connection.octets[side] += length
            payload = data[start:end]
            if seq == half.next and not half.waiting and len(payload) == length:
                half.next = (seq + length) & 0xFFFFFFFF
                connection.listener.data(side, payload, time_s)
            else:
                self._deliver(half, seq, payload, length, time_s)
        if flags & 0x01:
            half.end((seq + max(length, 0)) & _MASK)
            self._after_end(half, time_s)
        if half.peer.waiting and flags & 0x10:
            before = half.peer.waiting_bytes
            self._tell(half.peer, half.peer.acknowledged(ack), before, time_s)

    def _beginning(
        self,
        key: bytes,
        half: Half | None,
        seq: int,
        flags: int,
        time_s: float,
        interface: int,
        outgoing: bool,
    ) -> Half | None:
        """The half of a segment that is the first of its connection, or has its SYN set.

        None when the connection does not begin here.
        """
        if half is not None:
            if flags & ACK or half.first == seq:
                return half  # the server's SYN, or the client's once more
        elif not flags & SYN and key in self._elsewhere:
            return None
        size = (len(key) - 4) // 2
        source, target = key[:size], key[size : 2 * size]
        source_port, target_port = _ports(key, 2 * size)
        is_client = not flags & ACK if flags & SYN else source_port >= target_port
        back = target + source + key[-2:] + key[-4:-2]
        if self._enters is not None:
            if not is_client:
                return None  # the client's packet shows where it entered
            translated = flags & SYN and self._syns.get(seq, key) != key
            if translated:
                self._note_translation(self._syns[seq], target, target_port)
            if translated or not self._enters(source, target, target_port, interface, outgoing):
                self._begins_elsewhere(key, back)
                return None
            self._note_syn(key, seq, flags)
        if half is not None:
            self._forget(half.connection, "lost", time_s)  # the ports are used again
        return self._begin(key, back, is_client, flags, time_s, interface)

    def _begin(
        self, key: bytes, back: bytes, is_client: bool, flags: int, time_s: float, interface: int
    ) -> Half:
        keys = (key, back) if is_client else (back, key)
        size = (len(key) - 4) // 2
        client, server = keys[CLIENT][:size], keys[CLIENT][size : 2 * size]
        client_port, server_port = _ports(keys[CLIENT], 2 * size)
        connection = Connection(client, client_port, server, server_port, time_s, interface)
        connection.keys = keys
        connection.whole = bool(flags & SYN) and is_client
        if not flags & SYN:
            connection.established_s = time_s
        self._connections[keys[CLIENT]] = connection
        for each_key, each in zip(keys, connection.halves, strict=True):
            self._halves[each_key] = each
        connection.listener = self._listen(connection)
        self._memory.begun(connection)
        if len(self._connections) > MAX_CONNECTIONS:
            self._forget(next(iter(self._connections.values())), "lost", time_s)
        return self._halves[key]

    def _note_translation(self, original: bytes, target: bytes, port: int) -> None:
        """The SYN of a connection goes on to another address: that of the chosen endpoint.

        Connection tracking knows that too, but forgets at once who refused.
        """
        half = self._halves.get(original)
        if half is not None:
            connection = half.connection
            if (target, port) != (connection.server, connection.server_port):
                connection.led_to = (target, port)

    def _begins_elsewhere(self, *keys: bytes) -> None:
        self._elsewhere.update(dict.fromkeys(keys))
        while len(self._elsewhere) > MAX_ELSEWHERE:
            del self._elsewhere[next(iter(self._elsewhere))]

    def _note_syn(self, key: bytes, seq: int, flags: int) -> None:
        """Remember a SYN: address translation changes its addresses, never its number.

        So a masqueraded connection, whose packets leave with the node's own address, is
        known to be the one that entered a moment before.
        """
        if flags & SYN:
            self._syns.pop(seq, None)
            self._syns[seq] = key
            if len(self._syns) > _MAX_RECENT_SYNS:
                del self._syns[next(iter(self._syns))]

    def _syn_or_reset(self, half: Half, seq: int, flags: int, time_s: float) -> None:
        connection = half.connection
        if not flags & RST:
            half.first = seq
            if half.next == -1:
                half.next = (seq + 1) & _MASK
        elif not connection.end:
            refused = connection.established_s is None and half.side == SERVER
            self._ends(connection, "refused" if refused else "reset", time_s)

    def _answered(self, connection: Connection, side: int, time_s: float) -> None:
        """The first segment after the SYNs ends the handshake, when it is the client's."""
        if side == CLIENT and connection.halves[SERVER].next == -1:
            return
        connection.established_s = time_s
        connection.listener.opened(time_s)

    def _deliver(self, half: Half, seq: int, payload: bytes, length: int, time_s: float) -> None:
        """Give a segment to its stream, and what is in order now to who listens."""
        before = half.waiting_bytes
        self._tell(half, half.segment(seq, payload, length), before, time_s)

    def _tell(self, half: Half, pieces: list[Piece], before: int, time_s: float) -> None:
        """Deliver pieces; `before` them, so many bytes waited in this half."""
        self._early_bytes += half.waiting_bytes - before
        if self._early_bytes > MAX_EARLY_BYTES:
            self._early_bytes -= half.waiting_bytes
            pieces += half.give_up()
        for piece in pieces:
            # A dissector may have handed its place over with the piece before.
            listener = half.connection.listener
            if piece.payload:
                listener.data(half.side, piece.payload, time_s)
            if piece.missing:
                listener.gap(half.side, piece.missing, time_s)
        if half.finished:
            self._after_end(half, time_s)

    def _after_end(self, half: Half, time_s: float) -> None:
        connection = half.connection
        if not half.finished or half.closed or connection.end:
            return
        half.closed = True
        connection.listener.closed(half.side, time_s)
        if half.peer.finished:
            self._ends(connection, "closed", time_s)

    def _ends(self, connection: Connection, how: End, time_s: float) -> None:
        connection.end = how
        connection.listener.ended(how, time_s)
        self._ended[connection.keys[CLIENT]] = time_s + CLOSED_TIMEOUT_S

    def _forget(self, connection: Connection, how: End, time_s: float) -> None:
        """Remove a connection; `how` is told where its end was not seen."""
        if not connection.end:
            connection.end = how
            connection.listener.ended(how, time_s)
        self._ended.pop(connection.keys[CLIENT], None)
        del self._connections[connection.keys[CLIENT]]
        self._memory.forgotten(connection)
        self._early_bytes -= sum(half.waiting_bytes for half in connection.halves)
        for key in connection.keys:
            self._halves.pop(key, None)  # one that talks to itself has but one key
        # Else it would refer to itself, and stay until Python looks for such circles.
        del connection.listener
        for half in connection.halves:
            del half.connection, half.peer

    def _sweep(self, time_s: float) -> None:
        self._next_sweep_s = time_s + _SWEEP_EVERY_S
        while self._ended:
            key, due_s = next(iter(self._ended.items()))
            if due_s > time_s:
                break
            self._forget(self._connections[key], "closed", time_s)
        # A part of the others each time, so that a sweep takes no time worth naming.
        for key in [key for key, _ in zip(self._connections, range(256), strict=False)]:
            connection = self._connections[key]
            unanswered = connection.whole and connection.halves[SERVER].next == -1
            timeout_s = _LAST_SYN_TIMEOUT_S if unanswered else IDLE_TIMEOUT_S
            if time_s - connection.last_s >= timeout_s:
                self._forget(connection, "timed out" if unanswered else "lost", time_s)
                continue
            self._connections.move_to_end(key)
            overdue = time_s - connection.first_s >= UNANSWERED_TIMEOUT_S
            if unanswered and overdue and not connection.end:
                # Not forgotten yet: the SYNs that follow belong to it.
                connection.end = "timed out"
                connection.listener.ended("timed out", time_s)
