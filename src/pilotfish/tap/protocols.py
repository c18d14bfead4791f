"""The protocols that the tap understands: the registry, and the order of recognition.

Protocols are told apart by content, so the order decides only where two would
recognise the same bytes: the stricter one comes first. A new protocol is a file
in `dissectors/`, its test, and its line here: docs/how-to/add-a-protocol.md.
"""

from __future__ import annotations

from pilotfish.tap.connection import Connection
from pilotfish.tap.conversation import Dissector, DissectorModule, Emit
from pilotfish.tap.datagram_conversation import DatagramModule
from pilotfish.tap.dissectors import dns, http1, http2, postgresql, redis, tls
from pilotfish.tap.dissectors.flow import Flow

STREAMS: tuple[DissectorModule, ...] = (http1, tls, redis, dns, postgresql, http2)
DATAGRAMS: tuple[DatagramModule, ...] = (dns,)

# Every name that an exchange's `protocol` may have.
NAMES = tuple(dict.fromkeys((*(name for module in STREAMS for name in module.NAMES), "tcp", "udp")))


def plain(connection: Connection, emit: Emit) -> Dissector:
    """The dissector of what no other one recognises."""
    return Flow(connection, emit)
