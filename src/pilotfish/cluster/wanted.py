"""What `pilotfish up` is asked for, and whether a cluster that exists is that."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pilotfish.cluster import plan
from pilotfish.cluster.errors import ClusterError

if TYPE_CHECKING:
    from pilotfish.cluster.state import ClusterState


@dataclass(frozen=True)
class Wanted:
    """What the user asked for.

    nodes: None takes one node, or as many as there are. ip_family: "" takes IPv4, or what is there.
    audit_log, token_file: None takes none, or what is there. log_format: "" takes text, likewise.
    store: the address of an etcd; "" takes a file, or what is there. allowed_host_paths: none takes
    none, or what is there.
    """

    name: str
    nodes: int | None = None
    ranges: plan.WantedRanges = field(default_factory=plan.WantedRanges)
    timeout_s: float = 60.0
    ip_family: str = ""
    audit_log: Path | None = None
    token_file: Path | None = None
    store: str = ""
    log_format: str = ""
    allowed_host_paths: tuple[Path, ...] = ()


def check_unchanged(cluster: ClusterState, wanted: Wanted) -> None:
    """Raise ClusterError for an option that the cluster does not have: none can be changed."""
    if wanted.nodes not in (None, len(cluster.nodes)):
        raise ClusterError(
            f"the cluster exists with another number of nodes: {len(cluster.nodes)}",
            f"cluster {cluster.name!r}",
            f"take it down first: pilotfish down --name {cluster.name}",
        )
    if wanted.ip_family not in ("", cluster.ip_family):
        raise ClusterError(
            f"the cluster exists with another address family: {cluster.ip_family}",
            f"cluster {cluster.name!r}",
            f"take it down first: pilotfish down --name {cluster.name}",
        )
    _check_ranges(cluster, wanted.ranges)
    for option, asked, there in (
        ("--audit-log", absolute(wanted.audit_log), cluster.audit_log),
        ("--token-auth-file", absolute(wanted.token_file), cluster.token_file),
        ("--store", wanted.store, cluster.store),
        ("--log-format", wanted.log_format, cluster.log_format),
        (
            "--allow-host-path",
            " ".join(normal(wanted.allowed_host_paths)),
            " ".join(cluster.allowed_host_paths),
        ),
    ):
        if asked and asked != there:
            raise ClusterError(
                f"the cluster was started without {option} {asked}",
                f"cluster {cluster.name!r}",
                f"take it down first: pilotfish down --name {cluster.name}",
            )


def _check_ranges(cluster: ClusterState, wanted: plan.WantedRanges) -> None:
    """Raise ClusterError for a range that is none, or not the cluster's: none can be changed."""
    network = cluster.network
    for option, asked, there in (
        ("--node-cidr", wanted.nodes, network.node_ranges),
        ("--pod-cidr", wanted.pods, network.pod_ranges),
        ("--service-cidr", wanted.services, network.service_ranges),
    ):
        for range_ in plan.networks(option, asked):
            if str(range_) not in there:
                raise ClusterError(
                    f"the cluster exists with {option} {','.join(there)}, which cannot be changed",
                    f"cluster {cluster.name!r}, {option} {asked}",
                    f"leave {option} out, or take the cluster down first: pilotfish down --name "
                    f"{cluster.name}",
                )


def absolute(path: Path | None) -> str:
    """A file's path as it is written down: the components have another working folder."""
    return str(path.absolute()) if path is not None else ""


def normal(given: tuple[Path, ...]) -> tuple[str, ...]:
    """The paths as absolute ones without `..`, as the state file has them."""
    return tuple(os.path.normpath(path.absolute()) for path in given)
