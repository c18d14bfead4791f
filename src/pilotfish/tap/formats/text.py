"""Entries as lines for people: one each, `wide` with every address, and with bodies.

12:00:01.234 host → go-demo-2-api → go-demo-2-api-x7k2p  GET /demo/hello  200  1.2 ms
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pilotfish.client.visible import escape
from pilotfish.tap.entry import Entry
from pilotfish.tap.formats.fitting import cells, cut, cut_all
from pilotfish.tap.formats.terminal import escape_block, paint

_ARROW = " → "
_MAX_BODY_LINES = 40
_MAX_DEPTH = 50
_JSON_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)


def line(entry: Entry, colours: bool, namespaces: bool, width: int = 0) -> str:
    """The entry in one line; in two where that would be wider than the terminal.

    Args:
        namespaces: whether names carry theirs.
        width: cells of the terminal; 0 where nobody knows.
    """
    clock, names = _clock(entry["timestamp"]), _names(entry, namespaces)
    asked, status = _said(entry)
    time = duration(entry.get("elapsed_time"))
    plain = "  ".join(filter(None, (clock, _ARROW.join(names), asked + status, time)))
    between = "  "
    if width and cells(plain) > width:
        indent = len(clock) + 2
        between = "\n" + " " * indent
        names = cut_all(names, width - indent - len(_ARROW) * (len(names) - 1))
        rest = cells(status) + (cells(time) + 2 if time else 0)
        asked = cut(asked, max(width - indent - rest, 1))
    said = _coloured(entry, asked, status, colours)
    second = "  ".join(filter(None, (said, paint(time, "dim", colours))))
    return f"{paint(clock, 'dim', colours)}  {_way(names, colours)}{between}{second}"


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
        _coloured(entry, *_said(entry), colours),
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


def _names(entry: Entry, namespaces: bool) -> list[str]:
    """Source, Service, Pod, escaped; what was not chosen is not named."""
    parties = [entry["src"], entry["dst"]]
    endpoint = entry.get("endpoint")
    if endpoint and endpoint != entry["dst"]:
        parties.append(endpoint)
    return [escape(name_of(party, namespaces)) for party in parties]


def _way(names: Sequence[str], colours: bool) -> str:
    source, *others = names
    painted = [
        paint(name, colour, colours)
        for name, colour in zip(others, ("cyan", "magenta"), strict=False)
    ]
    return _ARROW.join([source, *painted])


def _said(entry: Entry) -> tuple[str, str]:
    """The summary, escaped, in two: what was asked, and the status, "" where it does not end it."""
    summary = escape(entry["summary"])
    status = escape(entry.get("status") or "")
    if not status or not summary.endswith(status):
        return summary, ""
    return summary[: -len(status)], status


def _coloured(entry: Entry, asked: str, status: str, colours: bool) -> str:
    if not status:
        return paint(asked, "red", colours) if entry["error"] else asked
    return asked + paint(status, "red" if entry["error"] else "green", colours)


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
