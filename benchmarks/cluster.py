"""A throwaway cluster to measure on, driven as a user would drive it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NAME = "bench"


class Bench:
    """A running cluster named `bench`, with a kubeconfig of its own."""

    def __init__(self, folder: Path) -> None:
        self._environment = {**os.environ, "KUBECONFIG": str(folder / "kubeconfig")}

    @property
    def kubeconfig(self) -> str:
        """The path of its kubeconfig."""
        return self._environment["KUBECONFIG"]

    def pilotfish(self, *arguments: str) -> str:
        """Run the command line; what it printed."""
        command = [sys.executable, "-m", "pilotfish", *arguments, "--name", NAME]
        return self._run(command)

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """Run kubectl against the cluster; what it printed."""
        program = shutil.which("kubectl")
        if program is None:
            raise SystemExit("kubectl is not installed; `tools/setup dev` brings one")
        return self._run([program, *arguments], stdin)

    def status(self) -> dict[str, Any]:
        """`pilotfish status -o json` of this cluster."""
        found: dict[str, Any] = json.loads(self.pilotfish("status", "-o", "json"))[0]
        return found

    def apply(self, *manifests: dict[str, Any]) -> None:
        """Create or change objects."""
        items = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
        self.kubectl("apply", "-f", "-", stdin=json.dumps(items))

    def _run(self, command: list[str], stdin: str = "") -> str:
        done = subprocess.run(
            command, input=stdin, env=self._environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr or done.stdout}")
        return done.stdout


@contextlib.contextmanager
def environment() -> Iterator[Bench]:
    """The commands of a cluster that the caller starts; it is taken down in any case."""
    with tempfile.TemporaryDirectory(prefix="pilotfish-bench-") as folder:
        bench = Bench(Path(folder))
        try:
            yield bench
        finally:
            # Nothing was started if `up` itself failed before it wrote anything down.
            with contextlib.suppress(SystemExit):
                bench.pilotfish("down")


@contextlib.contextmanager
def cluster(nodes: int = 1) -> Iterator[Bench]:
    """A cluster that answers."""
    with environment() as bench:
        bench.pilotfish("up", "--nodes", str(nodes))
        yield bench


def wait_until(condition: Any, timeout_s: float = 120.0, every_s: float = 0.02) -> None:
    """Ask until `condition()` is true; SystemExit when it does not become so in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"gave up after {timeout_s} s: {condition}")
        time.sleep(every_s)
