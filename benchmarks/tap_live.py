"""The tap on live traffic: wrk against nginx through a ClusterIP, as fast as both can.

All on one machine: wrk, nginx, the tap and its viewer share the processors, so what the tap
costs the traffic is mostly its share of them.
"""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import threading
from types import TracebackType
from typing import Any

from benchmarks.cluster import Bench, cluster, wait_until
from benchmarks.measure import Report, Row
from pilotfish.client.api import Client
from pilotfish.client.config import ClientConfig
from pilotfish.tap.config import PORT

CONNECTIONS = 16
SECONDS = 4
RUNS = 3

NGINX = """daemon off; master_process off; pid /tmp/nginx.pid; error_log stderr;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 1000000;
  server { listen 8080; location / { return 200 "hello\\n"; } } }
"""
_REQUESTS = re.compile(r"(\d+) requests in")
_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")


def run() -> Report:
    """Measure with and without a viewer, in turns."""
    report = Report("The tap on live traffic")
    without, during, shares, dropped = [], [], [], 0
    with cluster() as bench:
        address = _application(bench)
        for _ in range(RUNS):
            without.append(_wrk(bench, address)[1])
            with Counter(bench) as counter:
                sent, rate = _wrk(bench, address)
                counter.wait_all_told()
            during.append(rate)
            # What wrk has under way when it stops is seen, but wrk does not count it.
            shares.append(min(counter.requests / sent, 1.0))
            dropped += counter.status.get("dropped", 0) + counter.status.get("skipped", 0)
    free, tapped = statistics.median(without), statistics.median(during)
    report.rows += [
        Row(
            f"requests seen, of all ({RUNS} runs of {SECONDS} s; worst)",
            f"{100 * min(shares):.2f} %",
            f"{dropped} packets or requests dropped",
            goal="all of them",
        ),
        Row(
            "requests/s while tapped (median)",
            f"{tapped:,.0f}",
            f"{free:,.0f} without a viewer",
            tapped / free,
        ),
    ]
    report.notes.append(
        f"One node; wrk in a Pod with {CONNECTIONS} connections kept alive, nginx with one worker "
        "in another. The viewer gets every entry as JSON through the API server, and counts."
    )
    return report


def _application(bench: Bench) -> str:
    """nginx and wrk, ready; the Service's address."""
    pods: list[dict[str, Any]] = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": {"app": name}},
            "spec": {
                "containers": [
                    {
                        "name": "c",
                        "image": "host",
                        "command": command,
                        "volumeMounts": [{"name": "conf", "mountPath": "/conf"}],
                    }
                ],
                "volumes": [{"name": "conf", "configMap": {"name": "nginx"}}],
            },
        }
        for name, command in (
            ("web", ["nginx", "-c", "/conf/nginx.conf"]),
            ("client", ["sleep", "infinity"]),
        )
    ]
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "nginx"},
        "data": {"nginx.conf": NGINX},
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
    }
    bench.apply(config, service, *pods)
    bench.kubectl("wait", "--for=condition=Ready", "pod", "--all", "--timeout=30s")

    def has_endpoint() -> bool:
        found = json.loads(bench.kubectl("get", "endpoints", "web", "-o", "json"))
        return bool(found.get("subsets"))

    wait_until(has_endpoint)
    return bench.kubectl("get", "service", "web", "-o", "jsonpath={.spec.clusterIP}")


def _wrk(bench: Bench, address: str) -> tuple[int, float]:
    """Requests sent, and how many a second."""
    options = ["-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}"]
    said = bench.kubectl("exec", "client", "--", "wrk", *options, f"http://{address}/")
    requests, rate = _REQUESTS.search(said), _RATE.search(said)
    if requests is None or rate is None:
        raise SystemExit(f"wrk said:\n{said}")
    return int(requests[1]), float(rate[1])


class Counter:
    """A viewer that counts the HTTP requests that it is told about, in a thread of its own.

    Attributes:
        requests: how many.
        status: the worker's counters, as told last.
    """

    def __init__(self, bench: Bench) -> None:
        self.requests = 0
        self.status: dict[str, int] = {}
        self._config = ClientConfig.from_kubeconfig(bench.kubeconfig)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Counter:
        self._thread.start()
        wait_until(lambda: self.status)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join()

    def wait_all_told(self) -> None:
        """Return when nothing more is coming."""
        told = [(-1, -1)]

        def silent() -> bool:
            told.append((self.requests, self.status["entries"]))
            return told[-1] == told[-2]

        # Longer than it takes until the worker says the next time how it stands.
        wait_until(silent, every_s=1.5)

    def _run(self) -> None:
        self._task = self._loop.create_task(self._count())
        try:
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            return
        finally:
            self._loop.close()

    async def _count(self) -> None:
        path = f"/api/v1/nodes/https:node-1:{PORT}/proxy/v1/entries"
        rest = b""
        async with Client(self._config) as client:
            async for piece in client.stream(path):
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    if line.startswith(b'{"worker"'):
                        self.status = json.loads(line)["worker"]
                    elif b'"protocol":"http"' in line[:200]:
                        self.requests += 1
