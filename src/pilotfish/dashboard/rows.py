"""The line of the traffic list that an entry is.

A row is made and encoded once for all viewers, however many watch.
"""

from __future__ import annotations

import orjson

from pilotfish.dashboard.messages import Peer, Row
from pilotfish.tap.entry import Entry
from pilotfish.tap.history.history import micros


def row(entry: Entry) -> Row:
    """The row of an entry; docs/reference/entries.md has the entry's fields."""
    endpoint = entry.get("endpoint")
    return {
        "id": entry["id"],
        "time": time_ms(entry),
        "protocol": entry["protocol"],
        "node": entry["node_name"],
        "src": _peer(entry["src"]),
        "dst": _peer(entry["dst"]),
        "endpoint": _peer(endpoint) if endpoint is not None else None,
        "method": entry.get("method", ""),
        "path": entry.get("path", ""),
        "summary": entry["summary"],
        "status": entry["status"],
        "error": entry["error"],
        "failure": entry["failure"],
        "elapsed_us": entry["elapsed_time"],
        "request_bytes": entry["bytes"]["request"],
        "response_bytes": entry["bytes"]["response"],
        "probe": entry["probe"],
    }


def encoded(entry: Entry) -> bytes:
    """The row of an entry as JSON."""
    return orjson.dumps(row(entry))


def rows_message(
    watch: int,
    rows: list[bytes],
    lost: int = 0,
    backlog: bool = False,
    reached_ms: float | None = None,
) -> bytes:
    """A `messages.Rows` of rows that are encoded already."""
    return b'{"type":"rows","watch":%d,"backlog":%s,"lost":%d,"reached":%s,"rows":[%s]}' % (
        watch,
        b"true" if backlog else b"false",
        lost,
        orjson.dumps(reached_ms),
        b",".join(rows),
    )


def time_ms(entry: Entry) -> float:
    """Milliseconds since 1970, to the microsecond, of an entry's timestamp."""
    return micros(entry["timestamp"]) / 1000


def _peer(peer: Entry) -> Peer:
    thing = peer.get("pod") or peer.get("service") or {}
    return {
        "kind": peer["kind"],
        "name": peer["name"],
        "namespace": thing.get("namespace", ""),
        "ip": peer["ip"],
        "port": peer["port"],
    }
