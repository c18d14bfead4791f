"""The map: workloads, Services between them, and a filter for each edge."""

from __future__ import annotations

import pytest

from pilotfish.dashboard.messages import MapEdge
from pilotfish.dashboard.statistics import Statistics
from pilotfish.tap.entry import Entry, timestamp
from pilotfish.tap.filter import compile as compile_filter
from support.entries import entry
from support.traffic import NOW_S, Shop, look_up, seen_pod, seen_service

NODE = {"ip": "192.168.64.2", "port": 1, "name": "node-1", "kind": "node"} | {
    "node": {"name": "node-1"}
}
HOST = {"ip": "192.168.64.1", "port": 1, "name": "host", "kind": "host"}
STRANGER = {"ip": "203.0.113.9", "port": 443, "name": "203.0.113.9", "kind": "external"}
API = seen_service("api", "10.96.0.50")
WEB = seen_pod("web-1", "10.244.0.5", "web")
ALONE = seen_pod("alone", "10.244.0.6")


def made(number: int, src: object, dst: object, endpoint: object = None, **more: object) -> Entry:
    found = entry(timestamp=timestamp(NOW_S), src=src, dst=dst, conn={"id": f"c{number}"}, **more)
    if endpoint is None:
        del found["endpoint"]
    else:
        found["endpoint"] = endpoint
    return found


# What each says is in its edges: client, target and endpoint in all combinations.
ENTRIES = [
    made(number, src, dst, endpoint)
    for number, (src, dst, endpoint) in enumerate(
        (src, dst, endpoint)
        for src in (WEB, ALONE, NODE, HOST, STRANGER, seen_pod("web", "10.244.0.7"))
        for dst, endpoint in (
            (API, seen_pod("api-1", "10.244.1.1", "api")),
            (API, seen_pod("api-2", "10.244.1.2", "api-canary")),
            (API, seen_pod("web", "10.244.1.3")),
            (API, None),
            (API, HOST),
            (seen_service("api", "10.96.0.51", namespace="shop"), None),
            (seen_pod("api-1", "10.244.1.1", "api"),) * 2,
            (STRANGER, None),
            (NODE, None),
        )
    )
] + [made(999, NODE, seen_pod("api-1", "10.244.1.1", "api"), WEB, probe=True)]


def edges_of(entries: list[Entry]) -> list[MapEdge]:
    shop = Shop()
    shop.statistics = Statistics()
    for each in entries:
        shop.statistics.add(each)
    return shop.map()["edges"]


def ends_of(each: Entry) -> set[tuple[str, str]]:
    """The edges that an entry is part of."""
    return {(edge["source"], edge["target"]) for edge in edges_of([each])}


def test_the_filter_of_an_edge_shows_just_its_entries() -> None:
    edges = edges_of(ENTRIES)
    assert len(edges) > 30
    for edge in edges:
        chosen = compile_filter(edge["filter"])
        way = edge["source"], edge["target"]
        expected = [each["conn"]["id"] for each in ENTRIES if way in ends_of(each)]
        found = [each["conn"]["id"] for each in ENTRIES if chosen.matches(each)]
        assert found == expected, edge["filter"]
        assert edge["requests"] == len(expected)


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_pods_are_one_workload_with_their_service_in_between(shop: Shop) -> None:
    shop.service("api", ready=2)
    shop.ask("api", 0, times=2, elapsed_time=2000)
    shop.ask("api", 1, times=3, elapsed_time=2000)
    shop.fail("api", "503", 1)
    view = shop.map()
    nodes = {node["id"]: node for node in view["nodes"]}
    assert set(nodes) == {
        "workload/Deployment/default/client",
        "service/default/api",
        "workload/Deployment/default/api",
    }
    assert nodes["workload/Deployment/default/api"]["pods"] == 2
    first, second = view["edges"]
    assert (first["source"], first["target"]) == (
        "workload/Deployment/default/client",
        "service/default/api",
    )
    assert (second["source"], second["target"]) == (
        "service/default/api",
        "workload/Deployment/default/api",
    )
    for edge in (first, second):
        assert (edge["requests"], edge["errors"], edge["protocols"]) == (6, 1, ["http"])
        assert edge["p50_us"] == pytest.approx(2000, rel=0.04)


def test_where_nobody_was_chosen_the_edge_ends_at_the_service(shop: Shop) -> None:
    shop.fail("api", "no endpoints", None)
    (edge,) = shop.map()["edges"]
    assert edge["target"] == "service/default/api"


def test_questions_to_the_dns_are_edges_that_tell_themselves_apart(shop: Shop) -> None:
    shop.statistics.add(look_up("a.b.svc.cluster.local.", shop.client))
    edges = shop.map()["edges"]
    assert [edge["protocols"] for edge in edges] == [["dns"], ["dns"]]
    assert [edge["target"] for edge in edges] == ["service/kube-system/kube-dns", "node/node-1"]


def test_strangers_have_the_name_by_which_they_were_looked_up(shop: Shop) -> None:
    shop.statistics.add(made(1, WEB, STRANGER, dns={"name": "example.com."}))
    shop.statistics.add(made(2, WEB, STRANGER))
    (found,) = [node for node in shop.map()["nodes"] if node["kind"] == "external"]
    assert (found["id"], found["name"]) == ("external/203.0.113.9", "example.com")


def test_only_what_was_in_the_window_is_on_the_map(shop: Shop) -> None:
    shop.ask("api", at_s=NOW_S - 200)
    assert shop.map(60)["nodes"] == []
    assert len(shop.map(300)["edges"]) == 2
