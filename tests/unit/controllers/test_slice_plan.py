"""EndpointSlices: which endpoints a Service has and how few writes say so."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pilotfish.controllers.endpoints_of_pods import (
    EndpointsByPorts,
    Ports,
    endpoint_subsets,
    slice_ports,
)
from pilotfish.controllers.slice_plan import MAX_ENDPOINTS, SlicePlan, identity, plan_slices
from pilotfish.objects.meta import Object
from support.workloads import make_pod, make_service, metadata

PORTS: Ports = (("", "TCP", 8080, None),)
OTHER_PORTS: Ports = (("", "TCP", 9090, None),)
LABELS = {"kubernetes.io/service-name": "web"}


def pod(name: str, ip: str, **fields: Any) -> Object:
    return make_pod(name, node="node-1", ip=ip, **{"ready": True, **fields})


def wanted_endpoints(
    service: Object, pods: list[Object], family: str, zones: dict[str, str]
) -> dict[Ports, dict[str, Object]]:
    return EndpointsByPorts(family).wanted(service, pods, zones)


def conditions(service: Object, *pods: Object) -> list[Object]:
    groups = wanted_endpoints(service, list(pods), "IPv4", {})
    return [entry["conditions"] for group in groups.values() for entry in group.values()]


def endpoint(number: int, ready: bool = True) -> Object:
    address = f"10.244.{number // 256}.{number % 256}"
    return {
        "addresses": [address],
        "conditions": {"ready": ready},
        "targetRef": {"kind": "Pod", "uid": f"uid-{number}"},
    }


def endpoints(*numbers: int) -> dict[str, Object]:
    return {f"uid-{number}": endpoint(number) for number in numbers}


def stored(name: str, ports: Ports, group: dict[str, Object]) -> Object:
    return {
        "metadata": metadata(name, labels=dict(LABELS)),
        "addressType": "IPv4",
        "ports": slice_ports(ports),
        "endpoints": list(group.values()),
    }


def plan(wanted: dict[Ports, dict[str, Object]], existing: list[Object]) -> SlicePlan:
    return plan_slices(make_service(), LABELS, "IPv4", wanted, existing)


def test_a_ready_pod_is_an_endpoint_with_its_node_zone_and_reference() -> None:
    ready = pod("a", "10.244.0.5")
    groups = wanted_endpoints(make_service(), [ready], "IPv4", {"node-1": "z1"})
    assert groups == {
        PORTS: {
            ready["metadata"]["uid"]: {
                "addresses": ["10.244.0.5"],
                "conditions": {"ready": True, "serving": True, "terminating": False},
                "nodeName": "node-1",
                "zone": "z1",
                "targetRef": {
                    "kind": "Pod",
                    "namespace": "default",
                    "name": "a",
                    "uid": ready["metadata"]["uid"],
                },
            }
        }
    }


def test_an_unready_pod_is_listed_as_such() -> None:
    assert conditions(make_service(), pod("a", "10.244.0.5", ready=False)) == [
        {"ready": False, "serving": False, "terminating": False}
    ]


def test_a_pod_on_its_way_out_still_serves_but_is_not_ready() -> None:
    leaving = pod("a", "10.244.0.5", deletionTimestamp="2026-01-01T00:00:00Z")
    assert conditions(make_service(), leaving) == [
        {"ready": False, "serving": True, "terminating": True}
    ]


def test_publish_not_ready_addresses_makes_all_ready() -> None:
    service = make_service(spec={"publishNotReadyAddresses": True})
    (entry,) = conditions(service, pod("a", "10.244.0.5", ready=False))
    assert entry["ready"] is True
    assert entry["serving"] is False


def test_pods_without_address_or_at_their_end_are_no_endpoints() -> None:
    pods = [
        make_pod("unscheduled"),
        make_pod("starting", node="node-1"),
        pod("done", "10.244.0.7", phase="Succeeded"),
        pod("broken", "10.244.0.8", phase="Failed"),
    ]
    assert conditions(make_service(), *pods) == []


def test_pods_whose_named_port_differs_go_to_different_slices() -> None:
    service = make_service(spec={"ports": [{"name": "web", "port": 80, "targetPort": "http"}]})

    def with_port(name: str, ip: str, number: int) -> Object:
        ports = [{"name": "http", "containerPort": number}]
        return pod(name, ip, spec={"containers": [{"name": "c", "ports": ports}]})

    pods = [with_port("a", "10.0.0.1", 8080), with_port("b", "10.0.0.2", 9090)]
    groups = wanted_endpoints(service, [*pods, pod("c", "10.0.0.3")], "IPv4", {})
    assert set(groups) == {
        (("web", "TCP", 8080, None),),
        (("web", "TCP", 9090, None),),
        (),
    }


def test_a_hostname_is_kept_only_under_the_service_that_is_its_subdomain() -> None:
    named = pod("a", "10.0.0.1", spec={"hostname": "a-0", "subdomain": "web"})
    (mine,) = wanted_endpoints(make_service("web"), [named], "IPv4", {})[PORTS].values()
    (other,) = wanted_endpoints(make_service("other"), [named], "IPv4", {})[PORTS].values()
    assert mine["hostname"] == "a-0"
    assert "hostname" not in other


def test_a_headless_service_without_ports_lists_its_pods() -> None:
    service = make_service(spec={"clusterIP": "None", "ports": []})
    assert list(wanted_endpoints(service, [pod("a", "10.0.0.1")], "IPv4", {})) == [()]
    assert endpoint_subsets(service, [pod("a", "10.0.0.1")])[0]["addresses"][0]["ip"] == "10.0.0.1"


def test_each_family_has_the_addresses_of_that_family() -> None:
    dual = pod("a", "10.0.0.1")
    dual["status"]["podIPs"] = [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}]
    (entry,) = wanted_endpoints(make_service(), [dual], "IPv6", {})[PORTS].values()
    assert entry["addresses"] == ["fd00::1"]


def test_endpoints_are_made_anew_only_for_pods_that_changed() -> None:
    service, made = make_service(), EndpointsByPorts("IPv4")
    first, second = pod("a", "10.0.0.1"), pod("b", "10.0.0.2")
    before = made.wanted(service, [first, second], {})[PORTS]
    unready = {**second, "status": {**second["status"], "conditions": []}}
    after = made.wanted(service, [first, unready], {})[PORTS]
    (kept, changed) = (entry["metadata"]["uid"] for entry in (first, second))
    assert after[kept] is before[kept]
    assert after[changed]["conditions"]["ready"] is False
    assert list(made.wanted(service, [first], {})[PORTS]) == [kept]
    renumbered = make_service(spec={"ports": [{"port": 80, "targetPort": 9090}]})
    assert list(made.wanted(renumbered, [first], {})) == [OTHER_PORTS]


def test_endpoints_list_ready_and_unready_addresses_apart() -> None:
    pods = [
        pod("b", "10.244.0.10"),
        pod("a", "10.244.0.9"),
        pod("c", "10.244.0.11", ready=False),
        pod("d", "10.244.0.12", deletionTimestamp="2026-01-01T00:00:00Z"),
    ]
    (subset,) = endpoint_subsets(make_service(), pods)
    assert [entry["ip"] for entry in subset["addresses"]] == ["10.244.0.9", "10.244.0.10"]
    assert [entry["ip"] for entry in subset["notReadyAddresses"]] == ["10.244.0.11"]
    assert subset["ports"] == [{"port": 8080, "protocol": "TCP"}]


def test_a_service_without_pods_keeps_one_empty_slice() -> None:
    (created,) = plan({}, []).create
    assert created["endpoints"] == []
    assert created["metadata"]["generateName"] == "web-"
    emptied = plan({}, [stored("s", PORTS, endpoints(1))])
    assert [entry["endpoints"] for entry in emptied.update] == [[]]
    assert (emptied.create, emptied.delete) == ([], [])


def test_what_is_right_is_not_written() -> None:
    existing = [stored("s", PORTS, endpoints(1, 2))]
    assert plan({PORTS: endpoints(2, 1)}, existing) == SlicePlan()
    assert plan({}, [stored("s", (), {})]) == SlicePlan()


def test_the_first_endpoint_fills_the_empty_slice_instead_of_a_new_one() -> None:
    result = plan({PORTS: endpoints(1)}, [stored("s", (), {})])
    (updated,) = result.update
    assert updated["metadata"]["name"] == "s"
    assert updated["ports"] == slice_ports(PORTS)
    assert (result.create, result.delete) == ([], [])


def test_one_change_touches_one_slice() -> None:
    full = stored("full", PORTS, endpoints(*range(100)))
    rest = stored("rest", PORTS, endpoints(100, 101))
    wanted = endpoints(*range(102))
    wanted["uid-101"] = endpoint(101, ready=False)
    result = plan({PORTS: wanted}, [full, rest])
    assert [entry["metadata"]["name"] for entry in result.update] == ["rest"]
    assert result.update[0]["endpoints"] == [endpoint(100), endpoint(101, ready=False)]


def test_a_new_endpoint_goes_to_a_slice_with_room() -> None:
    full = stored("full", PORTS, endpoints(*range(100)))
    rest = stored("rest", PORTS, endpoints(100))
    result = plan({PORTS: endpoints(*range(102))}, [full, rest])
    assert [entry["metadata"]["name"] for entry in result.update] == ["rest"]
    assert len(result.update[0]["endpoints"]) == 2


def test_more_than_a_hundred_endpoints_take_several_slices() -> None:
    result = plan({PORTS: endpoints(*range(250))}, [])
    assert sorted(len(entry["endpoints"]) for entry in result.create) == [50, 100, 100]


def test_a_label_that_the_service_gained_reaches_its_slices() -> None:
    existing = stored("s", PORTS, endpoints(1))
    labels = {**LABELS, "team": "shop"}
    result = plan_slices(make_service(), labels, "IPv4", {PORTS: endpoints(1)}, [existing])
    assert [entry["metadata"]["labels"] for entry in result.update] == [labels]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(st.integers(0, 260), st.booleans()), min_size=1, max_size=5))
def test_after_any_changes_each_endpoint_is_in_exactly_one_slice(
    steps: list[dict[int, bool]],
) -> None:
    existing: list[Object] = []
    for step in steps:
        wanted: dict[Ports, dict[str, Object]] = {}
        for number, is_ready in step.items():
            group = wanted.setdefault(PORTS if number % 7 else OTHER_PORTS, {})
            group[f"uid-{number}"] = endpoint(number, is_ready)
        result = plan(wanted, existing)
        gone = {entry["metadata"]["name"] for entry in (*result.update, *result.delete)}
        existing = [entry for entry in existing if entry["metadata"]["name"] not in gone]
        existing += result.update
        for created in result.create:
            existing.append({**created, "metadata": metadata("new", labels=LABELS)})
            existing[-1]["metadata"]["name"] = existing[-1]["metadata"]["uid"]
        for ports, group in wanted.items():
            listed = [
                entry
                for part in existing
                if part["ports"] == slice_ports(ports)
                for entry in part["endpoints"]
            ]
            assert {identity(entry): entry for entry in listed} == group
            assert len(listed) == len(group)
        assert all(len(part["endpoints"]) <= MAX_ENDPOINTS for part in existing)
        assert sum(len(part["endpoints"]) for part in existing) == len(step)
