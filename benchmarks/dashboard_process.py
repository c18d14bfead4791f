"""The dashboard's server with entries that are made up, at the rate that standard input asks for.

    python -m benchmarks.dashboard_process FOLDER

First it prints the port. A line on standard input is `RATE COUNT`: so many entries a second (0: as
quickly as can be), so many in all. A line of output answers when they are over: seconds they took.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
import time
from pathlib import Path

from pilotfish.dashboard import server
from pilotfish.dashboard.access import Access
from pilotfish.dashboard.dashboard import Dashboard
from pilotfish.dashboard.kubeconfig import Kubeconfig
from pilotfish.dashboard.sources import dashboard_of
from pilotfish.tap.entry import Entry
from support.dashboard import kubeconfig

KEY, INSTANCE = "00" * 32, "bench"
_TICK_S = 0.01


class Entries:
    """Requests between a few Pods, as the tap would tell them."""

    def __init__(self) -> None:
        self._number = 0

    def make(self) -> Entry:
        """The next one."""
        self._number += 1
        number, at_s = self._number, time.time()
        micros = f"{at_s % 1:.6f}"[1:]
        status = 500 if number % 50 == 0 else 200
        path = f"/demo/things/{number % 997}"
        client = _pod(f"client-{number % 5}", f"10.244.0.{5 + number % 5}", 40000 + number % 9999)
        service = {"name": "api", "namespace": "default", "labels": {}, "type": "ClusterIP"}
        return {
            "id": f"node-1-{number:06d}",
            "timestamp": f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(at_s))}{micros}Z",
            "protocol": "http",
            "node_name": "node-1",
            "src": client,
            "dst": {
                "ip": "10.96.0.20",
                "port": 80,
                "name": "api",
                "kind": "service",
                "service": {**service, "port": "http"},
            },
            "endpoint": _pod(f"api-{number % 3}", f"10.244.1.{7 + number % 3}", 8080),
            "probe": False,
            "method": "GET",
            "url": path,
            "path": path,
            "status_code": status,
            "status": str(status),
            "error": status >= 500,
            "summary": f"GET {path} → {status}",
            "failure": "",
            "elapsed_time": 900 + number % 400,
            "timing": {"connect": 100, "wait": 700, "transfer": 100},
            "bytes": {"request": 120, "response": 240},
            "conn": {
                "id": f"c{number // 10}",
                "first": number % 10 == 0,
                "whole": True,
                "state": "open",
                "packets": {"request": 2, "response": 2},
                "bytes": {"request": 120, "response": 240},
            },
            "request": {
                "method": "GET",
                "url": path,
                "path": path,
                "query": {},
                "version": "HTTP/1.1",
                "headers": {"host": "api", "user-agent": "bench/1", "accept": "*/*"},
                "body": "",
                "body_size": 0,
                "size": 120,
            },
            "response": {
                "status_code": status,
                "reason": "OK",
                "version": "HTTP/1.1",
                "headers": {"content-type": "application/json"},
                "body": '{"hello":"world"}',
                "body_size": 17,
                "size": 240,
            },
        }


def _pod(name: str, address: str, port: int) -> Entry:
    pod = {
        "name": name,
        "namespace": "default",
        "labels": {"app": name},
        "node": "node-1",
        "owner": {"kind": "Deployment", "name": name.rpartition("-")[0]},
    }
    return {"ip": address, "port": port, "name": name, "kind": "pod", "pod": pod}


async def main(folder: Path) -> None:
    """Serve, and make entries as asked."""
    os.environ["XDG_STATE_HOME"] = str(folder)
    logging.getLogger("pilotfish").addHandler(logging.NullHandler())
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    # A cluster that is not there: its name is all that is needed of it.
    of_nobody = kubeconfig(folder / "kubeconfig")
    dashboard = dashboard_of(Kubeconfig(of_nobody), lambda _line: None)
    access = Access(KEY, KEY, INSTANCE)
    app = server.application(dashboard, access, "127.0.0.1", port, lambda: None)
    runner = await server.start(app, "127.0.0.1", port)
    following = asyncio.create_task(dashboard.run())
    while dashboard.history is None:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    print(port, flush=True)
    try:
        entries = Entries()
        while line := await asyncio.to_thread(sys.stdin.readline):
            rate, count = (int(word) for word in line.split())
            print(f"{await _hear(dashboard, entries, rate, count):.3f}", flush=True)
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await runner.cleanup()


async def _hear(dashboard: Dashboard, entries: Entries, rate: int, count: int) -> float:
    """Let the dashboard hear entries evenly; how long it took. rate 0: as quickly as it can."""
    began, told = time.perf_counter(), 0
    while told < count:
        passed = time.perf_counter() - began
        due = min(count, int(passed * rate) + 1 if rate else told + 500)
        for _ in range(due - told):
            dashboard.hear(entries.make())
        told = due
        await asyncio.sleep(_TICK_S if rate else 0)
    return time.perf_counter() - began


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
