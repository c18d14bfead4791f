"""Which endpoints serve a port: readiness, termination, place, hints."""

from __future__ import annotations

from typing import Any

from pilotfish.proxy.endpoints import Candidate, candidates, near, on_node, usable
from pilotfish.proxy.family import IPV4, IPV6


def endpoint(address: str, node: str = "node-1", hints: Any = None, **conditions: bool) -> Any:
    made: dict[str, Any] = {"addresses": [address], "nodeName": node, "conditions": conditions}
    if hints:
        made["hints"] = hints
    return made


def a_slice(*endpoints: Any, port: int = 8080, name: str = "", protocol: str = "TCP") -> Any:
    ports = [{"name": name, "port": port, "protocol": protocol}]
    return {
        "addressType": "IPv4",
        "ports": ports,
        "endpoints": list(endpoints),
        "metadata": {"name": "web-1"},
    }


def addresses(found: list[Candidate]) -> list[str]:
    return [candidate.endpoint.address for candidate in found]


def test_endpoints_come_in_order_of_address_from_all_slices() -> None:
    slices = [a_slice(endpoint("10.0.0.10")), a_slice(endpoint("10.0.0.9"), endpoint("10.0.0.2"))]
    found = candidates(slices, "", "tcp", IPV4)
    assert addresses(found) == ["10.0.0.2", "10.0.0.9", "10.0.0.10"]


def test_a_port_is_found_by_its_name_and_protocol() -> None:
    slices = [
        a_slice(endpoint("10.0.0.1"), name="http"),
        a_slice(endpoint("10.0.0.2"), name="http", protocol="UDP"),
        a_slice(endpoint("10.0.0.3"), name="admin"),
    ]
    assert addresses(candidates(slices, "http", "tcp", IPV4)) == ["10.0.0.1"]


def test_a_named_target_port_may_differ_from_slice_to_slice() -> None:
    slices = [a_slice(endpoint("10.0.0.1"), port=80), a_slice(endpoint("10.0.0.2"), port=81)]
    found = candidates(slices, "", "tcp", IPV4)
    assert [c.endpoint.port for c in found] == [80, 81]


def test_slices_of_the_other_family_do_not_count() -> None:
    assert candidates([a_slice(endpoint("10.0.0.1"))], "", "tcp", IPV6) == []


def test_an_address_that_cannot_be_read_is_left_out_and_named(caplog: Any) -> None:
    # Old API servers accept leading zeros, which some read as octal.
    found = candidates([a_slice(endpoint("010.0.0.1"), endpoint("10.0.0.2"))], "", "tcp", IPV4)
    assert addresses(found) == ["10.0.0.2"]
    assert "010.0.0.1" in caplog.text


def test_an_endpoint_in_two_slices_counts_once_and_as_ready_when_one_says_so() -> None:
    slices = [a_slice(endpoint("10.0.0.1", ready=False)), a_slice(endpoint("10.0.0.1", ready=True))]
    assert addresses(usable(candidates(slices, "", "tcp", IPV4))) == ["10.0.0.1"]


def test_conditions_that_are_not_said_mean_ready() -> None:
    assert addresses(usable(candidates([a_slice(endpoint("10.0.0.1"))], "", "tcp", IPV4)))


def test_ready_endpoints_go_before_terminating_ones_that_serve() -> None:
    ready = endpoint("10.0.0.1", ready=True)
    leaving = endpoint("10.0.0.2", ready=False, serving=True, terminating=True)
    gone = endpoint("10.0.0.3", ready=False, serving=False, terminating=True)
    unready = endpoint("10.0.0.4", ready=False, serving=False)
    both = candidates([a_slice(ready, leaving, gone, unready)], "", "tcp", IPV4)
    assert addresses(usable(both)) == ["10.0.0.1"]
    assert addresses(usable(both[1:])) == ["10.0.0.2"]
    assert usable(both[2:]) == []


def test_endpoints_on_a_node_are_those_that_name_it() -> None:
    found = candidates(
        [a_slice(endpoint("10.0.0.1"), endpoint("10.0.0.2", node="node-2"))], "", "tcp", IPV4
    )
    assert addresses(on_node(found, "node-2")) == ["10.0.0.2"]


def zones(*names: str) -> Any:
    return {"forZones": [{"name": name} for name in names]}


def test_zone_hints_keep_traffic_in_the_zone() -> None:
    found = candidates(
        [a_slice(endpoint("10.0.0.1", hints=zones("x")), endpoint("10.0.0.2", hints=zones("y")))],
        "", "tcp", IPV4,
    )  # fmt: skip
    assert addresses(near(found, "node-1", "y")) == ["10.0.0.2"]


def test_zone_hints_are_ignored_when_one_endpoint_has_none_or_no_endpoint_is_for_the_zone() -> None:
    whole = [endpoint("10.0.0.1", hints=zones("x")), endpoint("10.0.0.2", hints=zones("x"))]
    half = [whole[0], endpoint("10.0.0.2")]
    for described, zone in ((whole, "y"), (whole, ""), (half, "x")):
        found = candidates([a_slice(*described)], "", "tcp", IPV4)
        assert addresses(near(found, "node-1", zone)) == ["10.0.0.1", "10.0.0.2"]


def test_a_hint_for_the_node_goes_before_the_zone() -> None:
    def hints(node: str) -> Any:
        return {"forNodes": [{"name": node}], **zones("x")}

    found = candidates(
        [a_slice(endpoint("10.0.0.1", hints=hints("node-1")),
                 endpoint("10.0.0.2", hints=hints("node-2")))],
        "", "tcp", IPV4,
    )  # fmt: skip
    assert addresses(near(found, "node-1", "x")) == ["10.0.0.1"]
    assert addresses(near(found, "node-3", "x")) == ["10.0.0.1", "10.0.0.2"]
