"""The endpoints that Pods make of a Service: their hints, and how many Endpoints lists."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.controllers.endpoints import OVER_CAPACITY, wanted_endpoints_object
from pilotfish.controllers.endpoints_of_pods import endpoint
from pilotfish.objects.meta import Object
from support.workloads import make_pod, make_service

ZONES = {"node-1": "zone-a"}


def hints(wish: str, node: str = "node-1", **pod: Any) -> Object | None:
    service = make_service(spec={"trafficDistribution": wish} if wish else {})
    made = make_pod(node=node, ip="10.244.0.5", **({"ready": True} | pod))
    found: Object | None = endpoint(service, made, "10.244.0.5", ZONES).get("hints")
    return found


@pytest.mark.parametrize("wish", ["PreferSameZone", "PreferClose"])
def test_prefer_same_zone_hints_at_the_endpoints_own_zone(wish: str) -> None:
    assert hints(wish) == {"forZones": [{"name": "zone-a"}]}


def test_prefer_same_node_hints_at_the_node_and_its_zone() -> None:
    assert hints("PreferSameNode") == {
        "forZones": [{"name": "zone-a"}],
        "forNodes": [{"name": "node-1"}],
    }


def test_without_a_wish_without_a_zone_and_unready_there_are_no_hints() -> None:
    assert hints("") is None
    assert hints("PreferSameZone", node="node-2") is None
    assert hints("PreferSameNode", ready=False) is None


def test_endpoints_beyond_a_thousand_are_cut_and_say_so() -> None:
    service = make_service()

    def made(count: int, present: Object | None = None) -> Object:
        pods = [
            make_pod(f"p{number}", node="node-1", ip=f"10.244.{number // 250}.{number % 250 + 2}",
                     ready=number != 3, labels={"app": "web"})
            for number in range(count)
        ]  # fmt: skip
        return wanted_endpoints_object(service, pods, present)

    assert "annotations" not in made(1000)["metadata"]
    over = made(1002)
    assert over["metadata"]["annotations"] == {OVER_CAPACITY: "truncated"}
    (subset,) = over["subsets"]
    assert len(subset["addresses"]) == 1000
    assert "notReadyAddresses" not in subset  # the ready ones go first
    assert "annotations" not in made(1000, present=over)["metadata"]
