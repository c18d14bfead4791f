"""What a kubelet must be told: its name, its address, its folders, its cluster's DNS."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class KubeletConfig:
    """`state_dir` is the cluster's (/var/lib/pilotfish/NAME), `run_dir` too (/run/pilotfish/NAME).

    The kubelet keeps its own state in `state_dir/nodes/NODE` and its mounts, pipes and runc's
    state in `run_dir/nodes/NODE`. `exits_dir` is where the supervisor leaves the wait status of
    containers that ended while no kubelet ran, `terminals_socket` where it keeps their terminals.
    `seccomp_dir` has the Localhost profiles. `second_node_ip` is of the other address family in a
    dual-stack cluster. Pods of image `host` may ask for `allowed_host_paths`.
    """

    cluster_name: str
    node_name: str
    node_ip: str
    state_dir: Path
    run_dir: Path
    images_dir: Path = Path("/var/lib/pilotfish/images")
    seccomp_dir: Path = Path("/etc/pilotfish/seccomp")
    cluster_dns: str = "10.96.0.10"
    cluster_domain: str = "cluster.local"
    kubelet_port: int = 10250
    max_pods: int = 110
    resolv_conf: Path = Path("/etc/resolv.conf")
    heartbeat_s: float = 10.0
    disk_check_s: float = 10.0
    labels: tuple[tuple[str, str], ...] = ()
    second_node_ip: str = ""
    allowed_host_paths: tuple[str, ...] = ()

    @property
    def node_ips(self) -> tuple[str, ...]:
        """One address of each family, the primary one first."""
        return tuple(address for address in (self.node_ip, self.second_node_ip) if address)

    @property
    def exits_dir(self) -> Path:
        return self.run_dir / "exits"

    @property
    def terminals_socket(self) -> Path:
        return self.run_dir / "terminals.sock"
