"""Commands as a user of a cluster runs them: pilotfish, kubectl, curl."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def eventually(holds: Callable[[], bool], what: str, timeout_s: float = 30.0) -> None:
    """Wait for something to come true."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {what}"
        time.sleep(0.05)


class Shell:
    """Runs commands as a user of the cluster would, with its kubeconfig."""

    def __init__(self, kubeconfig: Path) -> None:
        self.environment = {**os.environ, "KUBECONFIG": str(kubeconfig)}

    def run(
        self, *command: str, stdin: str = "", timeout_s: float = 60
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
            env=self.environment,
        )

    def out(self, *command: str, stdin: str = "") -> str:
        """Standard output of a command that has to succeed."""
        done = self.run(*command, stdin=stdin)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def pilotfish(self, *arguments: str, timeout_s: float = 120) -> str:
        done = self.run(sys.executable, "-m", "pilotfish", *arguments, timeout_s=timeout_s)
        assert done.returncode == 0, f"pilotfish {arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        return self.out("kubectl", *arguments, stdin=stdin)

    def get(self, *arguments: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.kubectl("get", *arguments, "-o", "json"))
        return found

    def pods(self, labels: str) -> list[dict[str, Any]]:
        """Pods with these labels that nobody is deleting."""
        items = self.get("pods", "-l", labels)["items"]
        return [pod for pod in items if "deletionTimestamp" not in pod["metadata"]]

    def wait_ready(self, labels: str, count: int) -> list[dict[str, Any]]:
        """Wait until exactly `count` Pods have these labels and all are Ready."""

        def ready() -> bool:
            pods = self.pods(labels)
            return len(pods) == count and all(
                condition["status"] == "True"
                for pod in pods
                for condition in pod["status"].get("conditions", [{"status": "", "type": "Ready"}])
                if condition["type"] == "Ready"
            )

        eventually(ready, f"{count} Ready Pods with {labels}")
        return self.pods(labels)

    def endpoints(self, service: str) -> list[str]:
        """Ready addresses of a Service."""
        slices = self.get("endpointslices", "-l", f"kubernetes.io/service-name={service}")["items"]
        return sorted(
            endpoint["addresses"][0]
            for one in slices
            for endpoint in one.get("endpoints") or []
            if endpoint["conditions"].get("ready")
        )

    def wait_endpoints(self, service: str, count: int) -> list[str]:
        eventually(lambda: len(self.endpoints(service)) == count, f"{count} endpoints of {service}")
        return self.endpoints(service)

    def cluster_ip(self, service: str) -> str:
        return str(self.get("service", service)["spec"]["clusterIP"])

    def curl(self, url: str, *options: str) -> str:
        return self.out("curl", "-sS", "--max-time", "5", *options, url)

    def answers(self, url: str, times: int, pod: str = "") -> list[str]:
        """The bodies of many requests, each on a connection of its own; from a Pod if one is named.

        One process asks them all, since starting each a curl would cost more than the request.
        """
        program = (
            "import sys, urllib.request\n"
            "for _ in range(int(sys.argv[2])):\n"
            "    print(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode().strip())\n"
        )
        command = ["python3", "-c", program, url, str(times)]
        if pod:
            command = ["kubectl", "exec", pod, "--", *command]
        return self.out(*command).splitlines()
