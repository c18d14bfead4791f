"""What protocol a UDP flow speaks, found out by its first datagram."""

from __future__ import annotations

from typing import Protocol

from pilotfish.tap.conversation import Emit
from pilotfish.tap.datagrams import DatagramListener, Flow
from pilotfish.tap.dissectors.udp_flow import UdpFlow


class DatagramModule(Protocol):
    """One file of `dissectors/` whose protocol is spoken over UDP."""

    def recognise_datagram(self, payload: bytes) -> bool:
        """Whether the first datagram of a flow is this protocol."""

    def make_datagrams(self, flow: Flow, emit: Emit) -> DatagramListener:
        """The dissector of a flow that was recognised."""


class DatagramConversation:
    """Listens until the first datagram, which decides."""

    idle_timeout_s = 1.0  # never waits: a flow begins with a datagram

    def __init__(self, flow: Flow, emit: Emit, modules: tuple[DatagramModule, ...]) -> None:
        self._flow = flow
        self._emit = emit
        self._modules = modules

    @property
    def kept(self) -> int:
        """Nothing: the first datagram decides."""
        return 0

    def datagram(self, side: int, payload: bytes, time_s: float) -> None:
        """Give the flow to who recognises the datagram."""
        for module in self._modules:
            if module.recognise_datagram(payload):
                self._flow.datagrams = module.make_datagrams(self._flow, self._emit)
                break
        else:
            self._flow.datagrams = UdpFlow(self._flow, self._emit)
        self._flow.datagrams.datagram(side, payload, time_s)

    def failed(self, reason: str, time_s: float) -> None:
        """Nothing was said that could have failed."""

    def ended(self, how: str, time_s: float) -> None:
        """Nothing was said."""
