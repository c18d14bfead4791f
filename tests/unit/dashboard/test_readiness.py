"""Who could have been chosen for a connection."""

from __future__ import annotations

from typing import Any

from pilotfish.dashboard.readiness import Readiness
from pilotfish.objects.meta import Object
from support.entries import entry
from support.traffic import seen_pod, seen_service
from support.workloads import make_node, make_service, metadata


def endpoint(number: int, ready: bool | None = True, **more: Any) -> Object:
    conditions = {"ready": ready, **more.pop("conditions", {})}
    return {
        "addresses": [f"10.244.0.{number}"],
        "conditions": conditions,
        "nodeName": f"node-{1 + number % 2}",
        "targetRef": {"name": f"api-{number}"},
        **more,
    }


def slice_of(*endpoints: Object, name: str = "api-x", address_type: str = "IPv4") -> Object:
    labels = {"kubernetes.io/service-name": "api"}
    return {
        "metadata": metadata(name, labels=labels),
        "addressType": address_type,
        "endpoints": list(endpoints),
    }


def ready(readiness: Readiness, node: str = "node-1", ip: str = "10.96.0.50") -> list[str]:
    asked = entry(node_name=node, dst=seen_service("api", ip))
    found = readiness.of(asked)
    assert found is not None
    assert readiness.of(asked) is found, "the answer is kept"
    return sorted(name for _, name in found)


def following(*endpoints: Object, **spec: Any) -> Readiness:
    made = Readiness()
    made.service_changed(None, make_service("api", spec=spec))
    made.slice_changed(None, slice_of(*endpoints))
    return made


def test_the_ready_ones_could_and_unknown_counts_as_ready() -> None:
    readiness = following(endpoint(1), endpoint(2, None), endpoint(3, False))
    assert ready(readiness) == ["api-1", "api-2"]


def test_changes_are_followed() -> None:
    readiness = following(endpoint(1))
    assert ready(readiness) == ["api-1"]
    more = slice_of(endpoint(4), name="api-y")
    readiness.slice_changed(None, more)
    assert ready(readiness) == ["api-1", "api-4"]
    readiness.slice_changed(more, slice_of(endpoint(4, False), name="api-y"))
    assert ready(readiness) == ["api-1"]
    readiness.slice_changed(slice_of(endpoint(1)), None)
    assert ready(readiness) == []


def test_without_ready_ones_those_that_still_serve_could() -> None:
    leaving = endpoint(1, False, conditions={"serving": True, "terminating": True})
    gone = endpoint(2, False, conditions={"serving": False, "terminating": True})
    assert ready(following(leaving, gone)) == ["api-1"]
    assert ready(following(leaving, endpoint(3))) == ["api-3"]


def test_a_local_policy_leaves_those_of_the_clients_node() -> None:
    readiness = following(endpoint(1), endpoint(2), internalTrafficPolicy="Local")
    assert ready(readiness, "node-2") == ["api-1"]
    assert ready(readiness, "node-1") == ["api-2"]
    readiness.service_changed(None, make_service("api"))
    assert ready(readiness, "node-1") == ["api-1", "api-2"]


def test_an_external_policy_is_for_clients_outside_at_outside_addresses() -> None:
    readiness = following(endpoint(1), endpoint(2), externalTrafficPolicy="Local")
    outside = {"ip": "192.168.64.1", "port": 5, "name": "host", "kind": "host"}
    node_port = seen_service("api", "192.168.64.2", 30080)
    assert readiness.of(entry(src=outside, dst=node_port)) == {("10.244.0.2", "api-2")}
    assert len(readiness.of(entry(src=outside, dst=seen_service("api", "10.96.0.50"))) or ()) == 2
    assert len(readiness.of(entry(dst=node_port)) or ()) == 2, "the client is a Pod"


def test_hints_keep_connections_in_their_zone_or_on_their_node() -> None:
    near = endpoint(1, hints={"forZones": [{"name": "a"}]})
    far = endpoint(2, hints={"forZones": [{"name": "b"}]})
    readiness = following(near, far)
    assert ready(readiness) == ["api-1", "api-2"], "the zone of the node is not known"
    labels = {"topology.kubernetes.io/zone": "a"}
    readiness.node_changed(None, make_node("node-1", labels=labels))
    assert ready(readiness) == ["api-1"]
    assert ready(readiness, "node-2") == ["api-1", "api-2"]
    by_node = {"forNodes": [{"name": "node-1"}], "forZones": [{"name": "b"}]}
    other = {"forNodes": [{"name": "node-2"}], "forZones": [{"name": "a"}]}
    readiness = following(endpoint(1, hints=by_node), endpoint(2, hints=other))
    readiness.node_changed(None, make_node("node-1", labels=labels))
    assert ready(readiness) == ["api-1"], "a hint for the node goes first"


def test_only_endpoints_of_the_addresss_family_could() -> None:
    readiness = following(endpoint(1))
    six = slice_of(endpoint(9), name="api-6", address_type="IPv6")
    readiness.slice_changed(None, six)
    assert ready(readiness) == ["api-1"]
    assert ready(readiness, ip="fd00:96::50") == ["api-9"]


def test_what_went_to_no_service_is_nobodys_choice() -> None:
    assert following(endpoint(1)).of(entry(dst=seen_pod("api-1", "10.244.0.1"))) is None
