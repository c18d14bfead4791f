"""`pilotfish tables`: what a node's kernel does with packets for a Service, in words."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from pilotfish.network import naming
from support.application import NAME
from support.shell import Shell, eventually

MANIFEST = """
apiVersion: v1
kind: Service
metadata: {name: explained}
spec: {ports: [{port: 80, targetPort: 8080}], sessionAffinity: ClientIP}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: explained-1, labels: {kubernetes.io/service-name: explained}}
addressType: IPv4
ports: [{port: 8080, protocol: TCP}]
endpoints:
- {addresses: [192.0.2.1], nodeName: node-1, targetRef: {kind: Pod, name: first}}
- {addresses: [192.0.2.2], nodeName: node-2, targetRef: {kind: Pod, name: second}}
"""


@pytest.fixture
def explained(shell: Shell) -> Iterator[str]:
    """A Service's ClusterIP, with two endpoints that the kernel knows."""
    shell.kubectl("apply", "-f", "-", stdin=MANIFEST)
    eventually(lambda: "192.0.2.2:8080" in tables(shell, "explained"), "the kernel knows it")
    yield shell.kubectl("get", "service", "explained", "-o", "jsonpath={.spec.clusterIP}")
    shell.kubectl("delete", "service/explained", "endpointslice/explained-1")


def tables(shell: Shell, *arguments: str) -> str:
    return shell.pilotfish("tables", *arguments, "--name", NAME)


def test_a_service_is_explained_with_its_slots_pods_and_odds(shell: Shell, explained: str) -> None:
    text = tables(shell, "explained")
    assert f"{explained}:80/tcp (ClusterIP)" in text
    assert "each connection goes at random to one of 2 endpoints" in text
    assert "a client keeps its endpoint until 3 h after its last connection" in text
    assert "slot 0  50.0 %  192.0.2.1:8080  first   this node" in text
    assert "slot 1  50.0 %  192.0.2.2:8080  second  node-2" in text
    assert "Drift: none" in text
    assert "first   node-1" in tables(shell, "explained", "--node", "node-2")


def test_drift_is_shown_and_the_next_change_mends_it(shell: Shell, explained: str) -> None:
    namespace = naming.node_namespace(NAME, "node-1")
    element = f"{{ {explained} . tcp . 80 . 1 }}"
    nft = ["ip", "netns", "exec", namespace, "nft"]
    subprocess.run([*nft, "delete", "element", "ip", "pilotfish", "endpoints", element], check=True)
    assert "has no endpoint at slot 1" in tables(shell, "explained")
    assert "1 front" in tables(shell)
    patch = '{"endpoints": [{"addresses": ["192.0.2.1"]}]}'
    shell.kubectl("patch", "endpointslice", "explained-1", "--type=merge", "-p", patch)
    eventually(lambda: "Drift: none" in tables(shell, "explained"), "the drift is mended")


def test_a_service_that_is_not_there_is_named_with_what_to_do(shell: Shell) -> None:
    done = shell.run(sys.executable, "-m", "pilotfish", "tables", "nobody", "--name", NAME)
    assert done.returncode == 4
    assert "no such Service" in done.stderr
    assert "pilotfish tables" in done.stderr
