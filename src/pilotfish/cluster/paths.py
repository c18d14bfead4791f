"""Where a cluster keeps things.

    /var/lib/pilotfish/<name>/   survives a reboot: cluster.json, store.db, pki/, nodes/, logs/
    /run/pilotfish/<name>/       does not: pids/, exits/, three sockets, timeline, runc's state
    /var/lib/pilotfish/images/   images, shared by all clusters

The supervisor lives as long as the cluster and should stay small, so this file imports little:
that is why it is not part of `state`.
"""

from __future__ import annotations

import json
from pathlib import Path

STATE_ROOT = Path("/var/lib/pilotfish")
RUN_ROOT = Path("/run/pilotfish")
IMAGES = STATE_ROOT / "images"
# The cluster that `up` makes when it is given no name.
DEFAULT_CLUSTER = "default"
CONTROL_PLANE = "control-plane"
NODE = "node"
SUPERVISOR = "supervisor"


def kind_of(component: str) -> str:
    """The kind of a component: the control plane, or a node."""
    return component if component == CONTROL_PLANE else NODE


class Folders:
    """The paths of one cluster."""

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def state(self) -> Path:
        return STATE_ROOT / self.name

    @property
    def run(self) -> Path:
        return RUN_ROOT / self.name

    @property
    def state_file(self) -> Path:
        return self.state / "cluster.json"

    @property
    def store(self) -> Path:
        return self.state / "store.db"

    @property
    def store_notice(self) -> Path:
        """What was wrong with the store when it was opened; the API server writes it."""
        return self.state / "store.db.notice"

    @property
    def pki(self) -> Path:
        return self.state / "pki"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def pids(self) -> Path:
        return self.run / "pids"

    @property
    def beats(self) -> Path:
        """Where event loops show that they turn."""
        return self.run / "beats"

    @property
    def exits(self) -> Path:
        return self.run / "exits"

    @property
    def api_socket(self) -> Path:
        return self.run / "api.sock"

    @property
    def control_socket(self) -> Path:
        return self.run / "control.sock"

    @property
    def terminals_socket(self) -> Path:
        """Where the supervisor keeps the terminals of containers; the kubelet knows the name."""
        return self.run / "terminals.sock"

    @property
    def timeline(self) -> Path:
        return self.run / "timeline"

    def log(self, component: str) -> Path:
        """The log file of a component, or of the supervisor."""
        return self.logs / f"{component}.log"

    def create(self) -> None:
        """Make every folder, readable by root alone."""
        for root in (STATE_ROOT, RUN_ROOT):
            root.mkdir(mode=0o755, parents=True, exist_ok=True)
        for folder in (self.state, self.run, self.logs, self.pids, self.exits, self.beats):
            folder.mkdir(mode=0o700, exist_ok=True)

    def components(self) -> list[str]:
        """The names of the processes that the supervisor runs, from cluster.json.

        Raises FileNotFoundError, or ValueError when that file is broken.
        """
        content = json.loads(self.state_file.read_bytes())
        return [CONTROL_PLANE, *(node["name"] for node in content["nodes"])]
