"""How fast entries are recorded and found again, and what they take on disk."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.measure import Report, Row
from pilotfish.tap import filter
from pilotfish.tap.entry import Entry, timestamp
from pilotfish.tap.history.history import MAX_BYTES, History, HistoryView

ENTRIES = 200_000
_A_SECOND = 20_000
_BEGUN_S = 1_767_268_800.0
_FLUSH_EVERY = 5_000


def run() -> Report:
    """Record entries at once, as processor time; then look for some of them."""
    report = Report("The tap's history, one core")
    with tempfile.TemporaryDirectory() as folder:
        history = History(Path(folder))
        began_s = time.process_time()
        made_s = 0.0
        for number in range(ENTRIES):
            if number % _FLUSH_EVERY == 0:
                history.flush()
                making_s = time.process_time()
                entries = [_entry(number + each) for each in range(_FLUSH_EVERY)]
                made_s += time.process_time() - making_s
            history.record(entries[number % _FLUSH_EVERY])
        history.close()
        taken_s = time.process_time() - began_s - made_s
        report.rows += _rows(Path(folder), taken_s)
    return report


def _rows(folder: Path, recording_s: float) -> list[Row]:
    view = HistoryView(folder)
    span = view.span()
    assert span is not None
    each = span.bytes / span.records
    failed = filter.compile("http && status_code == 500").matches
    search_s = _taken(lambda: list(view.query(matches=failed)))
    last_s = _taken(lambda: list(view.query(newest_first=True, limit=1000)))
    second = span.last_us - 1_000_000
    cold_s = _taken(lambda: sum(1 for _ in HistoryView(folder).query(second)))
    return [
        Row(
            "recorded",
            f"{ENTRIES / recording_s:,.0f} entries/s, {recording_s / ENTRIES * 1e6:.1f} µs each",
            goal="20,000 entries/s",
        ),
        Row("on disk", f"{each:.0f} bytes an entry, {MAX_BYTES / each:,.0f} entries at the most"),
        Row("searched with a filter", f"{ENTRIES / search_s:,.0f} entries/s"),
        Row("the newest 1,000", f"{last_s * 1e3:.1f} ms"),
        Row("opened, and the last second read", f"{cold_s * 1e3:.0f} ms, {_A_SECOND:,} entries"),
    ]


def _taken(work: Callable[[], Any]) -> float:
    began_s = time.process_time()
    work()
    return time.process_time() - began_s


def _entry(number: int) -> Entry:
    """A request of one of several Pods, through one of several Services."""
    at_s = _BEGUN_S + number / _A_SECOND
    shop, port = f"shop-{number % 7}", 30000 + number % 30000
    labels = {"app": shop, "pod-template-hash": "7c9f8d5b6"}
    pod = {"namespace": "default", "labels": labels, "node": "node-1"}
    conn = f"10.244.0.{number % 9}:{port}>10.96.3.{number % 7}:80@{at_s:.6f}"
    size = random.randrange(50, 2000)
    sizes = {"request": 120, "response": size}
    return {
        "id": f"node-1-{number:06d}",
        "timestamp": timestamp(at_s),
        "protocol": "http",
        "node_name": "node-1",
        "src": _peer("pod", f"10.244.0.{number % 9}", port, "client", pod=pod),
        "dst": _peer("service", f"10.96.3.{number % 7}", 80, shop, service=pod),
        "endpoint": _peer("pod", f"10.244.1.{number % 50}", 8080, shop, pod=pod),
        "method": "GET",
        "url": f"/items/{number}?user={number % 1000}",
        "path": f"/items/{number}",
        "status_code": 200 if number % 100 else 500,
        "status": "200" if number % 100 else "500",
        "summary": f"GET /items/{number} → 200",
        "error": not number % 100,
        "failure": "",
        "elapsed_time": random.randrange(200, 20_000),
        "timing": {"connect": 90, "wait": random.randrange(200, 20_000), "transfer": 20},
        "bytes": sizes,
        "request": {
            "method": "GET",
            "url": f"/items/{number}?user={number % 1000}",
            "path": f"/items/{number}",
            "version": "HTTP/1.1",
            "query": {"user": str(number % 1000)},
            "headers": {"host": shop, "user-agent": "curl/8", "x-id": random.randbytes(16).hex()},
            "body": "",
            "body_size": 0,
            "size": 120,
        },
        "response": {
            "status_code": 200,
            "reason": "OK",
            "version": "HTTP/1.1",
            "headers": {"content-type": "application/json", "content-length": str(size)},
            "body": f'{{"id": {number}, "tags": "{random.randbytes(40).hex()}"}}',
            "body_size": size,
            "size": size,
        },
        "conn": {
            "id": conn,
            "first": True,
            "whole": True,
            "state": "open",
            "packets": {"request": 4, "response": 3},
            "bytes": sizes,
        },
        "probe": False,
    }


def _peer(kind: str, ip: str, port: int, name: str, **described: Any) -> dict[str, Any]:
    (key, value), *_ = described.items()
    return {"ip": ip, "port": port, "name": name, "kind": kind, key: {**value, "name": name}}
