"""Addresses have the names that they had at the moment asked about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pilotfish.objects.meta import Object
from pilotfish.objects.times import format_time
from pilotfish.tap import identity
from pilotfish.tap.identity import Identity
from support.workloads import make_node, make_pod, make_replica_set, make_service

NOW = 1_700_000_000.0


def pod(name: str, ip: str, created_s: float = NOW - 100, **fields: Any) -> Object:
    made = make_pod(name, ip=ip, ready=True, node="node-1", **fields)
    made["metadata"]["creationTimestamp"] = format_time(datetime.fromtimestamp(created_s, UTC))
    return made


@pytest.fixture
def names() -> Identity:
    return Identity(host_addresses=["192.168.64.1"])


def name(names: Identity, address: str, time_s: float = NOW) -> str:
    found: str = names.client(address, 40000, time_s)["name"]
    return found


def test_a_pod_has_its_name_namespace_labels_and_node(names: Identity) -> None:
    names.pod_changed(None, pod("web", "10.244.0.2", labels={"app": "web"}), NOW)
    party = names.client("10.244.0.2", 40000, NOW)
    assert (party["kind"], party["name"], party["port"]) == ("pod", "web", 40000)
    assert party["pod"] == {
        "name": "web",
        "namespace": "default",
        "labels": {"app": "web"},
        "node": "node-1",
    }


def test_a_pod_of_a_deployment_says_so(names: Identity) -> None:
    owner = make_replica_set("web-abc")
    labels = {"pod-template-hash": "abc"}
    names.pod_changed(None, pod("web-abc-1", "10.244.0.2", labels=labels, owner=owner), NOW)
    names.pod_changed(None, pod("solo-1", "10.244.0.3", owner=make_replica_set("solo")), NOW)
    found = [names.client(f"10.244.0.{n}", 1, NOW)["pod"]["owner"] for n in (2, 3)]
    assert found == [
        {"kind": "Deployment", "name": "web"},
        {"kind": "ReplicaSet", "name": "solo"},
    ]


def test_an_address_that_is_used_again_is_told_apart_by_time(names: Identity) -> None:
    old, new = pod("old", "10.244.0.2"), pod("new", "10.244.0.2", created_s=NOW + 5)
    names.pod_changed(None, old, NOW)
    names.pod_changed(old, None, NOW + 6)
    names.pod_changed(None, new, NOW + 8)
    assert name(names, "10.244.0.2", NOW + 5.5) == "old"
    assert name(names, "10.244.0.2", NOW + 8) == "new"


def test_packets_after_a_pods_end_are_still_its_own(names: Identity) -> None:
    web = pod("web", "10.244.0.2")
    names.pod_changed(None, web, NOW)
    names.pod_changed(web, None, NOW + 1)
    assert name(names, "10.244.0.2", NOW + 1.5) == "web"


def test_a_pod_that_spoke_before_it_was_heard_of_has_its_name(names: Identity) -> None:
    unplaced = pod("web", "")
    names.pod_changed(None, unplaced, NOW)
    names.pod_changed(unplaced, unplaced | {"status": pod("web", "10.244.0.2")["status"]}, NOW + 1)
    assert name(names, "10.244.0.2", NOW + 0.9) == "web"


def test_a_pod_that_has_run_to_its_end_gives_its_address_back(names: Identity) -> None:
    job = pod("job", "10.244.0.2")
    done = job | {"status": job["status"] | {"phase": "Succeeded"}}
    names.pod_changed(None, job, NOW)
    names.pod_changed(job, done, NOW + 1)
    names.pod_changed(None, pod("next", "10.244.0.2", created_s=NOW + 1), NOW + 3)
    names.pod_changed(done, None, NOW + 4)
    assert name(names, "10.244.0.2", NOW + 5) == "next"


def test_labels_that_change_are_seen(names: Identity) -> None:
    web = pod("web", "10.244.0.2")
    relabelled = web | {"metadata": web["metadata"] | {"labels": {"version": "2"}}}
    names.pod_changed(None, web, NOW)
    names.pod_changed(web, relabelled, NOW + 1)
    assert names.client("10.244.0.2", 1, NOW + 2)["pod"]["labels"] == {"version": "2"}


def test_a_pod_on_the_nodes_network_leaves_the_address_to_the_node(names: Identity) -> None:
    names.node_changed(None, node(), NOW)
    names.pod_changed(None, pod("proxy", "192.168.64.2", spec={"hostNetwork": True}), NOW)
    assert names.client("192.168.64.2", 1, NOW)["kind"] == "node"


def node() -> Object:
    made = make_node("node-1", spec={"podCIDR": "10.244.0.0/24"})
    made["status"]["addresses"] = [
        {"type": "InternalIP", "address": "192.168.64.2"},
        {"type": "Hostname", "address": "node-1"},
    ]
    return made


def test_nodes_the_host_and_strangers_are_told_apart(names: Identity) -> None:
    names.node_changed(None, node(), NOW)
    kinds = {
        address: names.client(address, 1, NOW)["kind"]
        for address in ("192.168.64.2", "10.244.0.1", "192.168.64.1", "203.0.113.7")
    }
    assert kinds == {
        "192.168.64.2": "node",
        "10.244.0.1": "node",
        "192.168.64.1": "host",
        "203.0.113.7": "external",
    }


def service(**spec: Any) -> Object:
    made = make_service("web", spec=spec)
    made["spec"]["ports"][0] |= {"name": "http", "nodePort": 30080}
    return made


@pytest.mark.parametrize(
    ("address", "port"),
    [("10.96.0.50", 80), ("192.168.64.2", 30080), ("198.51.100.1", 80), ("192.168.64.200", 80)],
    ids=["ClusterIP", "NodePort", "external IP", "load balancer"],
)
def test_a_service_is_known_by(names: Identity, address: str, port: int) -> None:
    web = service(externalIPs=["198.51.100.1"], type="LoadBalancer")
    web["status"] = {"loadBalancer": {"ingress": [{"ip": "192.168.64.200"}]}}
    names.node_changed(None, node(), NOW)
    names.service_changed(None, web, NOW)
    party = names.server(address, port, "tcp", NOW)
    assert (party["kind"], party["name"]) == ("service", "web")
    assert party["service"]["port"] == "http"
    assert party["service"]["type"] == "LoadBalancer"


def test_a_service_is_known_at_ports_that_it_does_not_have(names: Identity) -> None:
    names.service_changed(None, service(), NOW)
    party = names.server("10.96.0.50", 81, "tcp", NOW)
    assert (party["name"], party["service"]["port"]) == ("web", "")


def test_a_port_belongs_to_a_service_for_its_protocol_and_to_servers_only(names: Identity) -> None:
    names.node_changed(None, node(), NOW)
    names.service_changed(None, service(), NOW)
    assert names.server("192.168.64.2", 30080, "udp", NOW)["kind"] == "node"
    assert names.client("192.168.64.2", 30080, NOW)["kind"] == "node"


def test_a_service_that_is_made_anew_is_another_one(names: Identity) -> None:
    old, new = service(), make_service("other")
    names.service_changed(None, old, NOW)
    names.service_changed(None, new, NOW + 10)  # heard of before the old one's end
    names.service_changed(old, None, NOW + 11)
    assert names.server("10.96.0.50", 80, "tcp", NOW + 5)["name"] == "web"
    assert names.server("10.96.0.50", 80, "tcp", NOW + 12)["name"] == "other"


def test_a_look_up_is_linked_to_what_its_client_does_next(names: Identity) -> None:
    look_up = {"name": "web", "id": "node-1-000001"}
    names.note_look_up("10.244.0.2", ["10.96.0.50", "10.96.0.51"], look_up, NOW)
    assert names.look_up("10.244.0.2", "10.96.0.51", NOW + 1) == look_up
    assert names.look_up("10.244.0.2", "10.96.0.50", NOW - 1) is None
    assert names.look_up("10.244.0.3", "10.96.0.50", NOW + 1) is None
    assert names.look_up("10.244.0.2", "10.96.0.50", NOW + 2 * identity.LOOK_UP_LINKED_S) is None


def test_memory_is_bounded(names: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "MAX_REMEMBERED", 2)
    monkeypatch.setattr(identity, "MAX_LOOK_UPS", 2)
    for number in range(10):
        each = pod(f"pod-{number}", f"10.244.0.{number}")
        names.pod_changed(None, each, NOW + number)
        names.pod_changed(each, None, NOW + number)
        names.note_look_up("10.244.0.2", [f"10.96.0.{number}"], {}, NOW)
    assert name(names, "10.244.0.7", NOW + 10) == "10.244.0.7"
    assert name(names, "10.244.0.8", NOW + 10) == "pod-8"
    assert names.look_up("10.244.0.2", "10.96.0.7", NOW) is None
    assert names.look_up("10.244.0.2", "10.96.0.8", NOW) == {}
