"""Entries as lines for people: one each, `wide` with every address, and with bodies.

12:00:01.234 host → go-demo-2-api → go-demo-2-api-x7k2p  GET /demo/hello  200  1.2 ms
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from pilotfish.tap.entry import Entry
from pilotfish.tap.formats.terminal import escape, escape_block, paint

_MAX_BODY_LINES = 40
_MAX_DEPTH = 50
_JSON_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)


def line(entry: Entry, colours: bool, namespaces: bool) -> str:
    """The entry in one line. namespaces: whether names carry theirs."""
    parts = [
        paint(_clock(entry["timestamp"]), "dim", colours),
        _way(entry, colours, namespaces),
        _said(entry, colours),
        paint(duration(entry.get("elapsed_time")), "dim", colours),
    ]
    return "  ".join(part for part in parts if part)


def wide_line(entry: Entry, colours: bool) -> str:
    """The entry in one line with addresses, node, and where the time went."""
    timing = entry.get("timing") or {}
    spent = [
        f"{name} {duration(timing[name])}"
        for name in ("connect", "wait", "transfer")
        if timing.get(name) is not None
    ]
    ways = [_with_address(entry["src"]), _with_address(entry["dst"])]
    endpoint = entry.get("endpoint")
    if endpoint and endpoint != entry["dst"]:
        ways.append(_with_address(endpoint))
    octets = entry.get("bytes") or {}
    parts = [
        paint(_clock(entry["timestamp"]), "dim", colours),
        escape(entry["node_name"] or "-"),
        entry["protocol"],
        " → ".join(ways),
        _said(entry, colours),
        paint(", ".join(spent), "dim", colours),
        f"{octets.get('request', 0)}/{octets.get('response', 0)} B",
    ]
    if entry.get("dns"):
        parts.append(f"found by {escape(entry['dns']['name'])}")
    return "  ".join(part for part in parts if part)


def bodies(entry: Entry) -> str:
    """The bodies of request and answer, indented; "" where there are none."""
    shown = []
    for side, mark in (("request", "→"), ("response", "←")):
        body = (entry.get(side) or {}).get("body")
        if body:
            lines = escape_block(_pretty(body)).splitlines()
            if len(lines) > _MAX_BODY_LINES:
                rest = len(lines) - _MAX_BODY_LINES
                lines = [*lines[:_MAX_BODY_LINES], f"… {rest} more lines"]
            shown += [f"    {mark} {text}" for text in lines]
    return "\n".join(shown)


def name_of(party: dict[str, Any], namespaces: bool) -> str:
    """What people call a party: its name, with namespace where asked for. Not escaped."""
    thing = party.get("pod") or party.get("service")
    if thing and namespaces:
        return f"{thing['namespace']}/{thing['name']}"
    return str((thing and thing["name"]) or party.get("name") or party["ip"])


def duration(micros: int | None) -> str:
    """Microseconds for people: 850 µs, 1.2 ms, 3.4 s; "" without any."""
    if micros is None:
        return ""
    if micros < 1000:
        return f"{micros} µs"
    if micros < 1_000_000:
        return f"{micros / 1000:.3g} ms"
    return f"{micros / 1e6:.3g} s"


def _way(entry: Entry, colours: bool, namespaces: bool) -> str:
    """Source → Service → Pod; what was not chosen is not named."""
    source = escape(name_of(entry["src"], namespaces))
    target = escape(name_of(entry["dst"], namespaces))
    steps = [source, paint(target, "cyan", colours)]
    endpoint = entry.get("endpoint")
    if endpoint and endpoint != entry["dst"]:
        steps.append(paint(escape(name_of(endpoint, namespaces)), "magenta", colours))
    return " → ".join(steps)


def _said(entry: Entry, colours: bool) -> str:
    colour = "red" if entry["error"] else "green"
    summary = escape(entry["summary"])
    status = escape(entry.get("status") or "")
    if not status or not summary.endswith(status):
        return paint(summary, "red", colours) if entry["error"] else summary
    return summary[: -len(status)] + paint(status, colour, colours)


def _with_address(party: dict[str, Any]) -> str:
    address = f"[{party['ip']}]" if ":" in party["ip"] else party["ip"]
    where = escape(f"{address}:{party['port']}")
    name = escape(name_of(party, namespaces=True))
    return where if name == party["ip"] else f"{name} ({where})"


def _clock(timestamp: str) -> str:
    """The time of day where the viewer is, to the millisecond."""
    return datetime.fromisoformat(timestamp).astimezone().strftime("%H:%M:%S.%f")[:-3]


def _pretty(body: str) -> str:
    """JSON in lines; what is none, or so deep that nobody reads it, as it is."""
    if _depth(body) > _MAX_DEPTH:
        return body
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body


def _depth(body: str) -> int:
    depth = deepest = 0
    for match in _JSON_BRACKET.finditer(body):
        if match[0] in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif match[0] in "]}":
            depth -= 1
    return deepest
