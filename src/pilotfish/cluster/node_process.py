"""A node's process: kubelet, proxy, DNS and tap, inside the node's network namespace."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from pilotfish.client.certificates import server_tls
from pilotfish.cluster import paths, pki, state
from pilotfish.cluster.components import client_for, run_until_terminated, wait_listening
from pilotfish.cluster.timeline import Timeline
from pilotfish.dns.config import DnsConfig
from pilotfish.dns.server import DnsServer
from pilotfish.network import namespaces, naming
from pilotfish.node.config import KubeletConfig
from pilotfish.node.kubelet import Kubelet
from pilotfish.node.node_routes import NodeRoutes
from pilotfish.node.server import KubeletServer
from pilotfish.proxy.proxier import Proxier, ProxyConfig
from pilotfish.proxy.server import ProxyServer
from pilotfish.tap.config import TapConfig
from pilotfish.tap.worker import TapWorker

if TYPE_CHECKING:
    import ssl

    from pilotfish.cluster.state import ClusterState
    from pilotfish.network.node_link import NodeNetwork


def run(cluster: str, component: str) -> int:
    """Be the node `component` of `cluster` until terminated. Returns the exit code."""
    found = state.require(cluster)
    # The DNS asks the machine's resolvers from where the machine's network is.
    machine = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    # Before any thread exists: those started later follow.
    namespaces.enter(naming.node_namespace(cluster, component))
    return run_until_terminated(
        _run(found, found.node(component), machine_namespace=f"/proc/self/fd/{machine}"),
        found.log_format,
        component,
        found.folders,
    )


async def _run(cluster: ClusterState, node: NodeNetwork, machine_namespace: str) -> None:
    timeline = Timeline(cluster.folders.timeline, node.name)
    timeline.mark("started")
    await wait_listening(cluster.host_address, state.BRIDGE_API_PORT)
    timeline.mark("API server found")
    server = cluster.bridge_server
    async with (
        client_for(cluster, pki.node_identity(node.name), server) as kubelet_client,
        client_for(cluster, pki.PROXY, server) as proxy_client,
        client_for(cluster, pki.DNS, server) as dns_client,
        asyncio.TaskGroup() as tasks,
    ):
        kubelet = Kubelet(kubelet_client, kubelet_config(cluster, node))
        tls = _tls(cluster, node)
        kubelet_server = KubeletServer(kubelet.runtime, tls, node.address)
        proxier = Proxier(
            proxy_client, ProxyConfig(node.name, tuple(cluster.network.service_ranges))
        )
        tasks.create_task(kubelet.run(), name="kubelet")
        tasks.create_task(NodeRoutes(proxy_client, node.name).run(), name="routes")
        tasks.create_task(kubelet_server.run(), name="kubelet server")
        dns = DnsServer(dns_client, dns_config(cluster, node, machine_namespace))
        tasks.create_task(proxier.run(), name="proxy")
        proxy_server = ProxyServer(
            node.name, proxier.written, proxier.metrics.text, tls, node.address
        )
        tasks.create_task(proxy_server.run(), name="proxy server")
        tasks.create_task(dns.run(), name="dns")
        tasks.create_task(TapWorker(tap_config(cluster, node)).run(), name="tap")
        await kubelet.ready.wait()
        timeline.mark("kubelet ready for Pods")


def kubelet_config(cluster: ClusterState, node: NodeNetwork) -> KubeletConfig:
    """The kubelet's settings on this node."""
    return KubeletConfig(
        cluster_name=cluster.name,
        node_name=node.name,
        node_ip=node.address,
        second_node_ip=node.second_address,
        state_dir=cluster.folders.state,
        run_dir=cluster.folders.run,
        images_dir=paths.IMAGES,
        cluster_dns=cluster.dns_address,
        cluster_domain=cluster.domain,
        allowed_host_paths=cluster.allowed_host_paths,
    )


def dns_config(cluster: ClusterState, node: NodeNetwork, machine_namespace: str) -> DnsConfig:
    """The cluster DNS' settings on this node. machine_namespace: the machine's network."""
    return DnsConfig(
        node_name=node.name,
        address=node.address,
        cluster_ip=cluster.dns_address,
        domain=cluster.domain,
        ranges=cluster.ranges,
        upstream_namespace=machine_namespace,
    )


def tap_config(cluster: ClusterState, node: NodeNetwork) -> TapConfig:
    """The tap's settings on this node. It serves with the kubelet's certificate."""
    folder = cluster.folders.pki
    serving = pki.kubelet_serving(node.name)
    return TapConfig(
        node_name=node.name,
        address=node.address,
        server=cluster.bridge_server,
        ca=str(pki.cert_file(folder, "ca")),
        cert=str(pki.cert_file(folder, serving)),
        key=str(pki.key_file(folder, serving)),
        client_cert=str(pki.cert_file(folder, pki.TAP.stem)),
        client_key=str(pki.key_file(folder, pki.TAP.stem)),
        host_addresses=tuple(cluster.network.host_addresses),
        beat_file=str(cluster.folders.beats / f"{node.name}-tap"),
        log_file=str(cluster.folders.log(node.name)),
        log_format=cluster.log_format,
    )


def _tls(cluster: ClusterState, node: NodeNetwork) -> ssl.SSLContext:
    folder = cluster.folders.pki
    stem = pki.kubelet_serving(node.name)
    return server_tls(
        pki.cert_file(folder, stem), pki.key_file(folder, stem), pki.cert_file(folder, "ca")
    )
