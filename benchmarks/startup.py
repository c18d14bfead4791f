"""`pilotfish up` to the first answer through a ClusterIP, and the memory of what then runs.

The limit beside it: an interpreter that only imports the libraries a cluster
needs, which no start-up can undercut without shedding one.
"""

from __future__ import annotations

import ipaddress
import ssl
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request

from benchmarks.cluster import Bench, environment
from benchmarks.measure import Report, Row, milliseconds

RUNS = 5
# What a cluster's processes import from elsewhere, and the certificates' library for `up` itself.
LIBRARIES = "aiohttp.web, cryptography.x509, orjson, uvloop, yaml"


def run() -> Report:
    """Start a one-node cluster several times; timeline and memory are those of the last."""
    report = Report("Start-up and memory of a one-node cluster")
    times_s, imports_s = [], []
    for _ in range(RUNS):
        imports_s.append(_import_time_s())
        with environment() as bench:
            taken_s, timeline = _start(bench)
            times_s.append(taken_s)
            processes = bench.status()["processes"]
    start_s, floor_s = statistics.median(times_s), statistics.median(imports_s)
    resident = sum(process["residentBytes"] for process in processes) / 1e6
    proportional = sum(process["proportionalBytes"] for process in processes) / 1e6
    report.rows += [
        Row(
            "`pilotfish up` to the first answer through a ClusterIP (median of "
            f"{RUNS}, {milliseconds(min(times_s))} to {milliseconds(max(times_s))})",
            milliseconds(start_s),
            f"{milliseconds(floor_s)}: importing the libraries, nothing else",
            start_s / floor_s,
            "1.5 s",
        ),
        Row("memory, shared pages counted once (PSS)", f"{proportional:.0f} MB", goal="150 MB"),
        Row("memory, shared pages counted in each process (RSS)", f"{resident:.0f} MB"),
    ]
    each = ", ".join(
        f"{process['name']} {process['proportionalBytes'] / 1e6:.0f} MB" for process in processes
    )
    report.notes.append(f"PSS by process: {each}.")
    report.notes.append(f"Where the time of the last start went:\n\n```\n{timeline}\n```")
    return report


def _start(bench: Bench) -> tuple[float, str]:
    """Seconds until the API answers through its ClusterIP, and the timeline as text."""
    began = time.monotonic()
    printed = bench.pilotfish("up", "--timeline")
    up_s = time.monotonic() - began
    # Which address that is, is asked off the clock.
    network = ipaddress.IPv4Network(bench.status()["serviceRange"])
    began = time.monotonic()
    _answer(f"https://{network[1]}/version")
    lines = [line for line in printed.splitlines() if " ms  " in line]
    return up_s + time.monotonic() - began, "\n".join(lines)


def _answer(url: str) -> None:
    """Any answer counts, also the 401 that a stranger gets."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        urllib.request.urlopen(url, context=context, timeout=5).close()
    except urllib.error.HTTPError as refused:
        refused.close()


def _import_time_s() -> float:
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", f"import {LIBRARIES}"], check=True)
    return time.monotonic() - began
