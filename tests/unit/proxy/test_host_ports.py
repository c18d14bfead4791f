"""hostPorts: the node's addresses lead to the one Pod."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.proxy.family import IPV4
from pilotfish.proxy.fronts import NOTHING, Balance, Endpoint, Front
from pilotfish.proxy.host_ports import has_any, wanted
from pilotfish.proxy.services import NodeFacts

NODE = NodeFacts("node-1", ("192.168.64.2",), ("10.244.0.0/24",))
POD = Balance((Endpoint("10.244.0.5", 8080),))


def pod(*ports: dict[str, Any], phase: str = "Running", **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"containers": [{"name": "web", "ports": list(ports)}], **spec},
        "status": {"phase": phase, "podIP": "10.244.0.5"},
    }


def test_a_host_port_answers_at_the_nodes_addresses() -> None:
    made = pod({"containerPort": 8080, "hostPort": 80})
    assert wanted(made, NODE, IPV4).fronts == {Front("192.168.64.2", "tcp", 80): POD}
    assert wanted(made, NODE, IPV4).own_endpoints == {"10.244.0.5"}


def test_a_host_ip_and_a_protocol_are_kept_to() -> None:
    made = pod({"containerPort": 8080, "hostPort": 53, "hostIP": "10.9.9.9", "protocol": "UDP"})
    assert wanted(made, NODE, IPV4).fronts == {Front("10.9.9.9", "udp", 53): POD}


def test_the_unspecified_host_ip_means_all_addresses() -> None:
    made = pod({"containerPort": 8080, "hostPort": 80, "hostIP": "0.0.0.0"})
    assert set(wanted(made, NODE, IPV4).fronts) == {Front("192.168.64.2", "tcp", 80)}


@pytest.mark.parametrize(
    "made",
    [
        None,
        pod({"containerPort": 8080}),
        pod({"containerPort": 8080, "hostPort": 80}, phase="Succeeded"),
        pod({"containerPort": 80, "hostPort": 80}, hostNetwork=True),
        {**pod({"containerPort": 80, "hostPort": 80}), "status": {"phase": "Pending"}},
    ],
)
def test_pods_without_anything_to_lead_to_want_nothing(made: Any) -> None:
    assert wanted(made, NODE, IPV4) == NOTHING


def test_most_pods_have_no_host_ports() -> None:
    assert has_any(pod({"containerPort": 8080, "hostPort": 80}))
    assert not has_any(pod({"containerPort": 8080}))
