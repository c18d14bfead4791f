"""An exchange as the JSON dict that viewers, filters, files and the dashboard work with."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pilotfish.network.message import text_address
from pilotfish.tap.datagrams import Flow

if TYPE_CHECKING:
    from pilotfish.tap.conntrack import Endpoint
    from pilotfish.tap.exchange import Exchange
    from pilotfish.tap.identity import Identity

Entry = dict[str, Any]


def make(
    exchange: Exchange,
    names: Identity,
    endpoint: Endpoint | None,
    node_name: str,
    sequence: int,
) -> Entry:
    """The entry of an exchange.

    Args:
        exchange: what was seen.
        names: says who the addresses were.
        endpoint: what was chosen, where the connection was translated.
        node_name: the node that saw it; "" for a capture file.
        sequence: number of the entry on this node.
    """
    connection = exchange.connection
    transport = "udp" if isinstance(connection, Flow) else "tcp"
    client, server = text_address(connection.client), text_address(connection.server)
    at_s = exchange.request_s or connection.first_s
    entry: Entry = {
        "id": f"{node_name or 'file'}-{sequence:06d}",
        "timestamp": datetime.fromtimestamp(at_s, UTC).isoformat(timespec="microseconds")[:-6]
        + "Z",
        "protocol": exchange.protocol,
        "node_name": node_name,
        "src": names.client(client, connection.client_port, at_s),
        "dst": names.server(server, connection.server_port, transport, at_s),
        "request": exchange.request.fields() if exchange.request else None,
        "response": exchange.response.fields() if exchange.response else None,
        "failure": exchange.failure,
        "elapsed_time": round(exchange.elapsed_s * 1e6) if exchange.response else None,
    }
    if endpoint is not None:
        address = text_address(endpoint.address)
        entry["endpoint"] = names.client(address, endpoint.port, at_s)
    elif entry["dst"]["kind"] == "pod":
        entry["endpoint"] = entry["dst"]
    look_up = names.look_up(client, server, at_s)
    if look_up is not None:
        entry["dns"] = look_up
    return entry
