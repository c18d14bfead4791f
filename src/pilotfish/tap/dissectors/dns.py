"""DNS over UDP and TCP: queries and their answers, matched by id.

RFC 1035; over TCP each message has its length before it (section 4.2.2). A
query that is sent again is the same one; one that nobody answers has timed out.
"""

from __future__ import annotations

from collections import OrderedDict

from pilotfish.tap.connection import CLIENT, SERVER, Connection, End
from pilotfish.tap.conversation import Context, Emit
from pilotfish.tap.datagrams import Flow
from pilotfish.tap.dissectors.dns_message import (
    HEAD_BYTES,
    DnsMessage,
    looks_like_dns,
    question_of,
)
from pilotfish.tap.dissectors.pending import Pending
from pilotfish.tap.exchange import Exchange
from pilotfish.tap.memory import PIECE_BYTES

MAX_WAITING = 200
# Resolvers ask again after 5 s, and give up after 10 (resolv.conf(5)).
TIMEOUT_S = 10.0


NAMES = ("dns",)


def recognise(client: bytes, server: bytes) -> bool | None:
    """Whether this is DNS over TCP by the first bytes of both sides; None: too few to say."""
    said = client or server
    if len(said) < 2 + HEAD_BYTES:
        return None
    length = int.from_bytes(said[:2], "big")
    # The head alone excludes nearly everything else, so nobody waits for the rest in vain.
    questions, flags = said[6:8], said[4]
    if length < HEAD_BYTES + 5 or questions != b"\x00\x01" or bool(flags & 0x80) == bool(client):
        return False
    if len(said) < 2 + length:
        return None
    return looks_like_dns(said[2 : 2 + length])


def make(connection: Connection, context: Context) -> DnsStream:
    """The dissector of a TCP connection that was recognised."""
    return DnsStream(connection, context.emit)


def recognise_datagram(payload: bytes) -> bool:
    """Whether the first datagram of a flow is DNS."""
    return looks_like_dns(payload)


def make_datagrams(flow: Flow, emit: Emit) -> DnsDatagrams:
    """The dissector of a UDP flow that was recognised."""
    return DnsDatagrams(flow, emit)


class _Matcher:
    """Queries that wait for their answers."""

    def __init__(self, connection: Connection, emit: Emit) -> None:
        self._connection = connection
        self._emit = emit
        self._first = connection.whole
        self._waiting: OrderedDict[tuple[int, bytes], tuple[DnsMessage, float]] = OrderedDict()

    @property
    def kept(self) -> int:
        """Queries that wait."""
        return sum(2 * len(query.wire) + 4 * PIECE_BYTES for query, _ in self._waiting.values())

    def take(self, message: DnsMessage, time_s: float) -> None:
        """A message: a query waits, an answer ends the waiting."""
        key = (message.id, question_of(message.wire))
        if not message.is_answer:
            self._waiting.setdefault(key, (message, time_s))
            self._give_up(time_s)
            return
        query, asked_s = self._waiting.pop(key, (None, time_s))
        self._tell(query, asked_s, message, time_s)

    def fail(self, failure: str, time_s: float) -> None:
        """None of them will be answered."""
        for query, asked_s in self._waiting.values():
            self._tell(query, asked_s, None, time_s, failure)
        self._waiting.clear()

    def _give_up(self, time_s: float) -> None:
        while self._waiting:
            key, (query, asked_s) = next(iter(self._waiting.items()))
            if len(self._waiting) <= MAX_WAITING and time_s - asked_s < TIMEOUT_S:
                return
            del self._waiting[key]
            self._tell(query, asked_s, None, time_s, "timed out")

    def _tell(
        self,
        query: DnsMessage | None,
        asked_s: float,
        answer: DnsMessage | None,
        time_s: float,
        failure: str = "",
    ) -> None:
        exchange = Exchange("dns", self._connection, query, asked_s, answer, failure=failure)
        exchange.response_s = time_s if answer is not None else 0.0
        exchange.end_s = time_s
        exchange.first, self._first = self._first, False
        self._emit(exchange)


class DnsDatagrams:
    """The dissector of a UDP flow."""

    name = "dns"
    idle_timeout_s = TIMEOUT_S

    def __init__(self, flow: Flow, emit: Emit) -> None:
        self._matcher = _Matcher(flow, emit)

    @property
    def kept(self) -> int:
        """Queries that wait for their answers."""
        return self._matcher.kept

    def datagram(self, side: int, payload: bytes, time_s: float) -> None:  # noqa: ARG002
        """Take a datagram; one that is no DNS message says nothing."""
        if len(payload) >= HEAD_BYTES:
            self._matcher.take(DnsMessage(payload), time_s)

    def failed(self, reason: str, time_s: float) -> None:
        """An ICMP error came instead of an answer."""
        self._matcher.fail(reason, time_s)

    def ended(self, how: str, time_s: float) -> None:  # noqa: ARG002 (DatagramListener)
        """Nobody answers any more."""
        self._matcher.fail("timed out", time_s)


class DnsStream:
    """The dissector of a TCP connection."""

    name = "dns"

    def __init__(self, connection: Connection, emit: Emit) -> None:
        self._matcher = _Matcher(connection, emit)
        self._pending = (Pending(), Pending())
        self._lost = [False, False]

    @property
    def kept(self) -> int:
        """Queries that wait for their answers, and what is being read."""
        return self._matcher.kept + sum(map(len, self._pending))

    def opened(self, time_s: float) -> None:
        """Nothing to do: the connection knows when it was opened."""

    def data(self, side: int, payload: bytes, time_s: float) -> None:
        """Take the next bytes of one side."""
        if self._lost[side]:
            # A message seldom goes over segments: start over where one may begin.
            said = (payload, b"") if side == CLIENT else (b"", payload)
            if not recognise(*said):
                return
            self._lost[side] = False
        data = self._pending[side].take(payload)
        at, need = 0, 2
        while len(data) - at >= 2:
            end = at + 2 + int.from_bytes(data[at : at + 2], "big")
            if len(data) < end:
                need = end - at
                break
            if end - at >= 2 + HEAD_BYTES:
                self._matcher.take(DnsMessage(data[at + 2 : end]), time_s)
            at = end
        if at < len(data):
            self._pending[side].keep(data[at:], need)

    def gap(self, side: int, missing: int, time_s: float) -> None:  # noqa: ARG002 (Listener)
        """Bytes were lost, and with them the place."""
        self._pending[side].clear()
        self._lost[side] = True

    def closed(self, side: int, time_s: float) -> None:
        """A client that has asked everything may still be answered."""
        if side == SERVER:
            self._matcher.fail("closed", time_s)

    def ended(self, how: End, time_s: float) -> None:
        """Nobody answers any more."""
        self._matcher.fail(how, time_s)
