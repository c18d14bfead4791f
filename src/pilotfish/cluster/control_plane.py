"""The control plane's process: API server, controllers and scheduler, on the host's network."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pilotfish.apiserver.config import ApiServerConfig
from pilotfish.apiserver.server import ApiServer
from pilotfish.client.api import Client
from pilotfish.client.config import ClientConfig
from pilotfish.cluster import pki, state
from pilotfish.cluster.components import run_until_terminated
from pilotfish.cluster.garbage import collect_by_growth
from pilotfish.cluster.timeline import Timeline
from pilotfish.controllers.config import ControllerConfig
from pilotfish.controllers.manager import ControllerManager

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from pilotfish.cluster.state import ClusterState

# It does little, but a Pod that turns unready must leave its Services even while the Pods
# that share the machine take every processor. It has no children to inherit this.
NICENESS = -10


def run(cluster: str, component: str) -> int:
    """Be the control plane of `cluster` until terminated. Returns the exit code."""
    os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
    found = state.require(cluster)
    return run_until_terminated(_run(found, component), found.log_format, component, found.folders)


async def _run(cluster: ClusterState, component: str) -> None:
    timeline = Timeline(cluster.folders.timeline, component)
    timeline.mark("started")
    server = ApiServer(api_server_config(cluster))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(collect_by_growth(), name="garbage collection")
        tasks.create_task(server.run(), name="API server")
        await server.started.wait()
        timeline.mark("API server listens")
        # In one process over a socket: no handshake, no encryption for each of some fifty watches.
        config = ClientConfig(server="http://api", socket=cluster.folders.api_socket)
        async with Client(config, user_agent="pilotfish/controllers") as client:
            await _run_once(cluster, ControllerManager(client, controller_config(cluster)).run)


async def _run_once(cluster: ClusterState, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Do what may be done by one machine only, also where another could reach the store."""
    if not cluster.store:
        await work()
        return
    from pilotfish.apiserver.store.etcd.address import parse_address
    from pilotfish.apiserver.store.etcd.ownership import Ownership

    await Ownership(parse_address(cluster.store), cluster.owner).while_held(work)


def api_server_config(cluster: ClusterState) -> ApiServerConfig:
    """The API server's settings in this cluster."""
    folder = cluster.folders.pki
    kubelet_client = pki.API_TO_KUBELET.stem
    return ApiServerConfig(
        listen=(
            ("127.0.0.1", cluster.api_port),
            *((address, state.BRIDGE_API_PORT) for address in cluster.network.host_addresses),
        ),
        cert_file=pki.cert_file(folder, "apiserver"),
        key_file=pki.key_file(folder, "apiserver"),
        client_ca_file=pki.cert_file(folder, "ca"),
        service_account_key_file=folder / "sa.key",
        local_socket=cluster.folders.api_socket,
        store_path=cluster.folders.store,
        store_address=cluster.store,
        service_cidr=cluster.service_network,
        second_service_cidr=cluster.second_service_network,
        advertise_address=cluster.host_address,
        advertise_port=state.BRIDGE_API_PORT,
        kubelet_client_cert_file=pki.cert_file(folder, kubelet_client),
        kubelet_client_key_file=pki.key_file(folder, kubelet_client),
        token_file=Path(cluster.token_file) if cluster.token_file else None,
        audit_log=Path(cluster.audit_log) if cluster.audit_log else None,
        service_account_issuer=f"https://kubernetes.default.svc.{cluster.domain}",
    )


def controller_config(cluster: ClusterState) -> ControllerConfig:
    """The controllers' settings in this cluster."""
    return ControllerConfig(
        pod_cidrs=tuple(cluster.network.pod_ranges),
        load_balancer_pools=cluster.load_balancer_pools,
        ca_certificate=pki.cert_file(cluster.folders.pki, "ca").read_text(),
    )
