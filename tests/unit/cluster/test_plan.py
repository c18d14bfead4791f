"""How a new cluster is laid out."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from pilotfish.cluster.errors import ClusterError
from pilotfish.cluster.plan import WantedRanges, check_name, plan_cluster
from pilotfish.cluster.state import ClusterState
from pilotfish.network.pools import Occupied


def plan(
    nodes: int = 1,
    occupied: tuple[str, ...] = (),
    wanted: WantedRanges | None = None,
    ip_family: str = "ipv4",
) -> ClusterState:
    in_use = [Occupied(ip_network(network), "docker0") for network in occupied]
    ranges, created = wanted or WantedRanges(), "2026-01-01T00:00:00Z"
    return plan_cluster("default", nodes, in_use, ranges, 6443, created, ip_family)


def test_the_first_cluster_has_the_addresses_of_the_tutorials() -> None:
    cluster = plan(nodes=2)
    assert cluster.host_address == "192.168.64.1"
    assert [(n.name, n.address, n.pod_cidr) for n in cluster.nodes] == [
        ("node-1", "192.168.64.2", "10.244.0.0/24"),
        ("node-2", "192.168.64.3", "10.244.1.0/24"),
    ]
    assert cluster.service_network == "10.96.0.0/12"
    assert cluster.api_service_address == "10.96.0.1"
    assert cluster.dns_address == "10.96.0.10"
    assert cluster.load_balancer_pools == (("192.168.64.200", "192.168.64.250"),)
    assert cluster.components == ["control-plane", "node-1", "node-2"]


def test_a_cluster_of_ipv6_has_no_other_addresses() -> None:
    cluster = plan(nodes=2, ip_family="ipv6")
    assert cluster.ip_family == "ipv6"
    assert cluster.ranges == ["fd00:192:168:64::/64", "fd00:10:244::/56", "fd00:10:96::/112"]
    assert [(n.addresses, n.pod_cidrs) for n in cluster.nodes] == [
        (["fd00:192:168:64::2"], ["fd00:10:244::/64"]),
        (["fd00:192:168:64::3"], ["fd00:10:244:1::/64"]),
    ]
    assert cluster.bridge_server == "https://[fd00:192:168:64::1]:6443"
    assert cluster.dns_address == "fd00:10:96::a"


def test_a_dual_stack_cluster_has_ipv4_first() -> None:
    cluster = plan(nodes=2, ip_family="dual", occupied=("fd00:10:96::/64",))
    assert cluster.ip_family == "dual"
    assert cluster.network.service_ranges == ["10.96.0.0/12", "fd00:10:97::/112"]
    assert cluster.nodes[1].addresses == ["192.168.64.3", "fd00:192:168:64::3"]
    assert cluster.nodes[1].pod_cidrs == ["10.244.1.0/24", "fd00:10:244:1::/64"]
    assert cluster.load_balancer_pools[1] == ("fd00:192:168:64::c8", "fd00:192:168:64::fa")


def test_a_dual_stack_cluster_takes_a_wanted_range_of_each_family() -> None:
    wanted = WantedRanges(services="fd00:7::/112, 10.8.0.0/16", pods="fd00:8::/56")
    cluster = plan(ip_family="dual", wanted=wanted)
    assert cluster.network.service_ranges == ["10.8.0.0/16", "fd00:7::/112"]
    assert cluster.network.pod_ranges == ["10.244.0.0/16", "fd00:8::/56"]


@pytest.mark.parametrize(
    ("ip_family", "text", "said"),
    [
        ("ipv4", "fd00::/56", "no IPv6"),
        ("ipv6", "10.7.0.0/16", "no IPv4"),
        ("dual", "10.7.0.0/16,10.8.0.0/16", "more than one range of IPv4"),
        ("ipv6", "fd00::/65", "too small"),
        ("ipv5", "", "not an address family"),
    ],
)
def test_a_range_that_does_not_fit_the_families_is_refused(
    ip_family: str, text: str, said: str
) -> None:
    with pytest.raises(ClusterError, match=said):
        plan(ip_family=ip_family, wanted=WantedRanges(pods=text))


def test_ranges_in_use_are_passed_over() -> None:
    cluster = plan(occupied=("192.168.64.0/24", "10.244.3.0/24", "10.100.0.0/16"))
    assert cluster.node_network == "192.168.65.0/24"
    assert cluster.pod_network == "10.245.0.0/16"
    assert cluster.service_network == "10.112.0.0/12"


def test_a_wanted_range_is_taken() -> None:
    cluster = plan(wanted=WantedRanges("172.30.0.0/16", "10.7.0.0/16", "10.8.0.0/16"))
    assert cluster.host_address == "172.30.0.1"
    assert cluster.nodes[0].pod_cidr == "10.7.0.0/24"
    assert cluster.dns_address == "10.8.0.10"


def test_a_wanted_range_in_use_names_its_user_and_the_mend() -> None:
    with pytest.raises(ClusterError) as caught:
        plan(occupied=("172.30.0.0/16",), wanted=WantedRanges(nodes="172.30.1.0/24"))
    assert "docker0" in str(caught.value)
    assert "--node-cidr 172.30.1.0/24" in caught.value.where
    assert "choose another range" in caught.value.mend


@pytest.mark.parametrize("text", ["10.0.0.0", "10.0.0.1/8", "fd00::/64", "ten"])
def test_a_range_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ClusterError) as caught:
        plan(wanted=WantedRanges(pods=text))
    assert f"--pod-cidr {text}" in caught.value.where


def test_a_range_too_small_is_refused() -> None:
    with pytest.raises(ClusterError, match="too small"):
        plan(wanted=WantedRanges(nodes="172.30.0.0/25"))
    with pytest.raises(ClusterError, match="too small"):
        plan(nodes=3, wanted=WantedRanges(pods="10.7.0.0/23"))


@pytest.mark.parametrize("nodes", [0, -1, 65])
def test_an_impossible_number_of_nodes_is_refused(nodes: int) -> None:
    with pytest.raises(ClusterError, match="--nodes"):
        plan(nodes=nodes)


@pytest.mark.parametrize("name", ["", "A", "a_b", "-a", "a-", "a" * 41, "../x", "images", "a\n"])
def test_a_name_that_cannot_be_a_folder_or_a_link_is_refused(name: str) -> None:
    with pytest.raises(ClusterError, match="not a name"):
        check_name(name)


@pytest.mark.parametrize("name", ["default", "a", "7", "my-cluster-2", "a" * 40])
def test_a_label_is_a_name(name: str) -> None:
    check_name(name)
