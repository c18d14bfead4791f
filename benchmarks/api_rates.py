"""What the API server does a second, alone on loopback with TLS and its durable store.

The ceiling beside it is the server library answering a constant, under the same load in the
same run; server and load share the machine.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import sqlite3
import ssl
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TypeVar

import orjson
import uvloop

from benchmarks.api_load import Connection, Load, request
from benchmarks.api_process import STORE, certificates, client_context, process
from benchmarks.etcd_process import etcd, put_rate
from benchmarks.measure import Report, Row, milliseconds, percentile

CONNECTIONS = 16
SERVICES = 2_000
PUT_SIZE = 1_000
DURATION_S = 3.0
LISTS_S = 4.0
PACED_WRITES_S = 500
WATCHES, EVENTS = 1_000, 100
PODS = 20_000

_T = TypeVar("_T")
_MERGE = "application/merge-patch+json"
_SERVICES = "/api/v1/namespaces/default/services"
_MAPS = "/api/v1/namespaces/default/configmaps"
_GOALS = {
    "creates (ConfigMaps)": 1_000,
    "creates (Services, with an address each)": 1_000,
    "GETs": 5_000,
    f"LISTs of {SERVICES:,} Services": 100,
}


def run() -> Report:
    """Measure rates, watches, and a full store."""
    report = Report("The API server: requests a second over 16 connections")
    with tempfile.TemporaryDirectory(prefix="pilotfish-bench-") as name:
        folder = Path(name)
        certificates(folder)
        context = client_context(folder)
        port = free_port()
        with process("constant", folder, port):
            ceiling = run_here(lambda: _ceiling(port, context))
        etcd_port = free_port()
        with etcd(folder / "etcd", etcd_port, free_port()):
            puts = run_here(lambda: put_rate(etcd_port, CONNECTIONS, PUT_SIZE, DURATION_S))
        with process("server", folder, port) as (_, empty_s):
            report.rows += _rows(run_here(lambda: measure(port, context)), ceiling)
            what = f"beside them: raw etcd puts of {PUT_SIZE:,} bytes, without any API server"
            report.rows.append(Row(what, f"{puts:,.0f}/s"))
            run_here(lambda: _latency(port, context, report))
            run_here(lambda: _fan_out(port, context, report))
            pod = run_here(lambda: _one_pod(port, context))
        _fill(folder / STORE, pod, PODS)
        with process("server", folder, port) as (pid, full_s):
            report.rows += [
                Row(
                    f"ready with {PODS:,} Pods in the store",
                    milliseconds(full_s),
                    f"{milliseconds(empty_s)}: ready with an empty one",
                    full_s / empty_s,
                ),
                Row(
                    f"memory with {PODS:,} Pods of {len(pod):,} bytes",
                    f"{_memory_mb(pid):.0f} MB",
                    f"{len(pod) * PODS / 1e6:.0f} MB: their JSON",
                ),
            ]
    report.notes += [
        "Load and server share the machine; each acknowledged write was fsynced.",
        "What made late events late was Python's full garbage collection: with 15,000 objects it "
        "stopped the server for 50 to 150 ms every few seconds, and found nothing. The control "
        "plane makes one only when its memory has doubled; the fsync behind every write takes "
        "about half a millisecond.",
    ]
    return report


def run_here(work: Callable[[], Coroutine[None, None, _T]]) -> _T:
    """Run it on a loop of its own."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work())


async def _ceiling(port: int, context: ssl.SSLContext) -> tuple[float, float]:
    """GETs and POSTs a second of a handler that answers a constant."""
    load = await Load.open(port, context, CONNECTIONS)
    got = await load.rate(itertools.repeat(request("GET", _SERVICES)), DURATION_S)
    posted = await load.rate(itertools.repeat(request("POST", _SERVICES, _service(0))), DURATION_S)
    load.close()
    return got, posted


def _service(number: int) -> bytes:
    return orjson.dumps(
        {
            "metadata": {"name": f"s-{number}", "labels": {"shard": str(number % 100)}},
            "spec": {"selector": {"app": f"s-{number}"}, "ports": [{"port": 80}]},
        }
    )


def _map(number: int) -> bytes:
    return orjson.dumps({"metadata": {"name": f"m-{number}"}, "data": {"key": "x" * 500}})


async def measure(port: int, context: ssl.SSLContext) -> dict[str, float]:
    """Requests of each kind a second, on a server that holds nothing yet."""
    load = await Load.open(port, context, CONNECTIONS)
    names = itertools.cycle(f"{_SERVICES}/s-{number}" for number in range(SERVICES))
    ticks = itertools.count()

    def patch() -> bytes:
        body = orjson.dumps({"metadata": {"annotations": {"tick": str(next(ticks))}}})
        return request("PATCH", next(names), body, _MERGE)

    rates: dict[str, float] = {}
    numbers = itertools.count()
    maps = (request("POST", _MAPS, _map(number)) for number in numbers)
    rates["creates (ConfigMaps)"] = await load.rate(maps, DURATION_S)
    services = (request("POST", _SERVICES, _service(number)) for number in range(SERVICES))
    rates["creates (Services, with an address each)"] = await load.rate(services)
    gets = (request("GET", name) for name in names)
    rates["GETs"] = await load.rate(gets, DURATION_S)
    rates["merge patches"] = await load.rate(iter(patch, b""), DURATION_S)
    everything = itertools.repeat(request("GET", _SERVICES))
    rates[f"LISTs of {SERVICES:,} Services"] = await load.rate(everything, LISTS_S)
    some = (
        request("GET", f"{_SERVICES}?labelSelector=shard%3D{number % 100}")
        for number in itertools.count()
    )
    what = f"label-selected LISTs ({SERVICES // 100} of {SERVICES:,})"
    rates[what] = await load.rate(some, DURATION_S)
    some_of_them = range(min(SERVICES, next(numbers)))
    deletes = (request("DELETE", f"{_MAPS}/m-{number}") for number in some_of_them)
    rates["deletes"] = await load.rate(deletes)
    load.close()
    return rates


