"""What the cluster DNS must be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DnsConfig:
    """One node's DNS.

    `address` is where it listens: the node's own. `cluster_ip` is the ClusterIP of Service
    kube-system/kube-dns, which leads there. `ranges` are the prefixes of Services, Pods and nodes,
    whose reverse zones are answered here. Other names are asked of the resolvers in `resolv_conf`,
    over sockets in `upstream_namespace` (a name or path; "" is the process' own): a node's
    namespace has no way out.
    """

    node_name: str
    address: str
    cluster_ip: str = "10.96.0.10"
    domain: str = "cluster.local"
    ranges: Sequence[str] = ("10.96.0.0/12", "10.244.0.0/16", "192.168.64.0/24")
    port: int = 53
    resolv_conf: Path = Path("/etc/resolv.conf")
    upstream_namespace: str = ""
