"""Who answers for LoadBalancer addresses."""

from __future__ import annotations

from typing import Any

from pilotfish.proxy.announce import advertisement, announcement, holders, ready_nodes


def node(name: str, ready: str = "True", **labels: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": labels},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


def balanced(name: str, address: str, **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"type": "LoadBalancer", "clusterIP": "10.96.0.7", **spec},
        "status": {"loadBalancer": {"ingress": [{"ip": address}]}},
    }


def slices_on(*nodes: str) -> list[dict[str, Any]]:
    return [{"endpoints": [{"addresses": ["10.244.0.5"], "nodeName": n} for n in nodes]}]


def test_only_ready_nodes_that_are_not_excluded_may_hold_addresses() -> None:
    excluded = {"node.kubernetes.io/exclude-from-external-load-balancers": ""}
    nodes = [node("c"), node("b", "Unknown"), node("a", **excluded), node("d")]
    assert ready_nodes(nodes) == ["c", "d"]


def test_the_first_ready_node_holds_the_address() -> None:
    made = [balanced("web", "192.168.64.200")]
    assert holders(made, lambda _: [], ["node-1", "node-2"]) == {"192.168.64.200": "node-1"}
    assert holders(made, lambda _: [], ["node-2"]) == {"192.168.64.200": "node-2"}
    assert holders(made, lambda _: [], []) == {}


def test_under_local_policy_a_node_with_an_endpoint_holds_the_address() -> None:
    made = [balanced("web", "192.168.64.200", externalTrafficPolicy="Local")]
    on_second = slices_on("node-2")
    assert holders(made, lambda _: on_second, ["node-1", "node-2"]) == {"192.168.64.200": "node-2"}
    assert holders(made, lambda _: [], ["node-1", "node-2"]) == {}


def test_under_local_policy_a_node_whose_endpoint_still_serves_keeps_the_address() -> None:
    made = [balanced("web", "192.168.64.200", externalTrafficPolicy="Local")]
    leaving = slices_on("node-2")
    leaving[0]["endpoints"][0]["conditions"] = {
        "ready": False,
        "serving": True,
        "terminating": True,
    }
    both = ["node-1", "node-2"]
    assert holders(made, lambda _: leaving, both) == {"192.168.64.200": "node-2"}
    assert holders(made, lambda _: [*leaving, *slices_on("node-1")], both) == {
        "192.168.64.200": "node-1"
    }


def test_an_announcement_is_a_broadcast_arp_request_for_the_senders_own_address() -> None:
    frame = announcement(b"\x02\x00\x00\x00\x00\x01", "192.168.64.200")
    assert frame.hex(" ", 2) == (
        "ffff ffff ffff 0200 0000 0001 0806"
        " 0001 0800 0604 0001 0200 0000 0001 c0a8 40c8 0000 0000 0000 c0a8 40c8"
    )


def test_an_address_of_each_family_has_a_holder() -> None:
    service = balanced("web", "192.168.64.200", clusterIPs=["10.96.0.7", "fd00:10:96::7"])
    service["status"]["loadBalancer"]["ingress"].append({"ip": "fd00::c8"})
    assert holders([service], lambda _: [], ["node-2"]) == {
        "192.168.64.200": "node-2",
        "fd00::c8": "node-2",
    }


def test_an_advertisement_overrides_what_all_nodes_of_the_link_know() -> None:
    frame = advertisement(b"\x02\x00\x00\x00\x00\x01", "fd00::c8")
    assert frame[:14].hex(" ", 2) == "3333 0000 0001 0200 0000 0001 86dd"
    assert frame[14:22].hex(" ", 2) == "6000 0000 0020 3aff"  # 32 bytes of ICMPv6, hop limit 255
    assert frame[54:].hex(" ", 2) == (
        "8800 590d 2000 0000 fd00 0000 0000 0000 0000 0000 0000 00c8 0201 0200 0000 0001"
    )
