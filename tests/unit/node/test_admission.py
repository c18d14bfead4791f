"""The kubelet takes the Pods that fit its node, and says why it takes another one not."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.node.admission import rejection
from pilotfish.objects.meta import Object
from support.workloads import make_pod

NODE: Object = {
    "metadata": {"name": "node-1", "labels": {"zone": "a"}},
    "status": {"allocatable": {"cpu": "2", "memory": "1Gi", "pods": "3"}},
}


def pod(name: str = "new", phase: str = "Pending", **spec: Any) -> Object:
    return make_pod(name, ready=False, phase=phase, spec=spec)


def asking(name: str = "new", phase: str = "Pending", *, cpu: str = "0", port: int = 0) -> Object:
    ports = [{"containerPort": 80, "hostPort": port}] if port else []
    container = {"name": "c", "resources": {"requests": {"cpu": cpu}}, "ports": ports}
    return pod(name, phase, containers=[container])


@pytest.mark.parametrize(
    ("asked", "others"),
    [
        (asking(cpu="2"), []),
        (asking(cpu="1"), [asking("a", cpu="1")]),
        (asking(cpu="2"), [asking("a", "Failed", cpu="1")]),
        (asking(port=80), [asking("a", port=81)]),
        (asking(port=80), [asking("a", "Succeeded", port=80)]),
        (pod(nodeSelector={"zone": "a"}), []),
    ],
)
def test_a_pod_that_fits_is_taken(asked: Object, others: list[Object]) -> None:
    assert rejection(asked, others, NODE) is None


@pytest.mark.parametrize(
    ("asked", "others", "reason", "words"),
    [
        (asking(cpu="3"), [], "OutOfcpu", "cpu, requested: 3000, used: 0, capacity: 2000"),
        (asking(cpu="1"), [asking("a", cpu="1500m")], "OutOfcpu", "used: 1500"),
        (asking(), [asking("a"), asking("b"), asking("c")], "OutOfpods", "used: 3, capacity: 3"),
        (asking(port=80), [asking("a", port=80)], "NodePorts", "didn't have free ports"),
        (pod(nodeSelector={"zone": "b"}), [], "NodeAffinity", "didn't match Pod's node affinity"),
    ],
)
def test_a_pod_that_does_not_fit_is_rejected(
    asked: Object, others: list[Object], reason: str, words: str
) -> None:
    rejected = rejection(asked, others, NODE)
    assert rejected is not None
    assert rejected.reason == reason
    assert rejected.message.startswith("Pod was rejected: ")
    assert words in rejected.message


def test_a_node_that_has_not_said_what_it_has_takes_pods() -> None:
    assert rejection(asking(cpu="3"), [], {"metadata": {"name": "node-1"}}) is None
