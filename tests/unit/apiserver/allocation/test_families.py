"""ipFamilyPolicy and ipFamilies of Services, new and changed, on clusters of every kind."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from pilotfish.apiserver.allocation import ServiceAllocator
from pilotfish.apiserver.allocation.families import settle_families
from pilotfish.apiserver.strategy.services import prepare_for_update

V4, V6 = ["IPv4"], ["IPv6"]
DUAL, DUAL_V6 = ["IPv4", "IPv6"], ["IPv6", "IPv4"]


def settled(cluster: list[str], **spec: Any) -> tuple[str, list[str]]:
    full = {"selector": {"app": "web"}, **spec}
    assert settle_families(full, None, cluster) == []
    return full["ipFamilyPolicy"], full["ipFamilies"]


def refusals(cluster: list[str], **spec: Any) -> list[str]:
    causes = settle_families({"selector": {"app": "web"}, **spec}, None, cluster)
    return [str(cause) for cause in causes]


@pytest.mark.parametrize("cluster", [V4, V6, DUAL, DUAL_V6])
def test_a_service_that_says_nothing_has_the_clusters_first_family(cluster: list[str]) -> None:
    assert settled(cluster) == ("SingleStack", cluster[:1])


@pytest.mark.parametrize("cluster", [V4, V6, DUAL, DUAL_V6])
def test_prefer_dual_stack_takes_what_the_cluster_has(cluster: list[str]) -> None:
    assert settled(cluster, ipFamilyPolicy="PreferDualStack")[1] == cluster


def test_require_dual_stack_needs_a_dual_stack_cluster() -> None:
    assert settled(DUAL, ipFamilyPolicy="RequireDualStack")[1] == DUAL
    assert refusals(V4, ipFamilyPolicy="RequireDualStack") == [
        'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": '
        "this cluster is not configured for dual-stack services"
    ]


def test_families_keep_the_order_that_was_asked_for() -> None:
    wanted = {"ipFamilyPolicy": "RequireDualStack", "ipFamilies": DUAL_V6}
    assert settled(DUAL, **wanted)[1] == DUAL_V6
    assert settled(DUAL, ipFamilyPolicy="PreferDualStack", ipFamilies=V6)[1] == DUAL_V6


def test_a_single_stack_service_may_be_of_the_second_family() -> None:
    assert settled(DUAL, ipFamilies=V6) == ("SingleStack", V6)
    assert refusals(V4, ipFamilies=V6) == [
        'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster'
    ]


def test_addresses_say_their_families() -> None:
    assert settled(DUAL, clusterIPs=["fd00:10:96::7"])[1] == V6
    (refused,) = refusals(DUAL, clusterIPs=["fd00:10:96::7"], ipFamilies=V4)
    assert "expected an IPv4 value as indicated by `ipFamilies[0]`" in refused


def test_two_families_need_a_dual_stack_policy() -> None:
    (refused,) = refusals(DUAL, ipFamilies=DUAL)
    assert "must be RequireDualStack or PreferDualStack when 2 'ipFamilies'" in refused


def test_headless_without_selector_may_have_both_families_on_any_cluster() -> None:
    spec = {"selector": None, "clusterIP": "None", "clusterIPs": ["None"]}
    assert settled(V4, **spec) == ("RequireDualStack", DUAL)
    assert settled(V4, **spec, ipFamilyPolicy="SingleStack") == ("SingleStack", V4)


class TestChanges:
    """Of Services on a dual-stack cluster, from one policy to another."""

    def made(self, allocator: ServiceAllocator, **spec: Any) -> dict[str, Any]:
        service = {"metadata": {"name": "a"}, "spec": {"type": "ClusterIP", **spec}}
        assert allocator.allocate(service, None) == []
        return service

    def changed(
        self, allocator: ServiceAllocator, old: dict[str, Any], **spec: Any
    ) -> dict[str, Any]:
        new = deepcopy(old)
        new["spec"] |= spec
        prepare_for_update(new, old)
        assert allocator.allocate(new, old) == []
        return new["spec"]

    @pytest.fixture
    def allocator(self) -> ServiceAllocator:
        return ServiceAllocator("10.96.0.0/12", (30000, 32767), "fd00:10:96::/112")

    def test_each_family_has_an_address_in_its_order(self, allocator: ServiceAllocator) -> None:
        spec = self.made(allocator, ipFamilyPolicy="PreferDualStack", ipFamilies=V6)["spec"]
        first, second = spec["clusterIPs"]
        assert first == spec["clusterIP"]
        assert first.startswith("fd00:10:96::")
        assert second.startswith("10.")

    def test_to_dual_stack_adds_an_address(self, allocator: ServiceAllocator) -> None:
        old = self.made(allocator)
        spec = self.changed(allocator, old, ipFamilyPolicy="PreferDualStack")
        assert spec["ipFamilies"] == DUAL
        assert spec["clusterIPs"][0] == old["spec"]["clusterIP"]
        assert spec["clusterIPs"][1].startswith("fd00:10:96::")

    def test_to_single_stack_gives_the_second_address_back(
        self, allocator: ServiceAllocator
    ) -> None:
        wanted = {
            "ipFamilyPolicy": "RequireDualStack",
            "clusterIPs": ["10.96.0.9", "fd00:10:96::9"],
        }
        old = self.made(allocator, clusterIP="10.96.0.9", **wanted)
        spec = self.changed(allocator, old, ipFamilyPolicy="SingleStack")
        assert (spec["ipFamilies"], spec["clusterIPs"]) == (V4, ["10.96.0.9"])
        other = self.made(allocator, clusterIP="fd00:10:96::9", clusterIPs=["fd00:10:96::9"])
        assert other["spec"]["ipFamilies"] == V6

    def test_who_says_nothing_keeps_both(self, allocator: ServiceAllocator) -> None:
        old = self.made(allocator, ipFamilyPolicy="PreferDualStack")
        unsaid = {"ipFamilyPolicy": None, "ipFamilies": None, "clusterIP": "", "clusterIPs": None}
        spec = self.changed(allocator, old, **unsaid)
        assert spec == old["spec"]

    def test_from_external_name_gets_addresses(self, allocator: ServiceAllocator) -> None:
        old = {"metadata": {"name": "a"}, "spec": {"type": "ExternalName", "externalName": "x.y"}}
        spec = self.changed(allocator, old, type="ClusterIP", ipFamilyPolicy="RequireDualStack")
        assert len(spec["clusterIPs"]) == 2
