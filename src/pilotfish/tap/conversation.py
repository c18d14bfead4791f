"""What protocol a connection speaks, found out by what is said on it, not by its port.

A `Conversation` listens to a new connection. It keeps the first bytes of both
sides, in order, until a dissector recognises them; then that dissector takes
its place as the connection's listener and hears everything from the start.
What nobody recognises is a plain flow.

Protocols contain one another: a WebSocket begins as HTTP/1, HTTP is spoken
inside TLS, and TLS inside PostgreSQL. Therefore a dissector is given a
`Context`, through which it hands its place over to another one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from pilotfish.tap.connection import CLIENT, SERVER, Connection, End, Listener
from pilotfish.tap.exchange import Exchange
from pilotfish.tap.key_log import KeyLog
from pilotfish.tap.memory import PIECE_BYTES

# Every protocol shows itself in its first bytes, or never.
MAX_UNDECIDED_BYTES = 64 * 1024
MAX_UNDECIDED_PIECES = 4096
# Each piece has all bytes so far looked at again: the most that is looked at in this way.
MAX_LOOKED_AT_BYTES = 4 * 1024 * 1024

Emit = Callable[[Exchange], None]


class Dissector(Listener, Protocol):
    """Understands one protocol on one connection, and emits its exchanges."""

    name: str


class DissectorModule(Protocol):
    """One file of `dissectors/`, as the registry names it."""

    @property
    def NAMES(self) -> tuple[str, ...]:  # noqa: N802 (a module's constant)
        """What its exchanges may have as their `protocol`."""

    def recognise(self, client: bytes, server: bytes) -> bool | None:
        """Whether these first bytes of both sides are this protocol; None: too few to say."""

    def make(self, connection: Connection, context: Context) -> Dissector:
        """The dissector of a connection that was recognised."""


class Place(Protocol):
    """Where the bytes come from: a connection, or the inside of one that is encrypted."""

    listener: Listener


class Protocols(Protocol):
    """The registry, `pilotfish.tap.protocols`."""

    @property
    def STREAMS(self) -> Sequence[DissectorModule]:  # noqa: N802 (a module's constant)
        """The dissectors to ask, in this order."""

    def plain(self, connection: Connection, emit: Emit) -> Dissector:
        """The dissector of what no other one recognises."""


class Context:
    """What a dissector knows of the world around its connection.

    Attributes:
        emit: hears the exchanges.
        place: whose listener the dissector is.
        protocols: the registry.
        keys: the secrets of TLS connections, where a key log was given.
    """

    __slots__ = ("emit", "keys", "place", "protocols")

    def __init__(
        self, emit: Emit, place: Place, protocols: Protocols, keys: KeyLog | None = None
    ) -> None:
        self.emit = emit
        self.place = place
        self.protocols = protocols
        self.keys = keys

    def hand_over(self, listener: Listener) -> None:
        """Let another listener hear what comes from now on."""
        self.place.listener = listener

    def begin_anew(self, connection: Connection) -> None:
        """What comes from now on is another protocol, which is to be recognised."""
        self.hand_over(Conversation(connection, self))

    def inside(self, place: Place) -> Context:
        """The context of what is said within this protocol, at another place."""
        return Context(self.emit, place, self.protocols, self.keys)


class Conversation:
    """Listens until the protocol is known."""

    def __init__(self, connection: Connection, context: Context) -> None:
        self._connection = connection
        self._context = context
        self._candidates = context.protocols.STREAMS
        self._said: list[tuple[int, bytes, float]] = []
        self._heard = [b"", b""]
        self._looked_at = 0

    @property
    def kept(self) -> int:
        """What was said so far, twice: in order, and by side."""
        return 2 * sum(map(len, self._heard)) + PIECE_BYTES * len(self._said)

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
                self._become(candidate.make(self._connection, self._context))
                return
            if verdict is None:
                undecided.append(candidate)
        self._candidates = undecided
        self._looked_at += sum(map(len, self._heard))
        too_long = (
            len(self._heard[side]) > MAX_UNDECIDED_BYTES
            or len(self._said) > MAX_UNDECIDED_PIECES
            or self._looked_at > MAX_LOOKED_AT_BYTES
        )
        if not undecided or too_long:
            self._become_plain()

    def gap(self, side: int, missing: int, time_s: float) -> None:
        """The beginning is not whole: what follows may still be recognised."""
        if not self._heard[side]:
            return
        self._become_plain()
        self._context.place.listener.gap(side, missing, time_s)

    def closed(self, side: int, time_s: float) -> None:
        """A side that says no more may leave the other one to be recognised."""

    def ended(self, how: End, time_s: float) -> None:
        """It ended unrecognised."""
        self._become_plain()
        self._context.place.listener.ended(how, time_s)

    def _become_plain(self) -> None:
        self._become(self._context.protocols.plain(self._connection, self._context.emit))

    def _become(self, dissector: Dissector) -> None:
        place = self._context.place
        place.listener = dissector
        for side, payload, time_s in self._said:
            # An upgrade among the first bytes may already have put another in its place.
            place.listener.data(side, payload, time_s)
        self._said.clear()
