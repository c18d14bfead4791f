"""The story's requests: each is seen exactly once, from whom, to which Service and which Pod."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from pilotfish.tap.entry import Entry
from support.shell import Shell
from support.tap_cluster import NAME, kubeconfig_of, watching

CURL = ("curl", "-sS", "--max-time", "5")
HAIRPINS = 8


@dataclass
class Cluster:
    """Addresses to ask at, and who may ask."""

    shell: Shell

    def __post_init__(self) -> None:
        service = self.shell.get("service", "web")
        self.cluster_ip: str = service["spec"]["clusterIP"]
        self.load_balancer: str = service["status"]["loadBalancer"]["ingress"][0]["ip"]
        self.node_port: int = service["spec"]["ports"][0]["nodePort"]
        self.nodes = {
            node["metadata"]["name"]: node["status"]["addresses"][0]["address"]
            for node in self.shell.get("nodes")["items"]
        }
        self.pods = {
            pod["metadata"]["name"]: pod["status"]["podIP"] for pod in self.shell.pods("app=web")
        }

    def ask(self, who: str, url: str) -> str:
        """The answer to a request from the host or a Pod: the name of the Pod that answered."""
        pod = [] if who == "host" else ["kubectl", "exec", who, "--"]
        return self.shell.out(*pod, *CURL, f"http://{url}").strip()


def hosts(cluster: Cluster) -> dict[str, str]:
    """Every way to the Service."""
    ways = {"clusterip": cluster.cluster_ip, "loadbalancer": cluster.load_balancer}
    for node, address in cluster.nodes.items():
        ways[f"nodeport-of-{node}"] = f"{address}:{cluster.node_port}"
    return ways


async def test_every_way_to_a_service_is_seen_once_with_the_pod_that_answered(
    cluster: Shell,
) -> None:
    known = Cluster(cluster)
    answered: dict[str, str] = {}
    async with watching(kubeconfig_of(cluster)) as watch:
        for who in ("host", "client"):
            for way, host in hosts(known).items():
                for number in range(3):
                    path = f"/{who}/{way}/{number}"
                    answered[path] = await asyncio.to_thread(known.ask, who, host + path)
        found = await watch.settled(len(answered), is_one_of(answered))
    assert {entry["path"]: entry["endpoint"]["pod"]["name"] for entry in found} == answered
    assert len(found) == len(answered)
    for entry in found:
        who = entry["path"].split("/")[1]
        assert (entry["src"]["kind"], entry["src"]["name"]) == (
            "host" if who == "host" else "pod",
            who,
        )
        assert entry["dst"]["service"]["name"] == "web"
        assert entry["endpoint"]["port"] == 8080
        assert entry["endpoint"]["ip"] == known.pods[entry["endpoint"]["pod"]["name"]]
        assert entry["status_code"] == 200
        assert entry["elapsed_time"] > 0
    assert set(answered.values()) == set(known.pods)


def is_one_of(paths: dict[str, str]) -> Callable[[Entry], bool]:
    return lambda entry: entry.get("path") in paths


async def test_pods_are_seen_when_they_are_asked_directly_and_when_they_ask_themselves(
    cluster: Shell,
) -> None:
    known = Cluster(cluster)
    answered: dict[str, str] = {}
    async with watching(kubeconfig_of(cluster)) as watch:
        for pod, address in known.pods.items():
            for who in ("host", "client"):
                path = f"/direct/{who}/{pod}"
                answered[path] = await asyncio.to_thread(known.ask, who, f"{address}:8080{path}")
            for number in range(HAIRPINS):
                path = f"/hairpin/{pod}/{number}"
                url = known.cluster_ip + path
                answered[path] = await asyncio.to_thread(known.ask, pod, url)
        found = await watch.settled(len(answered), is_one_of(answered))
    assert {entry["path"]: entry["endpoint"]["pod"]["name"] for entry in found} == answered
    assert len(found) == len(answered)
    itself = 0
    for entry in found:
        _, kind, who, *_ = entry["path"].split("/")
        assert entry["src"]["name"] == who
        assert entry["dst"]["kind"] == ("pod" if kind == "direct" else "service")
        itself += kind == "hairpin" and entry["endpoint"]["pod"]["name"] == who
    assert itself > 0


async def test_a_request_by_name_is_linked_to_its_look_up(cluster: Shell) -> None:
    known = Cluster(cluster)
    async with watching(kubeconfig_of(cluster)) as watch:
        await asyncio.to_thread(known.ask, "client", "web/by-name")
        (entry,) = await watch.settled(1, lambda each: each.get("path") == "/by-name")
    assert entry["dns"]["name"].rstrip(".") == "web.default.svc.cluster.local"
    assert entry["dns"]["answer"] == known.cluster_ip
    (look_up,) = [each for each in watch.entries if each["id"] == entry["dns"]["id"]]
    assert (look_up["protocol"], look_up["src"]["name"]) == ("dns", "client")
    assert look_up["dst"]["service"]["name"] == "kube-dns"
    asked = [each["request"]["type"] for each in watch.entries if each["protocol"] == "dns"]
    assert sorted(asked) == ["A", "AAAA"]


async def test_a_process_of_a_node_is_seen_with_what_it_asked_for(cluster: Shell) -> None:
    known = Cluster(cluster)
    answered: dict[str, str] = {}
    inside = ("ip", "netns", "exec", f"pf-{NAME}-node-1")
    async with watching(kubeconfig_of(cluster)) as watch:
        for number in range(6):
            path = f"/from-node/{number}"
            url = f"http://{known.cluster_ip}{path}"
            answered[path] = (await asyncio.to_thread(cluster.out, *inside, *CURL, url)).strip()
        found = await watch.settled(len(answered), is_one_of(answered))
    assert {entry["path"]: entry["endpoint"]["pod"]["name"] for entry in found} == answered
    assert len(found) == len(answered)
    for entry in found:
        assert (entry["src"]["kind"], entry["src"]["name"]) == ("node", "node-1")
        assert (entry["dst"]["service"]["name"], entry["dst"]["ip"]) == ("web", known.cluster_ip)


async def test_a_service_without_endpoints_refuses(cluster: Shell) -> None:
    address = cluster.cluster_ip("nobody")
    async with watching(kubeconfig_of(cluster)) as watch:
        done = await asyncio.to_thread(cluster.run, *CURL, f"http://{address}/")
        assert done.returncode != 0
        (entry,) = await watch.settled(1, lambda each: each["dst"]["ip"] == address)
    assert (entry["failure"], entry["error"]) == ("no endpoints", True)
    assert (entry["src"]["name"], entry["dst"]["service"]["name"]) == ("host", "nobody")
    assert "endpoint" not in entry


@pytest.mark.parametrize("who", ["host", "client"])
async def test_pods_that_do_not_listen_refuse_for_themselves(cluster: Shell, who: str) -> None:
    address = cluster.cluster_ip("deaf")
    inside = ("kubectl", "exec", "client", "--") if who == "client" else ()
    async with watching(kubeconfig_of(cluster)) as watch:
        for _ in range(8):
            done = await asyncio.to_thread(cluster.run, *inside, *CURL, f"http://{address}/")
            assert done.returncode != 0
        found = await watch.settled(8, lambda each: each["dst"]["ip"] == address)
    assert [entry["failure"] for entry in found] == ["refused"] * 8
    # Who it was is known where the Pod is on the node by which the connection entered.
    pods = {entry["endpoint"]["pod"]["name"] for entry in found if "endpoint" in entry}
    assert pods <= {pod["metadata"]["name"] for pod in cluster.pods("app=web")}


async def test_probes_are_seen_by_those_who_ask_for_them(cluster: Shell) -> None:
    def is_probe(entry: Entry) -> bool:
        return entry.get("path") == "/probe"

    async with watching(kubeconfig_of(cluster), probes=True) as curious:
        async with watching(kubeconfig_of(cluster)) as ordinary:
            await curious.settled(2, is_probe)
        assert not [entry for entry in ordinary.entries if is_probe(entry)]
    (entry, *_) = filter(is_probe, curious.entries)
    assert (entry["src"]["kind"], entry["probe"]) == ("node", True)
    assert entry["endpoint"]["pod"]["namespace"] == "default"


@pytest.mark.parametrize("who", ["host", "client"])
async def test_while_pods_are_replaced_every_request_has_the_pod_that_answered(
    cluster: Shell, who: str
) -> None:
    known = Cluster(cluster)
    answered: dict[str, str] = {}
    async with watching(kubeconfig_of(cluster)) as watch:
        await asyncio.to_thread(cluster.kubectl, "rollout", "restart", "deployment/web")
        while not set(answered.values()) - set(known.pods) or len(answered) < 30:
            path = f"/replaced/{who}/{len(answered)}"
            url = known.cluster_ip + path
            answered[path] = await asyncio.to_thread(known.ask, who, url)
        found = await watch.settled(len(answered), is_one_of(answered))
    await asyncio.to_thread(cluster.kubectl, "rollout", "status", "deployment/web")
    assert {entry["path"]: entry["endpoint"]["pod"]["name"] for entry in found} == answered
    assert len(found) == len(answered)
    assert all(entry["endpoint"]["pod"]["owner"]["name"] == "web" for entry in found)
