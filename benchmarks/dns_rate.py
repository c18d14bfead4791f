"""Queries a second that the cluster DNS answers on one core, beside a bare echo loop in Python.

The echo loop is the limit for any server written in Python: it receives a datagram, turns the
"reply" bit on and sends it back. Both are asked by dnsperf over loopback, which needs a core of
its own.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable
from multiprocessing.synchronize import Event
from pathlib import Path

from benchmarks.measure import Report, Row

SERVICES = 1000
DURATION_S = 3
_COMMAND = ("dnsperf", "-s", "127.0.0.1", "-l", str(DURATION_S), "-c", "8", "-q", "200")


def run() -> Report:
    """Measure found names, then names that do not exist, then the echo loop."""
    if shutil.which("dnsperf") is None:
        raise SystemExit("dnsperf is not installed; on Debian: apt-get install dnsperf")
    found = [f"web-{n}.default.svc.cluster.local A" for n in range(SERVICES)]
    # What a resolver's search list makes of every name outside the cluster.
    missing = [f"www{n}.example.com.default.svc.cluster.local A" for n in range(SERVICES)]
    echo = _rate(_serve_echo, found)
    beside = f"a Python loop that only echoes: {echo:,.0f}/s"
    report = Report("DNS answers a second on one core")
    for what, questions in (("Services' names", found), ("names that do not exist", missing)):
        rate = _rate(_serve_dns, questions)
        report.rows.append(Row(what, f"{rate:,.0f}/s", beside, rate / echo))
    return report


def _rate(serve: Callable[[int, Event], None], questions: list[str]) -> float:
    """What dnsperf counts with `serve` in a process of its own."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ready = multiprocessing.Event()
    server = multiprocessing.Process(target=serve, args=(port, ready), daemon=True)
    server.start()
    try:
        ready.wait(10)
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as data:
            Path(data.name).write_text("\n".join(questions) + "\n")
            command = [*_COMMAND, "-p", str(port), "-d", data.name]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
    finally:
        server.kill()
        server.join()
    rate = re.search(r"Queries per second:\s+([\d.]+)", done.stdout)
    if rate is None:
        raise SystemExit(f"dnsperf said nothing of a rate: {done.stdout}{done.stderr}")
    return float(rate[1])


def _serve_echo(port: int, ready: Event) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind(("127.0.0.1", port))
        ready.set()
        while True:
            packet, asker = opened.recvfrom(4096)
            opened.sendto(packet[:2] + b"\x81\x80" + packet[4:], asker)


def _serve_dns(port: int, ready: Event) -> None:
    import uvloop

    from pilotfish.dns.compiler import Compiler
    from pilotfish.dns.forwarder import Forwarder
    from pilotfish.dns.resolv_conf import ResolvConf
    from pilotfish.dns.udp import UdpServer

    compiler = Compiler("cluster.local", "10.96.0.10", ["10.96.0.0/12"])
    compiler.set_namespace("default", present=True)
    for number in range(SERVICES):
        address = f"10.97.{number // 250}.{number % 250 + 1}"
        metadata = {"name": f"web-{number}", "namespace": "default"}
        spec = {"clusterIP": address, "ports": [{"name": "http", "port": 80}]}
        compiler.set_service({"metadata": metadata, "spec": spec}, [])
    compiler.answerer.synced = True

    async def serve() -> None:
        forwarder = Forwarder(ResolvConf(Path("/etc/resolv.conf"), own=()))
        UdpServer(compiler.answerer, forwarder).start("127.0.0.1", port)
        ready.set()
        await asyncio.Event().wait()

    uvloop.run(serve())
