"""Plain UDP: a flow whose protocol nobody recognised, as one exchange."""

from __future__ import annotations

from pilotfish.tap.connection import CLIENT, SERVER
from pilotfish.tap.conversation import Emit
from pilotfish.tap.datagrams import IDLE_TIMEOUT_S, Flow
from pilotfish.tap.dissectors.flow import Bytes
from pilotfish.tap.exchange import Exchange


class UdpFlow:
    """The dissector of datagrams that say nothing known."""

    name = "udp"
    idle_timeout_s = IDLE_TIMEOUT_S

    def __init__(self, flow: Flow, emit: Emit) -> None:
        self._flow = flow
        self._emit = emit
        self._sides = (Bytes(), Bytes())
        self._spoke_s = [0.0, 0.0]

    @property
    def kept(self) -> int:
        """What is shown of both sides."""
        return sum(len(side.beginning) for side in self._sides)

    def datagram(self, side: int, payload: bytes, time_s: float) -> None:
        """Count what a side says."""
        self._sides[side].add(payload)
        self._spoke_s[side] = self._spoke_s[side] or time_s

    def failed(self, reason: str, time_s: float) -> None:
        """An ICMP error came back: people should hear of it at once."""
        if self._said:
            self._tell(reason, time_s)
        self._sides, self._spoke_s = (Bytes(), Bytes()), [0.0, 0.0]

    def ended(self, how: str, time_s: float) -> None:  # noqa: ARG002 (DatagramListener)
        """The flow is over: it is one exchange."""
        if self._said:
            self._tell("", self._flow.last_s)

    @property
    def _said(self) -> bool:
        return any(self._spoke_s)

    def _tell(self, failure: str, time_s: float) -> None:
        answered = self._spoke_s[SERVER] > 0
        self._emit(
            Exchange(
                self.name,
                self._flow,
                self._sides[CLIENT],
                self._spoke_s[CLIENT] or self._spoke_s[SERVER],
                self._sides[SERVER] if answered else None,
                self._spoke_s[SERVER],
                time_s,
                failure=failure,
            )
        )
