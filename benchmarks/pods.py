"""A ReplicaSet scaled from 0 to 50: until every Pod is Ready.

The limit beside it: the same number of containers of the same kind, each with
an overlay and a network namespace, started with runc and nothing else.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.cluster import Bench, cluster, wait_until
from benchmarks.measure import Report, Row, milliseconds

PODS = 50
RUNS = 3

REPLICA_SET = {
    "apiVersion": "apps/v1",
    "kind": "ReplicaSet",
    "metadata": {"name": "many", "namespace": "default"},
    "spec": {
        "replicas": 0,
        "selector": {"matchLabels": {"app": "many"}},
        "template": {
            "metadata": {"labels": {"app": "many"}},
            "spec": {
                "terminationGracePeriodSeconds": 0,
                "containers": [
                    {"name": "sleep", "image": "host", "command": ["sleep", "infinity"]}
                ],
            },
        },
    },
}


def run() -> Report:
    """Scale up and down several times on a two-node cluster."""
    report = Report(f"A ReplicaSet from 0 to {PODS} Pods")
    with cluster(nodes=2) as bench:
        bench.apply(REPLICA_SET)
        scaled_s = [_scale(bench) for _ in range(RUNS)]
    bare_s = [_bare() for _ in range(RUNS)]
    median_s, limit_s = statistics.median(scaled_s), statistics.median(bare_s)
    report.rows.append(
        Row(
            f"0 → {PODS} Pods Ready, two nodes (median of {RUNS})",
            milliseconds(median_s),
            f"{milliseconds(limit_s)}: {PODS} bare `runc run`, two at a time",
            median_s / limit_s,
        )
    )
    return report


def _scale(bench: Bench) -> float:
    def ready() -> bool:
        status = bench.kubectl("get", "rs", "many", "-o", "jsonpath={.status.readyReplicas}")
        return status == str(PODS)

    began = time.monotonic()
    bench.kubectl("scale", "rs", "many", f"--replicas={PODS}")
    wait_until(ready)
    taken_s = time.monotonic() - began
    bench.kubectl("scale", "rs", "many", "--replicas=0")
    wait_until(lambda: not bench.kubectl("get", "pods", "-l", "app=many", "-o", "name"))
    return taken_s


def _bare() -> float:
    """Seconds until the containers run, each over an overlay of the machine's filesystem."""
    with tempfile.TemporaryDirectory(prefix="pilotfish-bench-") as folder:
        bundles = [_bundle(Path(folder) / f"b{number}") for number in range(PODS)]
        began = time.monotonic()
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(_run, bundles))
        taken_s = time.monotonic() - began
        for bundle in bundles:
            subprocess.run(["runc", "delete", "--force", _identity(bundle)], check=True)
            subprocess.run(["umount", bundle / "rootfs"], check=True)
    return taken_s


def _bundle(bundle: Path) -> Path:
    for part in ("rootfs", "upper", "work"):
        (bundle / part).mkdir(parents=True)
    subprocess.run(["runc", "spec", "--bundle", bundle], check=True)
    file = bundle / "config.json"
    config = json.loads(file.read_text())
    config["process"] |= {"terminal": False, "args": ["sleep", "infinity"]}
    file.write_text(json.dumps(config))
    return bundle


def _run(bundle: Path) -> None:
    layers = f"lowerdir=/,upperdir={bundle}/upper,workdir={bundle}/work"
    subprocess.run(
        ["mount", "-t", "overlay", "-o", layers, "overlay", bundle / "rootfs"], check=True
    )
    # The container keeps what it is given: a pipe would hold this program up.
    subprocess.run(
        ["runc", "run", "--detach", "--bundle", bundle, _identity(bundle)],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _identity(bundle: Path) -> str:
    return f"pilotfish-bench-{bundle.name}"
