"""What protocol a connection speaks, found out by what is said on it, not by its port.

A `Conversation` listens to a new connection. It keeps the first bytes of both
sides, in order, until a dissector recognises them; then that dissector takes
its place as the connection's listener and hears everything from the start.
What nobody recognises is a plain flow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from pilotfish.tap.exchange import Exchange
from pilotfish.tap.streams import CLIENT, SERVER, Connection, End, Listener

# Every protocol shows itself in its first bytes; who has not by then never will.
MAX_UNDECIDED_BYTES = 64 * 1024

Emit = Callable[[Exchange], None]


class Dissector(Listener, Protocol):
    """Understands one protocol on one connection, and emits its exchanges."""

    name: str


class DissectorModule(Protocol):
    """One file of `dissectors/`, as the registry names it."""

    def recognise(self, client: bytes, server: bytes) -> bool | None:
        """Whether these first bytes of both sides are this protocol; None: too few to say."""

    def make(self, connection: Connection, emit: Emit) -> Dissector:
        """The dissector of a connection that was recognised."""


class Conversation:
    """Listens to a connection until its protocol is known."""

    def __init__(
        self,
        connection: Connection,
        emit: Emit,
        protocols: Sequence[DissectorModule],
        plain: Callable[[Connection, Emit], Dissector],
    ) -> None:
        """Make the first listener of a connection.

        Args:
            connection: the connection.
            emit: hears the exchanges.
            protocols: the dissectors to ask, in this order.
            plain: makes the dissector of what none of them recognises.
        """
        self._connection = connection
        self._emit = emit
        self._candidates = list(protocols)
        self._plain = plain
        self._said: list[tuple[int, bytes, float]] = []
        self._heard = [b"", b""]

    def opened(self, time_s: float) -> None:
        """Nothing is said yet."""

    def data(self, side: int, payload: bytes, time_s: float) -> None:
        """Take bytes, and see who recognises them."""
        self._said.append((side, payload, time_s))
        self._heard[side] += payload
        undecided = []
        for candidate in self._candidates:
            verdict = candidate.recognise(self._heard[CLIENT], self._heard[SERVER])
            if verdict:
                self._become(candidate.make(self._connection, self._emit))
                return
            if verdict is None:
                undecided.append(candidate)
        self._candidates = undecided
        if not undecided or len(self._heard[side]) > MAX_UNDECIDED_BYTES:
            self._become(self._plain(self._connection, self._emit))

    def gap(self, side: int, missing: int, time_s: float) -> None:
        """The beginning is not whole: what follows may still be recognised."""
        if not self._heard[side]:
            return
        dissector = self._plain(self._connection, self._emit)
        self._become(dissector)
        dissector.gap(side, missing, time_s)

    def closed(self, side: int, time_s: float) -> None:
        """A side that says no more may leave the other one to be recognised."""

    def ended(self, how: End, time_s: float) -> None:
        """It ended unrecognised."""
        dissector = self._plain(self._connection, self._emit)
        self._become(dissector)
        dissector.ended(how, time_s)

    def _become(self, dissector: Dissector) -> None:
        self._connection.listener = dissector
        for side, payload, time_s in self._said:
            # An upgrade among the first bytes may already have put another in its place.
            self._connection.listener.data(side, payload, time_s)
        self._said.clear()
