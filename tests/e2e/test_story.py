"""The story's rows 1 to 12, with stock kubectl and curl."""

from __future__ import annotations

import re
import socket
import subprocess
from collections import Counter
from typing import Any

import pytest

from support.application import ALL_IN_ONE_LABELS, API_LABELS, DATABASE_LABELS, EXAMPLES, NAME
from support.shell import Shell, eventually


def name_of(pod: dict[str, Any]) -> str:
    return str(pod["metadata"]["name"])


def address_of(pod: dict[str, Any]) -> str:
    return str(pod["status"]["podIP"])


def who(answers: list[str]) -> list[str]:
    """The Pod behind each answer of the example's programs."""
    return [re.findall(r"(?:I am|database|known to) (go-demo-2\S*)", line)[-1] for line in answers]


def assert_about_equal(counts: Counter[str], pods: list[str]) -> None:
    total = counts.total()
    fair = total / len(pods)
    # Five standard deviations of a fair choice: by chance it fails once in a million.
    margin = 5 * (fair * (1 - 1 / len(pods))) ** 0.5
    assert set(counts) == set(pods)
    assert all(abs(count - fair) <= margin for count in counts.values()), counts


def test_row_1_two_ready_nodes_and_kubectl_pointed_at_them(shell: Shell) -> None:
    assert shell.kubectl("config", "current-context").strip() == f"pilotfish-{NAME}"
    lines = shell.kubectl("get", "nodes").splitlines()[1:]
    assert [line.split()[:2] for line in lines] == [["node-1", "Ready"], ["node-2", "Ready"]]


def test_row_2_every_pod_has_an_address_of_its_own(application: Shell) -> None:
    pods = application.get("pods")["items"]
    addresses = [address_of(pod) for pod in pods]
    assert len(set(addresses)) == len(addresses) == 6
    assert {pod["spec"]["nodeName"] for pod in pods} == {"node-1", "node-2"}


def test_row_2_containers_of_a_pod_share_localhost(application: Shell) -> None:
    pod = name_of(application.pods(ALL_IN_ONE_LABELS)[0])
    answer = application.kubectl("exec", pod, "-c", "api", "--", "curl", "-s", "localhost:28017")
    assert f"database {pod} " in answer
    assert "you are 127.0.0.1" in answer


def test_row_2_pods_reach_pods_on_both_nodes_without_nat(application: Shell) -> None:
    pods = application.pods(API_LABELS)
    client = pods[0]
    assert len({pod["spec"]["nodeName"] for pod in pods}) == 2
    for server in pods[1:]:
        url = f"http://{address_of(server)}:8080/demo/hello"
        [answer] = application.answers(url, 1, pod=name_of(client))
        assert f"I am {name_of(server)} " in answer
        assert f"you are {address_of(client)}" in answer


def test_row_3_an_exposed_replica_set_is_on_a_port_of_every_node(
    application: Shell, status: dict[str, Any]
) -> None:
    application.kubectl(
        *("expose", "rs", "go-demo-2", "--name=go-demo-2-svc"),
        *("--target-port=28017", "--type=NodePort"),
    )
    try:
        port = application.get("service", "go-demo-2-svc")["spec"]["ports"][0]["nodePort"]
        assert 30000 <= port <= 32767
        for node in status["nodes"]:
            url = f"http://{node['address']}:{port}/"
            eventually(lambda url=url: application.run("curl", "-sf", url).returncode == 0, url)  # type: ignore[misc]
            assert "database go-demo-2-" in application.curl(url)
    finally:
        application.kubectl("delete", "service", "go-demo-2-svc")


def test_row_4_a_service_lists_one_address_per_ready_pod(application: Shell) -> None:
    table = application.kubectl("get", "-f", str(EXAMPLES / "svc.yml"))
    assert re.search(r"go-demo-2 +NodePort +10\.\S+ +<none> +28017:30001/TCP", table)
    addresses = sorted(address_of(pod) for pod in application.pods(ALL_IN_ONE_LABELS))
    [subset] = application.get("endpoints", "go-demo-2")["subsets"]
    assert sorted(address["ip"] for address in subset["addresses"]) == addresses
    described = application.kubectl("describe", "svc", "go-demo-2")
    assert all(f"{address}:28017" in described for address in addresses)


