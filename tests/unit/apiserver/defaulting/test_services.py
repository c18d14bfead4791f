"""What a Service gets where its manifest says nothing."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from pilotfish.apiserver.defaulting import apply_defaults
from pilotfish.objects.resources import resource


def defaulted(**spec: Any) -> dict[str, Any]:
    obj = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": spec}
    apply_defaults(resource("services"), obj)
    return obj["spec"]


def test_a_plain_service_is_a_cluster_ip_service() -> None:
    spec = defaulted(selector={"app": "web"}, ports=[{"port": 80}])
    assert spec == {
        "type": "ClusterIP",
        "selector": {"app": "web"},
        "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}],
        "sessionAffinity": "None",
        "internalTrafficPolicy": "Cluster",
    }


@pytest.mark.parametrize("unset", [0, ""])
def test_a_target_port_of_nothing_is_the_port(unset: Any) -> None:
    assert defaulted(ports=[{"port": 80, "targetPort": unset}])["ports"][0]["targetPort"] == 80


def test_a_named_target_port_stays() -> None:
    spec = defaulted(ports=[{"port": 80, "targetPort": "http", "protocol": "UDP"}])
    assert spec["ports"] == [{"port": 80, "targetPort": "http", "protocol": "UDP"}]


def test_client_ip_affinity_lasts_three_hours() -> None:
    config = defaulted(sessionAffinity="ClientIP")["sessionAffinityConfig"]
    assert config == {"clientIP": {"timeoutSeconds": 10800}}


def test_affinity_none_drops_a_left_over_config() -> None:
    spec = defaulted(sessionAffinityConfig={"clientIP": {"timeoutSeconds": 5}})
    assert "sessionAffinityConfig" not in spec


@pytest.mark.parametrize("kind", ["NodePort", "LoadBalancer"])
def test_services_for_the_outside_have_an_external_policy(kind: str) -> None:
    assert defaulted(type=kind)["externalTrafficPolicy"] == "Cluster"


def test_external_ips_make_a_service_one_for_the_outside() -> None:
    assert defaulted(externalIPs=["1.2.3.4"])["externalTrafficPolicy"] == "Cluster"


def test_load_balancers_allocate_node_ports() -> None:
    assert defaulted(type="LoadBalancer")["allocateLoadBalancerNodePorts"] is True


def test_an_external_name_gets_nothing_that_is_about_addresses() -> None:
    spec = defaulted(type="ExternalName", externalName="example.com")
    assert spec == {
        "type": "ExternalName",
        "externalName": "example.com",
        "sessionAffinity": "None",
    }


def test_a_lone_cluster_ip_is_the_first_of_the_list() -> None:
    assert defaulted(clusterIP="None")["clusterIPs"] == ["None"]


def test_defaulting_twice_changes_nothing() -> None:
    once = defaulted(type="LoadBalancer", ports=[{"port": 80}], selector={"a": "b"})
    twice = defaulted(**deepcopy(once))
    assert twice == once
