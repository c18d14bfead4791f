"""What all Pod workers of a node share: configuration, API client, runc, images, facts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from pilotfish.client.api import Client
from pilotfish.client.events import EventRecorder
from pilotfish.node.config import KubeletConfig
from pilotfish.node.downward import NodeFacts
from pilotfish.node.images.host_view import HostView
from pilotfish.node.images.store import ImageStore
from pilotfish.node.ipam import AddressPool
from pilotfish.node.paths import NodePaths
from pilotfish.node.runc import Runc
from pilotfish.objects.meta import Object


@dataclass
class NodeContext:
    """`addresses` is empty until the node has its podCIDR. `services` lists all Services.

    `oom_score_floor`: the lowest oom_score_adj that this machine lets us give.
    """

    config: KubeletConfig
    client: Client
    events: EventRecorder
    paths: NodePaths
    runc: Runc
    images: ImageStore
    host_view: HostView
    facts: NodeFacts
    capabilities: tuple[str, ...]
    oom_score_floor: int
    services: Callable[[], list[Object]]
    addresses: tuple[AddressPool, ...] = ()
    machine_hosts: str = field(default_factory=lambda: _read_if_there(Path("/etc/hosts")))

    def facts_of(self, pod_ips: tuple[str, ...]) -> NodeFacts:
        return replace(self.facts, pod_ips=pod_ips)


def _read_if_there(path: Path) -> str:
    """A machine that was made without an installer may lack the file."""
    return path.read_text() if path.exists() else ""
