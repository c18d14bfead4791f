"""From a Pod's failing readiness probe until the kernel's tables no longer hold it.

The clock starts in the Pod, with the answer that makes the probe fail, and
stops when `nft monitor` on the node shows the endpoint's removal. On the way:
the kubelet's verdict, a status patch, the store, a watch, the EndpointSlice
controller, the store and a watch again, the proxy, the kernel.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator
from threading import Thread
from typing import Any

from benchmarks.cluster import NAME, Bench, cluster, wait_until
from benchmarks.measure import Report, Row, milliseconds, percentile

PODS = 10
EVENTS = 200

# Answers its readiness probe with 200 and 503 in turn, and says when it said 503.
PROGRAM = """
import http.server, itertools, time
turn = itertools.count()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        ready = next(turn) % 2 == 0
        self.send_response(200 if ready else 503)
        self.end_headers()
        if not ready:
            print(f"{time.time():.6f}", flush=True)
    def log_message(self, *_):
        pass
http.server.HTTPServer(("", 8080), Handler).serve_forever()
"""

_CHANGED = re.compile(r"(add|delete) element .*endpoints.*: (\d+\.\d+\.\d+\.\d+) ")
# An endpoint that moves to the slot of a removed one leaves its own in the same transaction.
_MOVE_S = 0.1


def run() -> Report:
    """Let the readiness of several Pods flap; match what they said with what the kernel did."""
    report = Report("A Pod turns unready: until the kernel's tables no longer hold it")
    with cluster() as bench:
        removed_s: dict[str, list[float]] = defaultdict(list)
        with _watching(removed_s):
            bench.apply(*_manifests())
            wait_until(lambda: sum(map(len, removed_s.values())) >= EVENTS, timeout_s=180)
        delays_s = [delay_s for pod in _pods(bench) for delay_s in _delays(bench, pod, removed_s)]
    report.rows += [
        Row(
            f"probe's answer to kernel, p50 ({len(delays_s)} times, {PODS} Pods)",
            milliseconds(percentile(delays_s, 0.5)),
        ),
        Row("p99", milliseconds(percentile(delays_s, 0.99)), goal="20 ms"),
        Row("longest", milliseconds(max(delays_s))),
    ]
    return report


def _manifests() -> list[dict[str, Any]]:
    labels = {"app": "flap"}
    container = {
        "name": "flap",
        "image": "host",
        "command": ["python3", "-c", PROGRAM],
        "readinessProbe": {
            "httpGet": {"port": 8080},
            "periodSeconds": 1,
            "failureThreshold": 1,
        },
    }
    template = {
        "metadata": {"labels": labels},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]},
    }
    metadata = {"name": "flap", "namespace": "default"}
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": 8080}]},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": metadata,
            "spec": {"replicas": PODS, "selector": {"matchLabels": labels}, "template": template},
        },
    ]


def _pods(bench: Bench) -> list[tuple[str, str]]:
    """The (name, address) of each Pod."""
    paths = '{range .items[*]}{.metadata.name} {.status.podIP}{"\\n"}{end}'
    lines = bench.kubectl("get", "pods", "-l", "app=flap", "-o", f"jsonpath={paths}").splitlines()
    return [(name, address) for name, _, address in (line.partition(" ") for line in lines)]


def _delays(
    bench: Bench, pod: tuple[str, str], removed_s: dict[str, list[float]]
) -> Iterator[float]:
    """For each removal of the Pod's endpoint: how long before that its last 503 was."""
    name, address = pod
    said_s = [float(line) for line in bench.kubectl("logs", name, "--tail=-1").splitlines()]
    for moment_s in removed_s[address]:
        before = [said for said in said_s if said <= moment_s]
        if before:
            yield moment_s - before[-1]


@contextlib.contextmanager
def _watching(removed_s: dict[str, list[float]]) -> Iterator[None]:
    """Note when the node's kernel removes an endpoint, by the endpoint's address."""
    namespace = f"--net=/run/netns/pf-{NAME}-node-1"
    monitor = subprocess.Popen(
        ["nsenter", namespace, "nft", "monitor", "elements"], stdout=subprocess.PIPE, text=True
    )

    added_s: dict[str, float] = {}

    def follow() -> None:
        for line in monitor.stdout or ():
            if not (found := _CHANGED.search(line)):
                continue
            now_s, address = time.time(), found[2]
            moments_s = removed_s[address]
            if found[1] == "add":
                added_s[address] = now_s
                if moments_s and now_s - moments_s[-1] < _MOVE_S:
                    moments_s.pop()
            elif now_s - added_s.get(address, 0.0) > _MOVE_S:
                moments_s.append(now_s)

    reader = Thread(target=follow, daemon=True)
    reader.start()
    try:
        yield
    finally:
        monitor.terminate()
        monitor.wait()
        reader.join()
