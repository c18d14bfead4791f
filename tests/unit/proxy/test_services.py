"""Where a Service answers, and what happens to a connection there."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.proxy.family import IPV4, IPV6
from pilotfish.proxy.fronts import NOTHING, Balance, Endpoint, Front, Target
from pilotfish.proxy.services import NodeFacts, node_facts, own_ranges, wanted

NODE = NodeFacts("node-1", ("192.168.64.2",), ("10.244.0.0/24",), "zone-a")
VIP = "10.96.0.7"
HERE, THERE = Endpoint("10.244.0.5", 8080), Endpoint("10.244.1.5", 8080)


def service(**spec: Any) -> dict[str, Any]:
    annotations = spec.pop("annotations", {})
    labels = spec.pop("labels", {})
    status = spec.pop("status", {})
    base = {"clusterIP": VIP, "clusterIPs": [VIP], "ports": [{"port": 80, "protocol": "TCP"}]}
    return {
        "metadata": {
            "name": "web", "namespace": "default", "annotations": annotations, "labels": labels
        },
        "spec": base | spec,
        "status": status,
    }  # fmt: skip


def slices(*endpoints: Endpoint, **conditions: bool) -> list[dict[str, Any]]:
    described = [
        {
            "addresses": [endpoint.address],
            "nodeName": "node-1" if endpoint == HERE else "node-2",
            "conditions": conditions,
        }
        for endpoint in endpoints
    ]
    ports = [{"port": 8080, "protocol": "TCP"}]
    return [{"addressType": "IPv4", "ports": ports, "endpoints": described}]


def fronts(made: dict[str, Any], *endpoints: Endpoint) -> dict[Front, Target]:
    return dict(wanted(made, slices(*endpoints), NODE, IPV4).fronts)


def balanced_at(*addresses: str, **spec: Any) -> dict[str, Any]:
    ingress = [{"ip": address} for address in addresses]
    return service(type="LoadBalancer", status={"loadBalancer": {"ingress": ingress}}, **spec)


NODE_PORTS = [{"port": 80, "protocol": "TCP", "nodePort": 30080}]


def test_a_cluster_ip_leads_to_all_ready_endpoints() -> None:
    assert fronts(service(), HERE, THERE) == {Front(VIP, "tcp", 80): Balance((HERE, THERE))}


def test_without_endpoints_it_refuses() -> None:
    assert fronts(service()) == {Front(VIP, "tcp", 80): "refuse"}


@pytest.mark.parametrize(
    "made",
    [
        None,
        service(clusterIP="None", clusterIPs=["None"]),
        service(type="ExternalName", clusterIP="", clusterIPs=[]),
        service(labels={"service.kubernetes.io/service-proxy-name": "other"}),
    ],
)
def test_services_that_are_not_for_this_proxy_want_nothing(made: Any) -> None:
    assert wanted(made, slices(HERE), NODE, IPV4) == NOTHING


def test_a_node_port_answers_at_the_nodes_addresses() -> None:
    found = fronts(service(type="NodePort", ports=NODE_PORTS), HERE)
    assert found[Front("192.168.64.2", "tcp", 30080)] == Balance((HERE,))


def test_load_balancer_addresses_and_external_ips_answer_on_the_service_port() -> None:
    found = fronts(balanced_at("192.168.64.200", externalIPs=["203.0.113.7"]), HERE)
    assert found[Front("192.168.64.200", "tcp", 80)] == Balance((HERE,))
    assert found[Front("203.0.113.7", "tcp", 80)] == Balance((HERE,))


def test_load_balancers_that_want_the_traffic_themselves_get_it() -> None:
    ingress = [{"ip": "203.0.113.9", "ipMode": "Proxy"}, {"hostname": "lb.example.com"}]
    made = service(type="LoadBalancer", status={"loadBalancer": {"ingress": ingress}})
    assert set(fronts(made, HERE)) == {Front(VIP, "tcp", 80)}


def test_external_policy_local_is_for_outside_clients_only() -> None:
    found = fronts(
        service(type="NodePort", ports=NODE_PORTS, externalTrafficPolicy="Local"), HERE, THERE
    )
    front = Front("192.168.64.2", "tcp", 30080)
    assert found[front] == Balance((HERE, THERE))
    assert found[front._replace(external=True)] == Balance((HERE,))
    assert found[Front(VIP, "tcp", 80)] == Balance((HERE, THERE))


def test_external_policy_local_drops_where_only_others_serve_and_refuses_where_none_does() -> None:
    made = service(type="NodePort", ports=NODE_PORTS, externalTrafficPolicy="Local")
    outside = Front("192.168.64.2", "tcp", 30080, external=True)
    assert fronts(made, THERE)[outside] == "drop"
    assert fronts(made)[outside] == "refuse"


def test_internal_policy_local_keeps_cluster_traffic_on_the_node() -> None:
    made = service(internalTrafficPolicy="Local")
    assert fronts(made, HERE, THERE) == {Front(VIP, "tcp", 80): Balance((HERE,))}
    assert fronts(made, THERE) == {Front(VIP, "tcp", 80): "refuse"}


def test_session_affinity_lasts_three_hours_unless_it_says_otherwise() -> None:
    front = Front(VIP, "tcp", 80)
    sticky = fronts(service(sessionAffinity="ClientIP"), HERE)[front]
    assert sticky == Balance((HERE,), sticky_s=10_800)
    config = {"clientIP": {"timeoutSeconds": 60}}
    brief = service(sessionAffinity="ClientIP", sessionAffinityConfig=config)
    assert fronts(brief, HERE)[front] == Balance((HERE,), sticky_s=60)


def test_round_robin_counts_per_service_port_over_all_its_addresses() -> None:
    made = service(
        annotations={"pilotfish.dev/load-balancing": "round-robin"},
        type="NodePort",
        ports=NODE_PORTS,
    )
    counters = {t.counter for t in fronts(made, HERE).values() if isinstance(t, Balance)}
    assert counters == {"default/web/80/tcp"}


def test_terminating_endpoints_serve_when_no_other_is_left() -> None:
    leaving = slices(THERE, ready=False, serving=True, terminating=True)
    found = wanted(service(), leaving, NODE, IPV4).fronts
    assert found == {Front(VIP, "tcp", 80): Balance((THERE,))}


def test_endpoints_of_this_node_may_reach_themselves() -> None:
    assert wanted(service(), slices(HERE, THERE), NODE, IPV4).own_endpoints == {"10.244.0.5"}


def test_a_load_balancer_address_that_is_the_nodes_own_keeps_its_other_ports() -> None:
    made = balanced_at("192.168.64.200", "192.168.64.2")
    assert wanted(made, slices(HERE), NODE, IPV4).balanced == {"192.168.64.200"}


def test_source_ranges_hold_for_load_balancer_addresses_only() -> None:
    made = balanced_at("192.168.64.200", loadBalancerSourceRanges=["10.0.0.0/9", " 10.128.0.0/9"])
    found = wanted(made, slices(HERE), NODE, IPV4).sources
    assert found == {Front("192.168.64.200", "tcp", 80): ("10.0.0.0/8",)}


def test_source_ranges_of_one_family_close_the_other() -> None:
    made = balanced_at("fd00::200", loadBalancerSourceRanges=["10.0.0.0/8"])
    assert wanted(made, [], NODE, IPV6).sources == {Front("fd00::200", "tcp", 80): ()}


def test_a_dual_stack_service_answers_in_each_family_with_its_endpoints() -> None:
    made = service(clusterIPs=[VIP, "fd00:96::7"])
    six = slices(HERE)[0] | {"addressType": "IPv6"}
    six["endpoints"] = [{"addresses": ["fd00:244::5"], "nodeName": "node-1"}]
    found = wanted(made, [*slices(HERE), six], NODE, IPV6).fronts
    assert found == {Front("fd00:96::7", "tcp", 80): Balance((Endpoint("fd00:244::5", 8080),))}


def test_facts_of_a_node_are_its_addresses_pod_ranges_and_zone() -> None:
    node = {
        "metadata": {"name": "node-1", "labels": {"topology.kubernetes.io/zone": "zone-a"}},
        "spec": {"podCIDR": "10.244.0.0/24", "podCIDRs": ["10.244.0.0/24"]},
        "status": {
            "addresses": [
                {"type": "InternalIP", "address": "192.168.64.2"},
                {"type": "Hostname", "address": "node-1"},
            ]
        },
    }
    assert node_facts("node-1", node) == NODE
    assert node_facts("node-1", None) == NodeFacts("node-1")
    assert own_ranges(NODE, IPV4) == ("10.244.0.0/24", "192.168.64.2/32")
