"""Plain TCP: a connection whose protocol nobody recognised, as one exchange.

Also what becomes of a connection on which nothing was ever said: refused,
reset, unanswered. Those are what people look for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pilotfish.tap.connection import CLIENT, SERVER, Connection, End
from pilotfish.tap.exchange import Exchange

# The beginning of each side, to be looked at.
SHOWN_BYTES = 256


class Bytes:
    """What one side of a flow sent: how much, and how it began."""

    __slots__ = ("beginning", "size")

    def __init__(self) -> None:
        self.beginning = b""
        self.size = 0

    def add(self, payload: bytes) -> None:
        """Count bytes, and keep the first."""
        self.size += len(payload)
        if len(self.beginning) < SHOWN_BYTES:
            self.beginning += payload[: SHOWN_BYTES - len(self.beginning)]

    def fields(self) -> dict[str, Any]:
        """Size, and the beginning as hexadecimal and as text."""
        return {
            "size": self.size,
            "hex": self.beginning.hex(" "),
            "text": self.beginning.decode("utf-8", "replace"),
        }


class Flow:
    """The dissector of a connection that speaks nothing known."""

    name = "tcp"

    def __init__(self, connection: Connection, emit: Callable[[Exchange], None]) -> None:
        self._connection = connection
        self._emit = emit
        self._sides = (Bytes(), Bytes())
        self._spoke_s = [0.0, 0.0]

    @property
    def kept(self) -> int:
        """What is shown of both sides."""
        return sum(len(side.beginning) for side in self._sides)

    def opened(self, time_s: float) -> None:
        """The connection itself knows when it was opened."""

    def data(self, side: int, payload: bytes, time_s: float) -> None:
        """Count what a side says."""
        self._sides[side].add(payload)
        self._spoke_s[side] = self._spoke_s[side] or time_s

    def gap(self, side: int, missing: int, time_s: float) -> None:
        """Lost bytes were sent all the same."""
        self._sides[side].size += missing
        self._spoke_s[side] = self._spoke_s[side] or time_s

    def closed(self, side: int, time_s: float) -> None:
        """One side may go on when the other is done."""

    def ended(self, how: End, time_s: float) -> None:
        """The flow is over: it is one exchange."""
        connection = self._connection
        if not connection.whole and not any(side.size for side in self._sides):
            return  # the end of something that was over before the capture began
        answered = self._sides[SERVER].size > 0
        failure = "" if how in ("closed", "open") else how
        self._emit(
            Exchange(
                self.name,
                connection,
                self._sides[CLIENT],
                connection.first_s,
                self._sides[SERVER] if answered else None,
                self._spoke_s[SERVER],
                time_s,
                first=connection.whole,
                failure=failure,
            )
        )
