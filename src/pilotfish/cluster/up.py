"""`pilotfish up`: from nothing, or from whatever is left of it, to a cluster that answers.

The order is made for speed. The supervisor's launcher needs most of the time, for its imports, and
needs nothing that is made here: so it starts first, and while it imports we make certificates,
bridge and namespaces.
"""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pilotfish.client.log_lines import FORMATS
from pilotfish.cluster import (
    control,
    given_files,
    host_network,
    kubeconfig,
    marks,
    paths,
    pki,
    plan,
    preflight,
    processes,
    remains,
    state,
    supervisor_start,
)
from pilotfish.cluster.errors import ClusterError
from pilotfish.cluster.readiness import Readiness
from pilotfish.cluster.timeline import Timeline
from pilotfish.cluster.wanted import absolute, check_unchanged, normal

if TYPE_CHECKING:
    from collections.abc import Callable

    from pilotfish.cluster.external_store import Found
    from pilotfish.cluster.state import ClusterState
    from pilotfish.cluster.supervisor_start import SupervisorStart
    from pilotfish.cluster.wanted import Wanted


@dataclass(frozen=True)
class Outcome:
    """What `up` found and did. repaired: what was dead and runs again."""

    cluster: ClusterState
    kubeconfig: Path
    already_running: bool
    repaired: tuple[str, ...]


def up(wanted: Wanted, progress: Callable[[str], None]) -> Outcome:
    """Bring the cluster up and return when its Services answer.

    progress: called with a line of text as each step is done. Raises ClusterError.
    """
    plan.check_name(wanted.name)
    if wanted.log_format not in ("", *FORMATS):
        option = f"--log-format {wanted.log_format}"
        raise ClusterError("not a log format", option, f"use {' or '.join(FORMATS)}")
    # The command line takes "nan" and "inf" for numbers: both are refused here.
    if not 0 < wanted.timeout_s < math.inf:
        raise ClusterError(
            "not a time to wait", f"--timeout {wanted.timeout_s:g}", "give seconds, such as 60"
        )
    preflight.check_machine()
    if wanted.audit_log is not None:
        given_files.check_audit_log(wanted.audit_log)
    if wanted.token_file is not None:
        given_files.check_token_file(wanted.token_file)
    kubeconfig.check(kubeconfig.target_path(os.environ))
    with state.locked(wanted.name):
        cluster = state.load(wanted.name)
        if cluster is None:
            return _create(wanted, progress)
        return _repair(cluster, wanted, progress)


def _refuse_remains(name: str) -> None:
    """Raise ClusterError where a cluster has parts left, but no cluster.json.

    Its objects may be among them, so nothing is removed unasked. An `up` that was killed early
    leaves folders without objects: they are used again.
    """
    left = remains.find(name)
    if (
        left.namespaces
        or left.links
        or left.guarded
        or left.processes
        or paths.Folders(name).store.exists()
    ):
        raise ClusterError(
            "parts of a cluster of this name are here, but not its cluster.json",
            ", ".join(left.described()),
            f"remove them with: pilotfish down --name {name}",
        )


def _create(wanted: Wanted, progress: Callable[[str], None]) -> Outcome:
    _refuse_remains(wanted.name)
    created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if wanted.store:
        # Loaded by those who have it: most do not.
        from pilotfish.cluster import external_store

        found = external_store.find(wanted.store, wanted.name)
        if found is not None:
            created = found.created
            wanted = _as_found(wanted, found)
            progress(f"Found the cluster's state of {created} in {wanted.store}; it goes on here")
    ip_family = wanted.ip_family or "ipv4"
    if ip_family != "ipv4":
        preflight.check_ipv6()
    with state.choosing():
        ports = {other.api_port for other in state.readable()}
        cluster = plan.plan_cluster(
            wanted.name,
            1 if wanted.nodes is None else wanted.nodes,
            host_network.occupied(),
            wanted.ranges,
            preflight.choose_port(ports),
            created,
            ip_family,
        )
        cluster = replace(
            cluster,
            audit_log=absolute(wanted.audit_log),
            token_file=absolute(wanted.token_file),
            store=wanted.store,
            owner=f"{os.uname().nodename} ({os.urandom(4).hex()})" if wanted.store else "",
            log_format=wanted.log_format or "text",
            allowed_host_paths=normal(wanted.allowed_host_paths),
        )
        if wanted.store and found is None:
            external_store.claim(cluster)
        # A crash may have left an old timeline, or exits of processes that are long gone.
        cluster.folders.create()
        cluster.folders.timeline.unlink(missing_ok=True)
        timeline = _own_timeline(cluster)
        state.save(cluster)
    _start(cluster, supervisor_start.take(), timeline)
    progress(
        f"Network {_listed(cluster.network.node_ranges)}, "
        f"Pods {_listed(cluster.network.pod_ranges)}, "
        f"Services {_listed(cluster.network.service_ranges)}"
    )
    return _wait(cluster, wanted, progress, timeline, repaired=())