def is_write(what: str) -> bool:
    """Whether a key of `measure` is that of a write."""
    return any(word in what for word in ("creates", "patches", "deletes"))


def _rows(rates: dict[str, float], ceiling: tuple[float, float]) -> list[Row]:
    """The rates beside what the server library can do at most."""
    rows = []
    for what, rate in rates.items():
        limit = ceiling[is_write(what)]
        goal = f"{_GOALS[what]:,}/s" if what in _GOALS else ""
        rows.append(Row(what, f"{rate:,.0f}/s", f"{limit:,.0f}/s: a constant", rate / limit, goal))
    return rows


async def _latency(port: int, context: ssl.SSLContext, report: Report) -> None:
    """From sending a write to having its event, at a steady pace."""
    watcher = await Connection.open(port, context)
    load = [await Connection.open(port, context) for _ in range(CONNECTIONS)]
    await load[0].ask(request("POST", _MAPS, orjson.dumps({"metadata": {"name": "paced"}})))
    # What is measured is the server's delay: this process must have nothing else to read.
    path = f"{_MAPS}?fieldSelector=metadata.name%3Dpaced&watch=true"
    events = await watcher.stream(request("GET", path))
    latencies_s: list[float] = []
    total = int(PACED_WRITES_S * DURATION_S)

    async def receive() -> None:
        while len(latencies_s) < total:
            line = await events.readline()
            found = line.find(b'"sent":"')
            if found >= 0 and b'"MODIFIED"' in line:
                start = found + len(b'"sent":"')
                sent_ns = int(line[start : line.index(b'"', start)])
                latencies_s.append((time.monotonic_ns() - sent_ns) / 1e9)

    async def send(connection: Connection, first: int) -> None:
        began = time.monotonic()
        for number in range(first, total, len(load)):
            await asyncio.sleep(began + number / PACED_WRITES_S - time.monotonic())
            body = orjson.dumps({"data": {"sent": str(time.monotonic_ns())}})
            await connection.ask(request("PATCH", f"{_MAPS}/paced", body, _MERGE))

    receiving = asyncio.create_task(receive())
    await asyncio.gather(*(send(connection, index) for index, connection in enumerate(load)))
    await asyncio.wait_for(receiving, 10)
    for connection in (*load, watcher):
        connection.close()
    p50, p99 = percentile(latencies_s, 0.5), percentile(latencies_s, 0.99)
    what = f"from sending a write to its event, at {PACED_WRITES_S} writes/s (p99)"
    report.rows.append(Row(what, milliseconds(p99), f"{milliseconds(p50)}: p50", goal="20 ms"))


async def _fan_out(port: int, context: ssl.SSLContext, report: Report) -> None:
    """Many watches that all see the same changes."""
    path = f"{_MAPS}?fieldSelector=metadata.name%3Dfan&watch=true"
    writer = await Connection.open(port, context)
    await writer.ask(request("POST", _MAPS, orjson.dumps({"metadata": {"name": "fan"}})))
    watchers = [await Connection.open(port, context) for _ in range(WATCHES)]
    streams = [await watcher.stream(request("GET", path)) for watcher in watchers]

    async def count(stream: asyncio.StreamReader) -> None:
        seen = 0
        while seen < EVENTS:
            seen += (await stream.readline()).count(b'"MODIFIED"')

    began = time.monotonic()
    counting = [asyncio.create_task(count(stream)) for stream in streams]
    for number in range(EVENTS):
        body = orjson.dumps({"data": {"number": str(number)}})
        await writer.ask(request("PATCH", f"{_MAPS}/fan", body, _MERGE))
    await asyncio.wait_for(asyncio.gather(*counting), 60)
    taken_s = time.monotonic() - began
    for watcher in (*watchers, writer):
        watcher.close()
    rate = WATCHES * EVENTS / taken_s
    what = f"{EVENTS} events to {WATCHES:,} watches each"
    report.rows.append(Row(what, f"{taken_s:.3g} s", f"{rate:,.0f} events/s delivered"))


async def _one_pod(port: int, context: ssl.SSLContext) -> bytes:
    """A Pod as the server stores it."""
    connection = await Connection.open(port, context)
    container = {"name": "main", "image": "host", "command": ["sleep", "1000"]}
    pod = {
        "metadata": {"name": "p-00000", "labels": {"app": "bench"}},
        "spec": {"containers": [container], "nodeName": "node-1"},
    }
    path = "/api/v1/namespaces/default/pods"
    answer = await connection.ask(request("POST", path, orjson.dumps(pod)))
    connection.close()
    return answer


def _fill(store: Path, pod: bytes, count: int) -> None:
    """Put copies of a Pod into the store of a server that is down."""
    first = orjson.loads(pod)
    uid = first["metadata"]["uid"].encode()
    with sqlite3.connect(store) as connection:
        found = connection.execute("SELECT value FROM state WHERE name = 'revision'")
        revision = found.fetchone()[0]
        rows = []
        for number in range(1, count):
            name = f"p-{number:05}"
            value = pod.replace(b"p-00000", name.encode())
            value = value.replace(uid, uid[:-5] + f"{number:05}".encode())
            rows.append(("pods", f"default/{name}", revision + number, value))
        connection.executemany("INSERT INTO objects VALUES (?, ?, ?, ?)", rows)
        connection.execute(
            "UPDATE state SET value = ? WHERE name = 'revision'", (revision + count,)
        )
    connection.close()


def _memory_mb(pid: int) -> float:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
