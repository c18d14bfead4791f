"""A cluster of its own with a Service that refuses: traffic without any Pod."""

from __future__ import annotations

import json

from support.shell import Shell, eventually
from support.tap_cluster import sessions

SERVICE = json.dumps(
    {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "nobody"},
        "spec": {"selector": {"app": "nobody"}, "ports": [{"port": 80}]},
    }
)


class RefusingCluster:
    """For tests that kill and take down."""

    def __init__(self, shell: Shell, name: str) -> None:
        self.shell = shell
        self._name = name
        self._address = ""

    def up(self) -> None:
        self.shell.pilotfish("up", "--name", self._name)
        self.shell.kubectl("create", "-f", "-", stdin=SERVICE)
        self._address = self.shell.cluster_ip("nobody")

    def down(self) -> None:
        # Nobody may ask there any more: it would leave the machine.
        self._address = ""
        self.shell.pilotfish("down", "--name", self._name)

    def ask(self) -> None:
        """A request, which the node refuses."""
        assert self._address, "the cluster is down"
        url = f"http://{self._address}/"
        assert self.shell.run("curl", "-s", "-m", "2", url).returncode == 7

    def pid(self, process: str) -> int:
        """Of a process that runs: 0, as of one that does not, would be ourselves to kill()."""
        found: list[int] = []

        def runs() -> bool:
            told = json.loads(self.shell.pilotfish("status", "--name", self._name, "-o", "json"))[0]
            found[:] = [one["pid"] for one in told["processes"] if one["name"] == process]
            return found[0] > 0

        eventually(runs, f"{process} runs")
        return found[0]

    def capture(self) -> int:
        """The process that captures on the only node."""
        (capture,) = sessions(self.pid("node-1"))
        return capture
