"""What answers at a node's own addresses: hostPorts, health check ports, policy Local."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from support.shell import Shell, eventually

MANIFEST = """
apiVersion: v1
kind: Pod
metadata: {name: at-node, labels: {app: at-node}}
spec:
  nodeName: node-2
  terminationGracePeriodSeconds: 0
  containers:
  - name: web
    image: host
    command: [python3, -m, http.server, "8080"]
    ports: [{containerPort: 8080, hostPort: 8099}]
    readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: at-node}
spec:
  type: LoadBalancer
  externalTrafficPolicy: Local
  selector: {app: at-node}
  ports: [{port: 80, targetPort: 8080}]
"""


@pytest.fixture(scope="module")
def at_node(shell: Shell) -> Iterator[dict[str, Any]]:
    """A Service of policy Local whose only Pod runs on node-2."""
    shell.kubectl("apply", "-f", "-", stdin=MANIFEST)
    shell.wait_endpoints("at-node", 1)
    yield shell.get("service", "at-node")
    shell.kubectl("delete", "pod/at-node", "service/at-node", "--ignore-not-found")


def address(status: dict[str, Any], node: str) -> str:
    return next(str(one["address"]) for one in status["nodes"] if one["name"] == node)


def answers(shell: Shell, url: str) -> bool:
    return shell.run("curl", "-s", "-m", "1", "-o", "/dev/null", url).returncode == 0


def test_a_host_port_answers_on_the_pods_node_only(
    shell: Shell, status: dict[str, Any], at_node: dict[str, Any]
) -> None:
    on_node = f"http://{address(status, 'node-2')}:8099"
    eventually(lambda: answers(shell, on_node), "the hostPort answers")
    assert not answers(shell, f"http://{address(status, 'node-1')}:8099")


def test_each_node_says_whether_it_has_endpoints(
    shell: Shell, status: dict[str, Any], at_node: dict[str, Any]
) -> None:
    port = at_node["spec"]["healthCheckNodePort"]
    for node, count in (("node-1", 0), ("node-2", 1)):
        url = f"http://{address(status, node)}:{port}/"
        eventually(lambda url=url: answers(shell, url), "the health check port answers")
        assert json.loads(shell.curl(url))["localEndpoints"] == count


def test_a_load_balancer_address_is_at_the_node_that_has_the_endpoint(
    shell: Shell, at_node: dict[str, Any]
) -> None:
    def ingress() -> str:
        found = shell.get("service", "at-node")["status"]["loadBalancer"].get("ingress") or [{}]
        return str(found[0].get("ip", ""))

    eventually(lambda: bool(ingress()), "the Service has an address")
    eventually(lambda: answers(shell, f"http://{ingress()}/"), "the address answers")


def test_a_host_port_goes_with_its_pod(
    shell: Shell, status: dict[str, Any], at_node: dict[str, Any]
) -> None:
    shell.kubectl("delete", "pod/at-node")
    on_node = f"http://{address(status, 'node-2')}:8099"
    eventually(lambda: not answers(shell, on_node), "the hostPort is gone")
