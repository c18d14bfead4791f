"""The Services page: endpoints with their shares beside equal ones."""

from __future__ import annotations

import pytest

from pilotfish.dashboard.services import services_view
from pilotfish.dashboard.slots import Kernel
from support.traffic import NOW_S, Shop, seen_pod


def test_services_without_traffic_are_there_too_in_order() -> None:
    shop = Shop()
    for name in ("web", "api"):
        shop.service(name, ready=1)
    view = services_view(shop.cluster(), shop.statistics.window(60, NOW_S))
    assert [each["name"] for each in view["services"]] == ["api", "web"]
    assert view["window_s"] == 60
    assert len(view["bucket_times"]) == 6
    api = view["services"][0]
    assert (api["requests"], api["rate_per_s"], api["p50_us"], api["verdict"]) == (0, 0, None, "")
    (endpoint,) = api["endpoints"]
    assert (endpoint["share"], endpoint["fair"], endpoint["series"]) == (0, 1, [0] * 6)


def test_shares_are_those_of_connections_beside_equal_chances() -> None:
    shop = Shop()
    shop.service("api", ready=2)
    shop.ask("api", 0, times=30, elapsed_time=1000)
    shop.ask("api", 1, times=10, elapsed_time=3000)
    view = shop.view("api")
    shown = {each["name"]: (each["share"], each["fair"]) for each in view["endpoints"]}
    assert shown == {"api-0": (0.75, 0.5), "api-1": (0.25, 0.5)}
    assert view["verdict"].startswith("no chance (p = 0.002)")
    assert view["requests"] == 40
    assert view["p50_us"] == pytest.approx(1000, rel=0.04)
    assert view["p99_us"] == pytest.approx(3000, rel=0.04)
    (first, second) = view["endpoints"]
    assert sum(first["series"]) == 30
    assert second["p50_us"] == pytest.approx(3000, rel=0.04)


def test_an_endpoint_that_was_ready_for_a_part_only_has_less_than_equal_chances() -> None:
    shop = Shop()
    shop.service("api", ready=1)
    shop.ask("api", 0, times=30)
    late = shop.pod("api-1", "10.244.0.11", {"app": "api"})
    shop.slice("api", [shop.endpoint(late)])
    shop.ask("api", 0, times=5)
    shop.ask("api", 1, times=5)
    fair = {each["name"]: each["fair"] for each in shop.view("api")["endpoints"]}
    assert fair == {"api-0": 0.875, "api-1": 0.125}


def test_a_pod_that_is_gone_keeps_what_it_was_asked_though_its_address_is_anothers() -> None:
    shop = Shop()
    shop.service("api", ready=2)
    before = seen_pod("api-old", "10.244.0.11", "api")
    left = seen_pod("api-left", "10.244.0.40", "api")
    shop.ask("api", 0, times=4)
    shop.ask("api", 1, times=3)
    shop.ask("api", times=2, endpoint=before)
    shop.ask("api", endpoint=left)
    view = shop.view("api")
    shown = [(each["name"], each["requests"], each["gone"]) for each in view["endpoints"]]
    assert shown == [
        ("api-0", 4, False),
        ("api-1", 3, False),
        ("api-old", 2, True),
        ("api-left", 1, True),
    ]
    assert [each["severity"] for each in view["findings"]] == ["good"]
    assert sum(each["requests"] for each in view["endpoints"]) == view["requests"]


def test_endpoints_that_somebody_wrote_by_hand_are_known_by_their_address() -> None:
    shop = Shop()
    shop.service("api", selector=None)
    shop.slice("api", [{"addresses": ["10.244.0.10"], "conditions": {}}])
    shop.slice("api", [{"addresses": ["203.0.113.5"], "conditions": {}}])
    shop.ask("api", 0, times=2)
    outside = {"ip": "203.0.113.5", "port": 1, "name": "203.0.113.5", "kind": "external"}
    shop.ask("api", times=3, endpoint=outside)
    shown = {each["name"]: each["requests"] for each in shop.view("api")["endpoints"]}
    assert shown == {"10.244.0.10": 2, "203.0.113.5": 3}


def test_what_went_to_pods_by_a_headless_services_name_is_its_own() -> None:
    shop = Shop()
    shop.service("peers", ready=2, clusterIP="None")
    pod = seen_pod("peers-0", "10.244.0.10", "peers")
    for name in ("peers.default.svc.cluster.local.", "peers-0.peers.default.svc.cluster.local."):
        shop.ask("peers", times=2, dst=pod, endpoint=pod, dns={"name": name})
    other = seen_pod("peers-0", "10.244.0.10", "other")
    shop.ask("peers", times=2, dst=other, endpoint=other)
    view = shop.view("peers")
    assert [each["requests"] for each in view["endpoints"]] == [4, 0]
    assert view["verdict"] == ""


def test_kernels_that_cannot_be_read_are_told_with_the_reason() -> None:
    shop = Shop()
    shop.kernels = {"node-1": Kernel("connection refused"), "node-2": Kernel()}
    view = services_view(shop.cluster(), shop.statistics.window(60, NOW_S))
    assert view["unread"] == [{"node": "node-1", "why": "connection refused"}]


def test_ports_and_ways_of_choosing_are_shown_as_the_spec_has_them() -> None:
    shop = Shop()
    ports = [{"port": 80, "targetPort": "http", "nodePort": 30080}, {"port": 53, "protocol": "UDP"}]
    made = shop.service("api", ports=ports, externalIPs=["203.0.113.5"])
    made["metadata"]["annotations"] = {"pilotfish.dev/load-balancing": "round-robin"}
    view = shop.view("api")
    assert view["ports"] == [
        {"name": "", "protocol": "TCP", "port": 80, "target_port": "http", "node_port": 30080},
        {"name": "", "protocol": "UDP", "port": 53, "target_port": "53", "node_port": 0},
    ]
    assert (view["balancing"], view["affinity"]) == ("round-robin", "None")
    assert view["external_addresses"] == ["203.0.113.5"]
