"""Entries a second on one core: whole, and when a filter asks for a few of their fields.

The requests are dissected already; names are known for the connection's ends.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from benchmarks.measure import Report, Row
from pilotfish.tap import filter
from pilotfish.tap.connection import Connection
from pilotfish.tap.dissectors.http_message import HttpMessage
from pilotfish.tap.entry import LazyEntry
from pilotfish.tap.exchange import Exchange
from pilotfish.tap.filter.shapes import Entry
from pilotfish.tap.identity import Identity

EXCHANGES = 50_000
ROUNDS = 3

_REQUEST = (
    b"GET /demo/hello?x=1 HTTP/1.1\r\nHost: api\r\nUser-Agent: curl/8\r\nAccept: */*\r\n"
    b"Cookie: session=1"
)
_RESPONSE = (
    b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nContent-Type: text/plain\r\nContent-Length: 5"
)
FILTERS = (
    ('http && method == "POST" && status_code >= 500', "50,000 entries/s"),
    ('request.headers["host"] == "web"', ""),
    ('dst.service.name == "api" && elapsed_time > 100000', ""),
    ('url.matches("^/v[0-9]+/")', ""),
)


def run() -> Report:
    """Make entries of the same exchanges in each way; the best of some rounds counts."""
    report = Report("The tap: entries and filters, one core")
    names = Identity()
    whole_s = _best(lambda exchange: LazyEntry(exchange, names, None, "node-1", 1).whole())
    report.rows.append(_row("whole entries", whole_s, ""))
    for text, goal in FILTERS:
        matches = filter.compile(text).matches
        taken_s = _best(partial(_filter, matches, names))
        report.rows.append(_row(f"entries seen by `{text}`", taken_s, goal))
    entry = LazyEntry(_exchange(), names, None, "node-1", 1).whole()
    for text, _ in FILTERS:
        matches = filter.compile(text).matches
        taken_s = _best(partial(_match_same, matches, entry))
        report.rows.append(Row(f"`{text}` by itself", f"{taken_s / EXCHANGES * 1e6:.2f} µs"))
    return report


def _filter(matches: Callable[[Entry], bool], names: Identity, exchange: Exchange) -> None:
    matches(LazyEntry(exchange, names, None, "node-1", 1))


def _match_same(matches: Callable[[Entry], bool], entry: Entry, _: Exchange) -> None:
    matches(entry)


def _row(what: str, taken_s: float, goal: str) -> Row:
    each_us = taken_s / EXCHANGES * 1e6
    return Row(what, f"{EXCHANGES / taken_s:,.0f} entries/s, {each_us:.1f} µs each", goal=goal)


def _best(work: Callable[[Exchange], object]) -> float:
    """Seconds of processor time for all exchanges."""
    best_s = float("inf")
    for _ in range(ROUNDS):
        exchanges = [_exchange() for _ in range(EXCHANGES)]
        began_s = time.process_time()
        for exchange in exchanges:
            work(exchange)
        best_s = min(best_s, time.process_time() - began_s)
    return best_s


def _exchange() -> Exchange:
    connection = Connection(b"\x0a\xf4\0\5", 40000, b"\x0a\xf4\1\7", 80, 1000.0)
    connection.established_s = 1000.0001
    request = HttpMessage(_REQUEST, len(_REQUEST) + 4)
    response = HttpMessage(_RESPONSE, len(_RESPONSE) + 9, b"hello", 5)
    return Exchange("http", connection, request, 1000.001, response, 1000.002, 1000.0021)
