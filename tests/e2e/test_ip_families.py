"""Clusters of IPv6 and of both families: Pods, Services of every policy, DNS, nodes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from pilotfish.network import naming
from support.application import NAME
from support.shell import Shell, eventually

PODS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      topologySpreadConstraints:
      - {maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: DoNotSchedule,
         labelSelector: {matchLabels: {app: web}}}
      containers:
      - name: web
        image: host
        command: [python3, -m, http.server, "8080", --bind, "::"]
        readinessProbe: {httpGet: {port: 8080}, periodSeconds: 1}
        env:
        - {name: POD_IPS, valueFrom: {fieldRef: {fieldPath: status.podIPs}}}
        - {name: HOST_IPS, valueFrom: {fieldRef: {fieldPath: status.hostIPs}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: LoadBalancer
  ipFamilyPolicy: PreferDualStack
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
"""


@pytest.fixture(scope="module", params=["ipv6", "dual"])
def families(request: pytest.FixtureRequest, shell: Shell, tmp_path_factory: Any) -> Iterator[Any]:
    """A cluster of two nodes with two Pods behind a Service: (its shell, its status)."""
    name = f"{NAME}-{request.param}"
    made = Shell(tmp_path_factory.mktemp(request.param) / "kubeconfig")
    made.pilotfish("up", "--name", name, "--nodes", "2", "--ip-family", request.param)
    try:
        made.kubectl("apply", "-f", "-", stdin=PODS)
        made.wait_endpoints("web", 2 if request.param == "ipv6" else 4)
        yield made, json.loads(made.pilotfish("status", "--name", name, "-o", "json"))[0]
    finally:
        made.pilotfish("down", "--name", name)


def versions(status: dict[str, Any]) -> list[str]:
    return {"ipv6": ["IPv6"], "dual": ["IPv4", "IPv6"]}[status["ipFamily"]]


def family(address: str) -> str:
    return "IPv6" if ":" in address else "IPv4"


def answers(shell: Shell, address: str, port: int = 80) -> bool:
    host = f"[{address}]" if ":" in address else address
    url = f"http://{host}:{port}/"
    return bool(shell.run("curl", "-gs", "-m", "1", "-o", "/dev/null", url).returncode == 0)


def balancers(shell: Shell) -> list[str]:
    status = shell.get("service", "web")["status"]
    return [entry["ip"] for entry in status["loadBalancer"].get("ingress") or ()]


def pods(shell: Shell) -> list[dict[str, Any]]:
    listed = json.loads(shell.kubectl("get", "pods", "-l", "app=web", "-o", "json"))
    return list(listed["items"])


def test_pods_nodes_and_services_have_an_address_of_each_family(families: Any) -> None:
    shell, status = families
    (pod, *_) = pods(shell)
    assert [family(entry["ip"]) for entry in pod["status"]["podIPs"]] == versions(status)
    assert [family(entry["ip"]) for entry in pod["status"]["hostIPs"]] == versions(status)
    node = shell.get("node", "node-2")
    assert [family(cidr) for cidr in node["spec"]["podCIDRs"]] == versions(status)
    spec = shell.get("service", "web")["spec"]
    assert [family(address) for address in spec["clusterIPs"]] == versions(status)
    slices = json.loads(shell.kubectl("get", "endpointslices", "-o", "json"))["items"]
    of_web = [one for one in slices if one["metadata"]["name"].startswith("web-")]
    assert sorted(one["addressType"] for one in of_web) == sorted(versions(status))


def test_every_address_answers(families: Any) -> None:
    shell, status = families
    eventually(lambda: len(balancers(shell)) == len(versions(status)), "it has all addresses")
    spec = shell.get("service", "web")["spec"]
    for address in [*spec["clusterIPs"], *balancers(shell)]:
        eventually(lambda address=address: answers(shell, address), f"{address} answers")
    for node in status["nodes"]:
        for address in node["address"].split(","):
            assert answers(shell, address, spec["ports"][0]["nodePort"])


def test_a_pod_knows_its_addresses_and_finds_services_of_each_family(families: Any) -> None:
    shell, status = families
    (pod, *_) = pods(shell)
    name = pod["metadata"]["name"]
    told = shell.kubectl("exec", name, "--", "sh", "-c", "echo $POD_IPS; cat /etc/hosts")
    ips = [entry["ip"] for entry in pod["status"]["podIPs"]]
    assert told.splitlines()[0] == ",".join(ips)
    assert all(f"{ip}\t{name}" in told for ip in ips)
    found = shell.kubectl("exec", name, "--", "getent", "ahosts", "web")
    assert all(ip in found for ip in shell.get("service", "web")["spec"]["clusterIPs"])
    fetch = "import urllib.request as r; print(r.urlopen('http://web/', timeout=3).status)"
    assert shell.kubectl("exec", name, "--", "python3", "-c", fetch).strip() == "200"
    resolv = shell.kubectl("exec", name, "--", "cat", "/etc/resolv.conf")
    assert f"nameserver {status['dnsAddress']}" in resolv


def test_the_policy_of_a_live_service_can_change(families: Any) -> None:
    shell, status = families
    if status["ipFamily"] != "dual":
        refused = shell.run(
            "kubectl",
            "patch",
            "service",
            "web",
            "-p",
            '{"spec":{"ipFamilyPolicy":"RequireDualStack"}}',
        )
        assert "not configured for dual-stack" in refused.stderr
        return
    before = shell.get("service", "web")["spec"]["clusterIPs"]
    for policy, count in (("SingleStack", 1), ("RequireDualStack", 2)):
        patch = json.dumps({"spec": {"ipFamilyPolicy": policy}})
        shell.kubectl("patch", "service", "web", "-p", patch)
        addresses = shell.get("service", "web")["spec"]["clusterIPs"]
        assert len(addresses) == count
        assert addresses[0] == before[0]
        for address in addresses:
            eventually(lambda address=address: answers(shell, address), f"{address} answers")
    eventually(lambda: len(balancers(shell)) == 2, "it has both addresses again")


def test_load_balancer_addresses_move_when_their_node_is_cut_off(families: Any) -> None:
    shell, status = families
    if status["ipFamily"] != "dual":
        pytest.skip("both families are seen in the dual-stack cluster")
    addresses = balancers(shell)
    for address in addresses:
        eventually(lambda address=address: answers(shell, address), f"{address} answers")
    node = ("ip", "-n", naming.node_namespace(status["name"], "node-1"), "link", "set", "eth0")
    subprocess.run([*node, "down"], check=True)
    try:
        for address in addresses:
            eventually(
                lambda address=address: all(answers(shell, address) for _ in range(5)),
                f"{address} answers from another node",
                timeout_s=70,
            )
    finally:
        subprocess.run([*node, "up"], check=True)