def _as_found(wanted: Wanted, found: Found) -> Wanted:
    """What to bring up where the cluster's state is in a store already."""
    given = wanted.ranges
    ranges = plan.WantedRanges(found.node_network, found.pod_network, found.service_network)
    for option, asked, there in (
        ("--nodes", wanted.nodes, found.nodes),
        ("--ip-family", wanted.ip_family, found.ip_family),
        ("--node-cidr", given.nodes, ranges.nodes),
        ("--pod-cidr", given.pods, ranges.pods),
        ("--service-cidr", given.services, ranges.services),
    ):
        if asked and asked != there:
            raise ClusterError(
                f"the cluster in the store has {option} {there}",
                f"{wanted.store}, cluster {wanted.name!r}",
                f"leave {option} out, or use another part of the store",
            )
    return replace(wanted, nodes=found.nodes, ip_family=found.ip_family, ranges=ranges)


def _repair(cluster: ClusterState, wanted: Wanted, progress: Callable[[str], None]) -> Outcome:
    check_unchanged(cluster, wanted)
    dead = dead_parts(cluster)
    if not dead:
        path = _write_kubeconfig(cluster)
        return Outcome(cluster, path, already_running=True, repaired=())
    if cluster.store:
        from pilotfish.cluster import external_store

        external_store.check_ours(cluster)
    host_network.check_still_free(cluster)
    cluster.folders.create()
    cluster.folders.timeline.unlink(missing_ok=True)
    timeline = _own_timeline(cluster)
    _check_port(cluster)
    if control.status(cluster.folders.control_socket) is not None:
        # The supervisor works on it already; only the wires are ours to repair.
        host_network.create(cluster)
    else:
        _start(cluster, supervisor_start.take(), timeline)
    return _wait(cluster, wanted, progress, timeline, repaired=tuple(dead))


def _listed(ranges: list[str]) -> str:
    return " and ".join(ranges)


def _start(cluster: ClusterState, supervisor: SupervisorStart, timeline: Timeline) -> None:
    """Make what processes need, while the supervisor's launcher imports; then let it begin."""
    try:
        _make_pki(cluster)
        timeline.mark("certificates made")
        host_network.create(cluster)
        timeline.mark("bridge, namespaces and routes made")
        supervisor.start(cluster.folders, cluster.log_format)
        timeline.mark("supervisor listens")
    finally:
        supervisor.abandon()


def dead_parts(cluster: ClusterState) -> list[str]:
    """What of a cluster is not there: its supervisor, components, wires."""
    dead = []
    if control.status(cluster.folders.control_socket) is None:
        dead.append(paths.SUPERVISOR)
    dead += [name for name in cluster.components if _running(cluster, name) is None]
    return dead + host_network.missing(cluster)


def _running(cluster: ClusterState, component: str) -> processes.Process | None:
    return marks.noted(cluster.folders, component)


def _wait(
    cluster: ClusterState,
    wanted: Wanted,
    progress: Callable[[str], None],
    timeline: Timeline,
    repaired: tuple[str, ...],
) -> Outcome:
    path = _write_kubeconfig(cluster)
    timeline.mark("kubeconfig written")
    readiness = Readiness(cluster, wanted.timeout_s)
    readiness.wait_for_processes()
    readiness.wait_for_api()
    timeline.mark("API server answers")
    progress(f"API server at {cluster.local_server}")
    readiness.wait_for_nodes()
    timeline.mark("nodes Ready")
    progress(f"{len(cluster.nodes)} node{'s' if len(cluster.nodes) > 1 else ''} Ready")
    readiness.wait_for_services()
    timeline.mark("a ClusterIP answers")
    readiness.wait_for_dns()
    timeline.mark("the cluster's DNS answers")
    server = f"https://{state.url_host(cluster.api_service_address)}"
    progress(f"Services answer: {server}, DNS {cluster.dns_address}")
    return Outcome(cluster, path, already_running=False, repaired=repaired)


def _own_timeline(cluster: ClusterState) -> Timeline:
    timeline = Timeline(cluster.folders.timeline, "up")
    own = processes.process(os.getpid())
    assert own is not None, "a process always finds itself"
    timeline.mark("command started", time.monotonic() - own.age_s())
    timeline.mark("machine checked, ranges chosen")
    return timeline


def _make_pki(cluster: ClusterState) -> None:
    hosts = cluster.network.host_addresses
    addresses = ["127.0.0.1", "::1", *hosts, cluster.api_service_address]
    nodes = {node.name: node.address for node in cluster.nodes}
    pki.write_pki(cluster.folders.pki, cluster.domain, addresses, nodes)


def _write_kubeconfig(cluster: ClusterState) -> Path:
    path = kubeconfig.target_path(os.environ)
    folder = cluster.folders.pki
    stem = pki.ADMIN.stem
    kubeconfig.add(
        path,
        kubeconfig.context_name(cluster.name),
        cluster.local_server,
        pki.cert_file(folder, "ca").read_bytes(),
        pki.cert_file(folder, stem).read_bytes(),
        pki.key_file(folder, stem).read_bytes(),
    )
    absolute = str(path.absolute())
    if absolute not in cluster.kubeconfigs:
        state.save(replace(cluster, kubeconfigs=(*cluster.kubeconfigs, absolute)))
    return path


def _check_port(cluster: ClusterState) -> None:
    if _running(cluster, paths.CONTROL_PLANE) is None and not preflight.port_free(cluster.api_port):
        raise ClusterError(
            "the API server's port is taken by another program",
            f"127.0.0.1:{cluster.api_port}",
            f"stop that program (ss -ltnp shows it), or start over with: pilotfish down --name "
            f"{cluster.name}",
        )
