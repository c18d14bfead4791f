"""An exchange as the JSON dict that viewers, filters, files and the dashboard work with.

docs/reference/entries.md has every field. Names, headers and bodies cost more
than all the rest, and most filters ask for none of them: a `LazyEntry` works out
each part when it is first asked for, and is a dict like any other once it is whole.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pilotfish.network.message import text_address
from pilotfish.tap import outcome
from pilotfish.tap.connection import CLIENT, SERVER
from pilotfish.tap.datagrams import Flow

if TYPE_CHECKING:
    from collections.abc import Callable

    from pilotfish.tap.conntrack import Endpoint
    from pilotfish.tap.exchange import Exchange
    from pilotfish.tap.identity import Identity

Entry = dict[str, Any]

# Times to live with which systems send packets; 0 for what is not known.
_FRESH_TTLS = (0, 64, 128, 255)
# What the kubelet says it is (k8s.io/kubernetes/pkg/probe/http, and grpc beside it).
_PROBER = "kube-probe/"


def make(
    exchange: Exchange,
    names: Identity,
    endpoint: Endpoint | None,
    node_name: str,
    sequence: int,
) -> Entry:
    """The whole entry of an exchange; arguments as of `LazyEntry`."""
    return LazyEntry(exchange, names, endpoint, node_name, sequence).whole()


class LazyEntry(dict[str, Any]):
    """The entry of an exchange, part by part as it is asked for by `entry[key]`.

    Only that: `in`, `get` and loops see what is there so far. KeyError for what the entry of
    this exchange does not have.
    """

    __slots__ = ("_at_s", "_endpoint", "_exchange", "_names", "_node_name", "_sequence")

    def __init__(
        self,
        exchange: Exchange,
        names: Identity,
        endpoint: Endpoint | None,
        node_name: str,
        sequence: int,
    ) -> None:
        """Make an entry without parts.

        Args:
            exchange: what was seen.
            names: says who the addresses were.
            endpoint: what was chosen, where the connection was translated.
            node_name: the node that saw it; "" for a capture file.
            sequence: number of the entry on this node.
        """
        super().__init__(protocol=exchange.protocol, node_name=node_name)
        self._exchange = exchange
        self._names = names
        self._endpoint = endpoint
        self._node_name = node_name
        self._sequence = sequence
        self._at_s = exchange.request_s or exchange.response_s or exchange.connection.first_s

    def __missing__(self, key: str) -> Any:
        work_out = _PARTS.get(key)
        if work_out is None or (key in _OUTCOME and "status" in self):
            raise KeyError(key)
        work_out(self)
        if key not in self:
            raise KeyError(key)
        return self[key]

    def whole(self) -> Entry:
        """A plain dict with everything; keys always in the same order."""
        entry: Entry = {}
        for key in KEYS:
            try:
                entry[key] = self[key]
            except KeyError:
                continue
        return entry

    # --- the parts -------------------------------------------------------------------------

    def _work_out_id(self) -> None:
        self["id"] = f"{self._node_name or 'file'}-{self._sequence:06d}"

    def _work_out_timestamp(self) -> None:
        self["timestamp"] = timestamp(self._at_s)

    def _work_out_src(self) -> None:
        connection = self._exchange.connection
        address = text_address(connection.client)
        self["src"] = self._names.client(address, connection.client_port, self._at_s)

    def _work_out_dst(self) -> None:
        connection = self._exchange.connection
        transport = "udp" if isinstance(connection, Flow) else "tcp"
        address = text_address(connection.server)
        self["dst"] = self._names.server(address, connection.server_port, transport, self._at_s)

    def _work_out_endpoint(self) -> None:
        if self._endpoint is not None:
            address, port = text_address(self._endpoint.address), self._endpoint.port
            self["endpoint"] = self._names.client(address, port, self._at_s)
        elif self["dst"]["kind"] == "pod":
            self["endpoint"] = self["dst"]

    def _work_out_failure(self) -> None:
        """A Service without endpoints refuses on their behalf: nothing was chosen.

        The node itself says so then: what a Pod answers has come a hop at least.
        """
        failure = self._exchange.failure
        rejected = failure in ("refused", "icmp port unreachable")
        if rejected and self._endpoint is None and self["dst"]["kind"] == "service":
            connection = self._exchange.connection
            if isinstance(connection, Flow) or connection.reset_ttl in _FRESH_TTLS:
                failure = "no endpoints"
        self["failure"] = failure

    def _work_out_outcome(self) -> None:
        found = outcome.of(self._exchange, self, self["failure"])
        self["status"], self["error"], self["summary"] = found.status, found.error, found.summary
        if found.method:
            self["method"] = found.method
        if found.url:
            self["url"] = found.url
        if found.path:
            self["path"] = found.path
        if found.status_code is not None:
            self["status_code"] = found.status_code

    def _work_out_request(self) -> None:
        request = self._exchange.request
        self["request"] = request.fields() if request is not None else None

    def _work_out_response(self) -> None:
        response = self._exchange.response
        self["response"] = response.fields() if response is not None else None

    def _work_out_elapsed_time(self) -> None:
        answered = self._exchange.request is not None and self._exchange.response is not None
        self["elapsed_time"] = _micros(self._exchange.elapsed_s) if answered else None

    def _work_out_timing(self) -> None:
        exchange = self._exchange
        connection = exchange.connection
        connect = wait = transfer = None
        if exchange.first and connection.whole and connection.established_s is not None:
            connect = _micros(connection.established_s - connection.first_s)
        if exchange.response is not None and exchange.response_s:
            transfer = _micros(exchange.end_s - exchange.response_s)
            if exchange.request is not None:
                wait = _micros(exchange.response_s - exchange.request_s)
        self["timing"] = {"connect": connect, "wait": wait, "transfer": transfer}

    def _work_out_bytes(self) -> None:
        request, response = self._exchange.request, self._exchange.response
        self["bytes"] = {
            "request": request.size if request is not None else 0,
            "response": response.size if response is not None else 0,
        }

    def _work_out_dns(self) -> None:
        connection = self._exchange.connection
        client, server = text_address(connection.client), text_address(connection.server)
        look_up = self._names.look_up(client, server, self._at_s)
        if look_up is not None:
            self["dns"] = look_up

    def _work_out_conn(self) -> None:
        connection = self._exchange.connection
        client, server = text_address(connection.client), text_address(connection.server)
        self["conn"] = {
            # The time tells apart connections between the same ports, one after the other.
            "id": f"{client}:{connection.client_port}>{server}:{connection.server_port}"
            f"@{connection.first_s:.6f}",
            "first": self._exchange.first,
            "whole": connection.whole,
            "state": connection.end or "open",
            "packets": {
                "request": connection.packets[CLIENT],
                "response": connection.packets[SERVER],
            },
            "bytes": {
                "request": connection.octets[CLIENT],
                "response": connection.octets[SERVER],
            },
        }

    def _work_out_probe(self) -> None:
        """Whether this is a kubelet's probe: it says so, or opens a connection and says nothing."""
        self["probe"] = False
        if self["src"]["kind"] != "node":
            return
        if self._exchange.protocol == "tcp":
            self["probe"] = not any(self._exchange.connection.octets)
        elif self._exchange.protocol in ("http", "grpc"):
            headers = (self["request"] or {}).get("headers", {})
            self["probe"] = headers.get("user-agent", "").startswith(_PROBER)


def timestamp(time_s: float) -> str:
    """Seconds since 1970 as RFC 3339, with microseconds."""
    micros = round(time_s * 1e6)
    return f"{_second(micros // 1_000_000)}.{micros % 1_000_000:06d}Z"


@lru_cache(maxsize=16)
def _second(time_s: int) -> str:
    """Many entries share a second, and calendars are slow."""
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _micros(time_s: float) -> int:
    return max(round(time_s * 1e6), 0)


_OUTCOME = ("method", "url", "path", "status_code", "status", "summary", "error")

# The keys of an entry, in the order in which people read them.
KEYS = (
    "id",
    "timestamp",
    "protocol",
    "node_name",
    "src",
    "dst",
    "endpoint",
    *_OUTCOME,
    "failure",
    "elapsed_time",
    "timing",
    "bytes",
    "request",
    "response",
    "dns",
    "conn",
    "probe",
)

_PARTS: dict[str, Callable[[LazyEntry], None]] = {
    key: getattr(LazyEntry, f"_work_out_{key}")
    for key in KEYS
    if hasattr(LazyEntry, f"_work_out_{key}")
} | dict.fromkeys(_OUTCOME, LazyEntry._work_out_outcome)
