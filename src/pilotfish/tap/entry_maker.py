"""Exchanges → entries, in the time that the capture leaves.

Names, headers and bodies cost several times what finding an exchange does, and packets do not
wait: so exchanges do. A burst is captured whole and told a moment later; where requests come
faster for longer, those that find the queue full are skipped and counted.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pilotfish.network.message import text_address
from pilotfish.tap.datagrams import Flow
from pilotfish.tap.entry import Entry, LazyEntry

if TYPE_CHECKING:
    from pilotfish.tap.capture import Capture, Route
    from pilotfish.tap.connection import Connection
    from pilotfish.tap.exchange import Exchange
    from pilotfish.tap.identity import Identity

log = logging.getLogger(__name__)

MAX_WAITING = 200_000
MAX_WAITING_BYTES = 128 << 20
# So many connections are remembered; connection tracking is asked again about others.
_MAX_CONNECTIONS = 4096
# The names of a connection's ends hold for so long, then they are looked up again: labels change.
_NAMED_FOR_S = 1.0
_PARTIES = ("src", "dst", "endpoint")


@dataclass(slots=True)
class _Known:
    """What was found out about a connection."""

    connection: Connection
    route: Route
    parties: dict[str, Any] = field(default_factory=dict)
    named_s: float = 0.0


class EntryMaker:
    """Makes entries of exchanges, in the order in which they were added.

    Attributes:
        made: how many entries.
        skipped: exchanges that found the queue full.
    """

    def __init__(
        self, identity: Identity, node_name: str, deliver: Callable[[LazyEntry], None]
    ) -> None:
        """Make one.

        Args:
            identity: says who the addresses were.
            node_name: the node that captures.
            deliver: takes each entry.
        """
        self.made = 0
        self.skipped = 0
        self._identity = identity
        self._node_name = node_name
        self._deliver = deliver
        self._connections: OrderedDict[int, _Known] = OrderedDict()
        self._waiting: deque[tuple[Exchange, _Known]] = deque()
        self._waiting_bytes = 0

    def add(self, exchange: Exchange, capture: Capture) -> None:
        """Let an exchange wait for its turn; `capture` knows what became of its connection."""
        connection = exchange.connection
        known = self._connections.get(id(connection))
        if known is None or known.connection is not connection:
            # Now: connection tracking forgets soon.
            known = _Known(connection, capture.route_of(connection))
            self._connections[id(connection)] = known
            if len(self._connections) > _MAX_CONNECTIONS:
                self._connections.popitem(last=False)
        if known.route.passing:
            return
        if len(self._waiting) >= MAX_WAITING or self._waiting_bytes >= MAX_WAITING_BYTES:
            self.skipped += 1
            return
        self._waiting.append((exchange, known))
        self._waiting_bytes += _bytes_of(exchange)

    def work(self, time_limit_s: float) -> bool:
        """Make entries for at most so long; whether more exchanges wait."""
        until_s = time.monotonic() + time_limit_s
        while self._waiting:
            exchange, known = self._waiting.popleft()
            self._waiting_bytes -= _bytes_of(exchange)
            self.made += 1
            try:
                self._deliver(self._entry(exchange, known))
            except Exception:
                log.exception("an exchange of protocol %s cannot be told", exchange.protocol)
            if time.monotonic() > until_s:
                break
        return bool(self._waiting)

    def forget(self) -> None:
        """The capture is over, and with it everything that waits."""
        self._connections.clear()
        self._waiting.clear()
        self._waiting_bytes = 0

    def _entry(self, exchange: Exchange, known: _Known) -> LazyEntry:
        endpoint, asked = known.route.endpoint, known.route.asked
        entry = LazyEntry(exchange, self._identity, endpoint, self._node_name, self.made)
        time_s = exchange.request_s
        if known.parties and 0 <= time_s - known.named_s < _NAMED_FOR_S:
            entry.update(known.parties)
        else:
            known.named_s = time_s
            if asked is not None:
                transport = "udp" if isinstance(exchange.connection, Flow) else "tcp"
                address = text_address(asked.address)
                entry["dst"] = self._identity.server(address, asked.port, transport, time_s)
            known.parties = {key: entry[key] for key in _PARTIES if _has(entry, key)}
        if exchange.protocol == "dns":
            _note_look_up(self._identity, entry, exchange.end_s)
        return entry


def _bytes_of(exchange: Exchange) -> int:
    request, response = exchange.request, exchange.response
    return (request.size if request else 0) + (response.size if response else 0)


def _has(entry: Entry, key: str) -> bool:
    """Whether an entry has a part, which is worked out to see it."""
    try:
        entry[key]
    except KeyError:
        return False
    return True


def _note_look_up(identity: Identity, entry: Entry, time_s: float) -> None:
    """Link what the client will do with the answer to this look-up."""
    response = entry["response"] or {}
    addresses = [
        record["data"]
        for record in response.get("answers") or ()
        if record["type"] in ("A", "AAAA")
    ]
    if addresses:
        look_up = {"name": response["name"], "answer": addresses[0], "id": entry["id"]}
        identity.note_look_up(entry["src"]["ip"], addresses, look_up, time_s)
