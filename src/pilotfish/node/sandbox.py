"""A Pod's sandbox: its network, ipc and uts namespaces, shared memory, and files in /etc."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass

from pilotfish.network import namespaces, naming, pod_link
from pilotfish.node import mounts, shared_namespaces
from pilotfish.node.context import NodeContext
from pilotfish.node.errors import MountFailed
from pilotfish.node.files.trees import try_remove_tree
from pilotfish.node.hosts_file import hosts_file, pod_domain, pod_hostname
from pilotfish.node.ipam import PoolExhausted
from pilotfish.node.isolation import dotted
from pilotfish.node.oci.spec import Sandbox
from pilotfish.node.paths import PodPaths
from pilotfish.node.resolv import parse_resolv_conf, pod_resolv_conf
from pilotfish.objects.meta import Object, uid_of

log = logging.getLogger(__name__)

_NO_USER_NAMESPACES = (
    "Failed to create pod sandbox: hostUsers: false asks for a user namespace, and the runtime "
    "does not support user namespaces; remove hostUsers to run the Pod as the host's users"
)
_SHM_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class PodSandbox:
    """`netns` is a path: the Pod's, or the node's for hostNetwork."""

    pod_ips: tuple[str, ...]
    netns: str
    oci: Sandbox


class SandboxFailed(Exception):
    """The sandbox cannot be made; the message is the FailedCreatePodSandBox Event's."""


def _host_network(pod: Object) -> bool:
    return bool(pod.get("spec", {}).get("hostNetwork"))


def exists(node: NodeContext, pod: Object, paths: PodPaths) -> bool:
    """Whether the sandbox of a Pod from before a restart still stands (a reboot takes it)."""
    if not shared_namespaces.is_namespace(paths.namespace("uts")):
        return False
    if _host_network(pod):
        return True
    return namespaces.exists(naming.pod_namespace(node.config.cluster_name, uid_of(pod)))


def ensure(node: NodeContext, pod: Object, paths: PodPaths) -> PodSandbox:
    """Make the sandbox, or complete what is there. Raises SandboxFailed."""
    try:
        return _ensure(node, pod, paths)
    except (OSError, PoolExhausted, MountFailed) as error:
        raise SandboxFailed(f"Failed to create pod sandbox: {error}") from error


def _ensure(node: NodeContext, pod: Object, paths: PodPaths) -> PodSandbox:
    config, uid, spec = node.config, uid_of(pod), pod.get("spec", {})
    if spec.get("hostUsers") is False:
        raise SandboxFailed(_NO_USER_NAMESPACES)
    for folder in (paths.state, paths.run, paths.etc, paths.shm):
        folder.mkdir(parents=True, exist_ok=True)
    hostname = pod_hostname(pod, config.node_name)
    kinds = ["uts"] if spec.get("hostIPC") else ["ipc", "uts"]
    own = {kind: paths.namespace(kind) for kind in kinds}
    missing = {k: file for k, file in own.items() if not shared_namespaces.is_namespace(file)}
    if missing:
        shared_namespaces.create(missing)
    if not spec.get("hostIPC") and not os.path.ismount(paths.shm):
        flags = mounts.MS_NOSUID | mounts.MS_NODEV | mounts.MS_NOEXEC
        mounts.mount("shm", paths.shm, "tmpfs", flags, f"mode=1777,size={_SHM_BYTES}")
    if _host_network(pod):
        netns = namespaces.path(naming.node_namespace(config.cluster_name, config.node_name))
        if not namespaces.exists(netns):
            netns = f"/proc/{os.getpid()}/ns/net"  # a node in the machine's own namespace
        pod_ips = config.node_ips
    else:
        if not node.addresses:
            raise SandboxFailed("Failed to create pod sandbox: the node has no podCIDR yet")
        pod_ips = tuple(pool.allocate(uid) for pool in node.addresses)
        namespace = naming.pod_namespace(config.cluster_name, uid)
        pod_link.create(namespace, naming.pod_link(uid), pod_ips)
        netns = namespaces.path(namespace)
    _write_etc(node, pod, paths, pod_ips)
    sysctls = (spec.get("securityContext") or {}).get("sysctls") or []
    oci = Sandbox(
        network=netns,
        ipc=str(own["ipc"]) if "ipc" in own else "",
        uts=str(own["uts"]),
        hostname=_kernel_hostname(pod, hostname, config.cluster_domain),
        shm="/dev/shm" if spec.get("hostIPC") else str(paths.shm),
        sysctls={dotted(entry["name"]): entry["value"] for entry in sysctls},
    )
    return PodSandbox(pod_ips, netns, oci)


def _kernel_hostname(pod: Object, hostname: str, cluster_domain: str) -> str:
    domain = pod_domain(pod, cluster_domain)
    if pod.get("spec", {}).get("setHostnameAsFQDN") and domain:
        return f"{hostname}.{domain}"
    return hostname


def _write_etc(node: NodeContext, pod: Object, paths: PodPaths, pod_ips: tuple[str, ...]) -> None:
    """The files are rewritten in place: containers see them through bind mounts."""
    config = node.config
    known = config.resolv_conf
    machine = parse_resolv_conf(known.read_text() if known.exists() else "")
    resolv = pod_resolv_conf(pod, machine, config.cluster_dns, config.cluster_domain)
    (paths.etc / "resolv.conf").write_text(resolv.render())
    (paths.etc / "hostname").write_text(pod_hostname(pod, config.node_name) + "\n")
    hosts = paths.etc / "hosts"
    if not hosts.exists():  # a container may have edited it
        hosts.write_text(
            hosts_file(
                pod, list(pod_ips), config.node_name, config.cluster_domain, node.machine_hosts
            )
        )


def remove(node: NodeContext, uid: str, paths: PodPaths) -> None:
    """Take network, namespaces and mounts of the Pod away; fine when they are gone."""
    pod_link.remove(naming.pod_namespace(node.config.cluster_name, uid), naming.pod_link(uid))
    for pool in node.addresses:
        pool.release(uid)
    mounts.unmount_below(paths.run, paths.state / "containers")
    try_remove_tree(paths.run, log.warning)