@pytest.mark.parametrize("from_pod", [False, True], ids=["from the host", "from a Pod"])
def test_row_5_requests_spread_about_equally(application: Shell, from_pod: bool) -> None:
    pods = [name_of(pod) for pod in application.pods(API_LABELS)]
    url = f"http://{application.cluster_ip('go-demo-2-api')}:8080/demo/hello"
    answers = application.answers(url, 120, pod=pods[0] if from_pod else "")
    assert_about_equal(Counter(who(answers)), pods)


@pytest.mark.parametrize("from_pod", [False, True], ids=["from the host", "from a Pod"])
def test_row_5_round_robin_is_strict(application: Shell, from_pod: bool) -> None:
    pods = [name_of(pod) for pod in application.pods(API_LABELS)]
    url = f"http://{application.cluster_ip('go-demo-2-api-round-robin')}:8080/demo/hello"
    answers = who(application.answers(url, 9, pod=pods[0] if from_pod else ""))
    assert set(answers[:3]) == set(pods)
    assert answers[:3] == answers[3:6] == answers[6:]


def test_row_6_a_selector_that_matches_nothing_refuses_at_once(application: Shell) -> None:
    url = f"http://{application.cluster_ip('go-demo-2')}:28017/"
    assert "database" in application.curl(url)

    def edit(old: str, new: str) -> None:
        editor = f'sed -i "s/service: {old}/service: {new}/"'
        application.environment["KUBE_EDITOR"] = editor
        application.kubectl("edit", "svc", "go-demo-2")

    edit("go-demo-2", "go-demo-3")
    try:
        application.wait_endpoints("go-demo-2", 0)
        refused = 7  # curl(1), exit codes: failed to connect to host
        eventually(
            lambda: application.run("curl", "-s", "-m", "5", url).returncode == refused,
            "the connection is refused",
        )
        client = name_of(application.pods(API_LABELS)[0])
        inside = application.run("kubectl", "exec", client, "--", "curl", "-s", "-m", "5", url)
        assert inside.returncode == refused
    finally:
        edit("go-demo-3", "go-demo-2")
    application.wait_endpoints("go-demo-2", 2)
    eventually(lambda: application.run("curl", "-sf", url).returncode == 0, "it answers again")


def test_row_7_an_unready_pod_gets_no_request_and_comes_back(application: Shell) -> None:
    pods = application.pods(API_LABELS)
    away, others = pods[0], [name_of(pod) for pod in pods[1:]]
    url = f"http://{application.cluster_ip('go-demo-2-api')}:8080/demo/hello"
    switch = f"http://{address_of(away)}:8080/ready?value="
    application.curl(f"{switch}no", "-X", "POST")
    try:
        application.wait_endpoints("go-demo-2-api", 2)
        eventually(
            lambda: name_of(away) not in who(application.answers(url, 20)), "the tables follow"
        )
        assert_about_equal(Counter(who(application.answers(url, 60))), others)
        [not_ready] = application.get("endpoints", "go-demo-2-api")["subsets"][0][
            "notReadyAddresses"
        ]
        assert not_ready["ip"] == address_of(away)
    finally:
        application.curl(f"{switch}yes", "-X", "POST")
    application.wait_endpoints("go-demo-2-api", 3)
    eventually(lambda: name_of(away) in who(application.answers(url, 20)), "it gets requests")


def test_row_8_a_container_that_fails_its_liveness_probe_is_restarted(application: Shell) -> None:
    pod = application.pods(API_LABELS)[-1]

    def restarts() -> int:
        found = application.get("pod", name_of(pod))["status"]["containerStatuses"][0]
        return int(found["restartCount"])

    before = restarts()
    application.curl(f"http://{address_of(pod)}:8080/alive?value=no", "-X", "POST")
    eventually(lambda: restarts() == before + 1, "the container is restarted", 60)
    again = application.wait_ready(API_LABELS, 3)
    assert address_of(pod) in {address_of(one) for one in again}
    events = application.kubectl("events", "--for", f"pod/{name_of(pod)}")
    assert "Unhealthy" in events
    assert "Killing" in events


