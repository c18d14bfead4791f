"""What the API server does a second over etcd, beside raw puts to the same etcd.

Two API servers share the etcd; the second is only there for what crosses from one to the other.
"""

from __future__ import annotations

import asyncio
import itertools
import ssl
import tempfile
import time
from pathlib import Path

import orjson

from benchmarks import api_rates
from benchmarks.api_load import Connection, Load, request
from benchmarks.api_process import certificates, client_context, process
from benchmarks.etcd_process import etcd, put_rate
from benchmarks.measure import Report, Row, milliseconds, percentile

_EVENTS = 300


def run() -> Report:
    """Measure raw puts, then the API server's rates over the same etcd."""
    report = Report("The API server over etcd: requests a second over 16 connections")
    with tempfile.TemporaryDirectory(prefix="pilotfish-bench-") as name:
        folder = Path(name)
        certificates(folder)
        context = client_context(folder)
        etcd_port, peer_port, port, second = (api_rates.free_port() for _ in range(4))
        with etcd(folder / "etcd", etcd_port, peer_port):
            store = f"etcd://127.0.0.1:{etcd_port}"
            puts = api_rates.run_here(
                lambda: put_rate(
                    etcd_port, api_rates.CONNECTIONS, api_rates.PUT_SIZE, api_rates.DURATION_S
                )
            )
            with (
                process("server", folder, port, store),
                process("server", folder, second, store),
            ):
                rates = api_rates.run_here(lambda: api_rates.measure(port, context))
                crossing_s = api_rates.run_here(lambda: _crossing(port, second, context))
    for what, rate in rates.items():
        is_write = api_rates.is_write(what)
        beside = f"{puts:,.0f}/s: raw etcd puts" if is_write else ""
        ratio = rate / puts if is_write else None
        report.rows.append(Row(what, f"{rate:,.0f}/s", beside, ratio))
    p50, p99 = percentile(crossing_s, 0.5), percentile(crossing_s, 0.99)
    what = "from sending a write to one server to its event from another (p99)"
    report.rows.append(Row(what, milliseconds(p99), f"{milliseconds(p50)}: p50"))
    report.notes.append(
        "etcd, two API servers and load share the machine. The raw puts are of "
        f"{api_rates.PUT_SIZE:,} bytes, {api_rates.CONNECTIONS} at a time, by grpcio. "
        "GETs and LISTs are of the newest state: each has asked etcd, together with those that "
        "came meanwhile."
    )
    return report


async def _crossing(port: int, other: int, context: ssl.SSLContext) -> list[float]:
    """How long a write to one server takes until the other has sent its event, in seconds."""
    path = "/api/v1/namespaces/default/configmaps"
    body = orjson.dumps({"metadata": {"name": "crossing"}})
    load = await Load.open(port, context, 1)
    await load.rate(iter([request("POST", path, body)]))
    watcher, writer = (
        await Connection.open(other, context),
        await Connection.open(port, context),
    )
    events = await watcher.stream(
        request("GET", f"{path}?watch=true&fieldSelector=metadata.name%3Dcrossing")
    )
    await events.readline()
    latencies_s = []
    for number in itertools.count():
        if number == _EVENTS:
            break
        sent = time.monotonic()
        change = orjson.dumps({"data": {"number": f"<{number}>"}})
        merge = "application/merge-patch+json"
        writing = asyncio.create_task(
            writer.ask(request("PATCH", f"{path}/crossing", change, merge))
        )
        while f"<{number}>".encode() not in await events.readline():
            pass
        latencies_s.append(time.monotonic() - sent)
        await writing
    for connection in (load, watcher, writer):
        connection.close()
    return latencies_s
