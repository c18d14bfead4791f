"""The Node, its Lease, and the routes that follow from other Nodes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pilotfish.node.config import KubeletConfig
from pilotfish.node.machine import memory_bytes, os_name
from pilotfish.node.node_object import Machine, lease, node_object, node_status
from pilotfish.node.node_routes import wanted_routes

CONFIG = KubeletConfig("default", "node-1", "192.168.64.2", Path("/state"), Path("/run"))
MACHINE = Machine(2, 8 << 30, 1 << 40, "6.1", "Debian", "mid", "bid", "runc://1.1")


def test_a_node_says_who_and_where_it_is() -> None:
    node = node_object(CONFIG)
    assert node["metadata"]["labels"]["kubernetes.io/hostname"] == "node-1"
    status = node_status(CONFIG, MACHINE, [])
    assert status["capacity"]["cpu"] == "2"
    assert status["capacity"]["memory"] == "8388608Ki"
    assert {"type": "InternalIP", "address": "192.168.64.2"} in status["addresses"]
    assert status["daemonEndpoints"] == {"kubeletEndpoint": {"Port": 10250}}
    ready = [entry for entry in status["conditions"] if entry["type"] == "Ready"]
    assert [entry["status"] for entry in ready] == ["True"]


def test_a_heartbeat_keeps_the_time_of_the_last_transition() -> None:
    long_ago = "2020-01-01T00:00:00Z"
    before = [{"type": "Ready", "status": "True", "lastTransitionTime": long_ago}]
    status = node_status(CONFIG, MACHINE, before)
    (ready,) = [entry for entry in status["conditions"] if entry["type"] == "Ready"]
    assert ready["lastTransitionTime"] == long_ago
    assert ready["lastHeartbeatTime"] > long_ago


def test_the_lease_belongs_to_the_node() -> None:
    wanted = lease(CONFIG, "uid-1", 40, "2026-01-01T00:00:00.000000Z")
    assert wanted["spec"]["holderIdentity"] == "node-1"
    assert wanted["metadata"]["ownerReferences"][0]["uid"] == "uid-1"


def test_every_other_node_with_a_range_and_an_address_has_a_route() -> None:
    def node(name: str, pod_cidr: str, address: str) -> dict[str, Any]:
        addresses = [{"type": "InternalIP", "address": address}] if address else []
        return {
            "metadata": {"name": name},
            "spec": {"podCIDR": pod_cidr},
            "status": {"addresses": addresses},
        }

    nodes = [
        node("node-1", "10.244.0.0/24", "192.168.64.2"),
        node("node-2", "10.244.1.0/24", "192.168.64.3"),
        node("node-3", "", "192.168.64.4"),
        node("node-4", "10.244.3.0/24", ""),
    ]
    assert wanted_routes(nodes, "node-1") == {"10.244.1.0/24": "192.168.64.3"}


def test_each_family_has_its_routes() -> None:
    pod_cidrs = ["10.244.1.0/24", "fd00:10:244:1::/64"]
    addresses = ["192.168.64.3", "fd00:192:168:64::3"]
    node = {
        "metadata": {"name": "node-2"},
        "spec": {"podCIDR": pod_cidrs[0], "podCIDRs": pod_cidrs},
        "status": {"addresses": [{"type": "InternalIP", "address": a} for a in addresses]},
    }
    assert wanted_routes([node], "node-1") == dict(zip(pod_cidrs, addresses, strict=True))


def test_the_machine_is_read_from_proc_and_etc() -> None:
    assert memory_bytes("MemTotal:        1024 kB\nMemFree: 1 kB\n") == 1 << 20
    assert os_name('NAME="x"\nPRETTY_NAME="Debian GNU/Linux 12"\n') == "Debian GNU/Linux 12"
