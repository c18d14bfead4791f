"""The Node object as the kubelet writes it: pure functions of what the machine is."""

from __future__ import annotations

import platform
from dataclasses import dataclass

from pilotfish.node.config import KubeletConfig
from pilotfish.objects.conditions import set_condition
from pilotfish.objects.meta import Object
from pilotfish.objects.times import now
from pilotfish.version import KUBERNETES_VERSION, __version__

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
# What this kubelet understands, for those who compare versions; the suffix says whose it is.
KUBELET_VERSION = f"{KUBERNETES_VERSION}-pilotfish.{__version__}"


@dataclass(frozen=True)
class Machine:
    cpus: int
    memory_bytes: int
    disk_bytes: int
    kernel: str
    os_image: str
    machine_id: str
    boot_id: str
    runtime_version: str


def architecture() -> str:
    return _ARCHITECTURES.get(platform.machine(), platform.machine())


def node_labels(config: KubeletConfig) -> dict[str, str]:
    arch = architecture()
    return {
        "kubernetes.io/hostname": config.node_name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": arch,
        "beta.kubernetes.io/os": "linux",
        "beta.kubernetes.io/arch": arch,
        **dict(config.labels),
    }


def node_object(config: KubeletConfig) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": config.node_name, "labels": node_labels(config)},
        "spec": {},
    }


def _conditions(previous: list[Object]) -> list[Object]:
    conditions = [dict(condition) for condition in previous]
    enough = {
        "MemoryPressure": ("KubeletHasSufficientMemory", "sufficient memory available"),
        "DiskPressure": ("KubeletHasNoDiskPressure", "no disk pressure"),
        "PIDPressure": ("KubeletHasSufficientPID", "sufficient PID available"),
    }
    for type_, (reason, words) in enough.items():
        set_condition(conditions, type_, "False", reason, f"kubelet has {words}")
    set_condition(conditions, "Ready", "True", "KubeletReady", "kubelet is posting ready status")
    for condition in conditions:
        if condition.get("type") in enough or condition.get("type") == "Ready":
            condition["lastHeartbeatTime"] = now()
    return conditions


def node_status(config: KubeletConfig, machine: Machine, previous: list[Object]) -> Object:
    """The status; `previous` are the conditions as they stand."""
    capacity = {
        "cpu": str(machine.cpus),
        "memory": f"{machine.memory_bytes // 1024}Ki",
        "ephemeral-storage": f"{machine.disk_bytes // 1024}Ki",
        "hugepages-1Gi": "0",
        "hugepages-2Mi": "0",
        "pods": str(config.max_pods),
    }
    return {
        "capacity": capacity,
        "allocatable": capacity,
        "conditions": _conditions(previous),
        "addresses": [
            *({"type": "InternalIP", "address": address} for address in config.node_ips),
            {"type": "Hostname", "address": config.node_name},
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": config.kubelet_port}},
        "nodeInfo": {
            "machineID": machine.machine_id,
            "systemUUID": machine.machine_id,
            "bootID": machine.boot_id,
            "kernelVersion": machine.kernel,
            "osImage": machine.os_image,
            "containerRuntimeVersion": machine.runtime_version,
            "kubeletVersion": KUBELET_VERSION,
            "kubeProxyVersion": "",
            "operatingSystem": "linux",
            "architecture": architecture(),
        },
    }


def lease(config: KubeletConfig, node_uid: str, duration_s: int, renewed: str) -> Object:
    """The node's Lease in kube-node-lease."""
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": config.node_name,
            "namespace": "kube-node-lease",
            "ownerReferences": [
                {"apiVersion": "v1", "kind": "Node", "name": config.node_name, "uid": node_uid}
            ],
        },
        "spec": {
            "holderIdentity": config.node_name,
            "leaseDurationSeconds": duration_s,
            "renewTime": renewed,
        },
    }