def test_row_9_the_api_finds_its_database_by_name(application: Shell) -> None:
    client = name_of(application.pods(API_LABELS)[0])
    resolv = application.kubectl("exec", client, "--", "cat", "/etc/resolv.conf")
    dns = application.get("service", "kube-dns", "-n", "kube-system")["spec"]["clusterIP"]
    assert f"nameserver {dns}" in resolv
    assert "search default.svc.cluster.local svc.cluster.local cluster.local" in resolv
    looked_up = application.kubectl("exec", client, "--", "getent", "ahostsv4", "go-demo-2-db")
    assert looked_up.split()[0] == application.cluster_ip("go-demo-2-db")


def test_row_9_a_scaled_database_shares_its_connections(application: Shell) -> None:
    url = f"http://{application.cluster_ip('go-demo-2-api')}:8080/demo/person?name=Viktor"
    application.kubectl("scale", "rs", "go-demo-2-db", "--replicas=3")
    try:
        databases = [name_of(pod) for pod in application.wait_ready(DATABASE_LABELS, 3)]
        application.wait_endpoints("go-demo-2-db", 3)
        eventually(
            lambda: set(who(application.answers(url, 20))) == set(databases), "the tables follow"
        )
        assert_about_equal(Counter(who(application.answers(url, 90))), databases)
    finally:
        application.kubectl("scale", "rs", "go-demo-2-db", "--replicas=1")
        application.wait_endpoints("go-demo-2-db", 1)


def test_row_10_a_load_balancer_has_an_address_that_answers(application: Shell) -> None:
    def ingress() -> list[dict[str, str]]:
        found = application.get("service", "go-demo-2-api-balanced")["status"]["loadBalancer"]
        return list(found.get("ingress", []))

    eventually(lambda: bool(ingress()), "an EXTERNAL-IP")
    url = f"http://{ingress()[0]['ip']}/demo/hello"
    eventually(lambda: application.run("curl", "-sf", "-m", "2", url).returncode == 0, url)
    pods = {name_of(pod) for pod in application.pods(API_LABELS)}
    assert set(who(application.answers(url, 60))) == pods


def test_row_10_headless_and_external_names(application: Shell) -> None:
    pods = application.pods(API_LABELS)

    def lookup(*arguments: str) -> str:
        command = ("exec", name_of(pods[0]), "--", "python3", "/programs/lookup.py")
        return application.kubectl(*command, *arguments)

    headless = lookup("go-demo-2-api-headless")
    assert sorted(re.findall(r" A (\S+)", headless)) == sorted(address_of(pod) for pod in pods)
    ports = lookup("_http._tcp.go-demo-2-api-headless", "SRV")
    assert len(re.findall(r" SRV \S+ port 8080", ports)) == 3
    assert " CNAME kubernetes.io" in lookup("go-demo-2-docs", "CNAME")


def test_row_11_port_forward_to_a_service(application: Shell) -> None:
    with socket.socket() as free:
        free.bind(("", 0))
        port = free.getsockname()[1]
    forward = subprocess.Popen(
        [
            *("kubectl", "port-forward", "service/go-demo-2-api"),
            *("--address", "0.0.0.0", f"{port}:8080"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=application.environment,
    )
    try:
        url = f"http://127.0.0.2:{port}/demo/hello"
        eventually(lambda: application.run("curl", "-sf", url).returncode == 0, "an open port")
        pods = {name_of(pod) for pod in application.pods(API_LABELS)}
        assert set(who([application.curl(url)])) <= pods
    finally:
        forward.terminate()
        forward.wait()


def test_row_12_the_host_is_seen_under_its_bridge_address(
    application: Shell, status: dict[str, Any]
) -> None:
    assert f"inet {status['hostAddress']}/" in application.out("ip", "address")
    for pod in application.pods(API_LABELS):
        answer = application.curl(f"http://{address_of(pod)}:8080/demo/hello")
        assert f"you are {status['hostAddress']}" in answer
