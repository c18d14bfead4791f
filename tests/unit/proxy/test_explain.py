"""The kernel's tables in words, and where they are not what they should be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pilotfish.proxy import reading
from pilotfish.proxy.explain import NodeView, ServiceView, describe_drift, drift_of, explain
from pilotfish.proxy.family import IPV4
from pilotfish.proxy.fronts import Balance, Endpoint, Front, Key, Value
from pilotfish.proxy.reading import Broken, Drift
from pilotfish.proxy.services import NodeFacts, wanted
from pilotfish.proxy.tables import Tables
from support.fake_tables import FakeTables

NODE = NodeFacts("node-1", ("192.168.64.2",), ("10.244.0.0/24",))
A, B = Endpoint("10.244.0.5", 8080), Endpoint("10.244.1.5", 8080)
WEB = Front("10.96.0.7", "tcp", 80)


def service_view(*endpoints: Endpoint, **spec: Any) -> ServiceView:
    base = {"clusterIP": "10.96.0.7", "clusterIPs": ["10.96.0.7"]}
    base |= {"ports": [{"port": 80, "protocol": "TCP", "nodePort": 30080}]}  # type: ignore[dict-item]
    described = [
        {
            "addresses": [e.address],
            "nodeName": "node-1" if e == A else "node-2",
            "targetRef": {"kind": "Pod", "name": f"web-{e.address[-3:].replace('.', '-')}"},
        }
        for e in endpoints
    ]
    made = {"metadata": {"name": "web", "namespace": "default"}, "spec": base | spec}
    ports = [{"port": 8080, "protocol": "TCP"}]
    return ServiceView(made, [{"addressType": "IPv4", "ports": ports, "endpoints": described}])


def kernel_of(view: ServiceView) -> dict[str, dict[Key, Value | str]]:
    """The maps as `KernelTables.read` gives them: verdicts as names of chains."""
    tables, kernel = Tables(), FakeTables()
    kernel.apply(tables.change({"web": wanted(view.service, view.slices, NODE, IPV4)}))
    return {
        name: {key: getattr(value, "name", value) for key, value in elements.items()}
        for name, elements in kernel.elements.items()
    }


def node_view(maps: Mapping[str, Mapping[Key, Value | str]]) -> NodeView:
    return NodeView(NODE, reading.fronts(maps))


def test_what_was_written_is_read_back() -> None:
    turns = {"pilotfish.dev/load-balancing": "round-robin"}
    for spec in (
        {},
        {"externalTrafficPolicy": "Local", "type": "NodePort"},
        {"sessionAffinity": "ClientIP"},
        {"internalTrafficPolicy": "Local"},
    ):
        for notes in ({}, turns):
            for endpoints in ((), (A,), (B,), (A, B)):
                view = service_view(*endpoints, **spec)
                view.service["metadata"]["annotations"] = notes
                assert drift_of(view, node_view(kernel_of(view))) == []


def test_a_slot_without_an_endpoint_is_broken() -> None:
    maps = kernel_of(service_view(A, B))
    del maps["endpoints"][("10.96.0.7", "tcp", 80, 1)]
    assert reading.fronts(maps)[WEB] == Broken("goes to chain lb-2, but has no endpoint at slot 1")


def test_a_chain_that_is_not_the_proxys_is_broken() -> None:
    maps = {"services": {("10.96.0.7", "tcp", 80): "elsewhere"}}
    assert isinstance(reading.fronts(maps)[WEB], Broken)


def test_the_order_of_endpoints_is_no_drift() -> None:
    assert reading.drift({WEB: Balance((A, B))}, {WEB: Balance((B, A))}) == []


def test_drift_says_what_is_missing_and_what_is_too_much() -> None:
    (found,) = reading.drift({WEB: Balance((A,))}, {WEB: Balance((B,))})
    assert describe_drift(found) == (
        "the kernel lacks 10.244.1.5:8080; "
        "the kernel has 10.244.0.5:8080, which should not be there"
    )
    assert describe_drift(Drift(WEB, None, Balance((A,)))) == (
        "missing in the kernel; it should choose among 1 endpoints"
    )
    assert describe_drift(Drift(WEB, "refuse", None)) == (
        "the kernel should not know it, and does: it would refuse"
    )


def test_an_explanation_names_addresses_slots_pods_and_odds() -> None:
    view = service_view(A, B)
    text = "\n".join(explain(view, node_view(kernel_of(view))))
    assert "10.96.0.7:80/tcp (ClusterIP)" in text
    assert "192.168.64.2:30080/tcp (NodePort)" in text
    assert "each connection goes at random to one of 2 endpoints" in text
    assert "slot 0  50.0 %  10.244.0.5:8080  web-0-5  this node" in text
    assert "slot 1  50.0 %  10.244.1.5:8080  web-1-5  node-2" in text
    assert "Drift: none" in text


def test_an_explanation_says_when_connections_are_refused_or_dropped() -> None:
    empty = service_view()
    assert "refuses at once" in "\n".join(explain(empty, node_view(kernel_of(empty))))
    local = service_view(B, type="NodePort", externalTrafficPolicy="Local")
    text = "\n".join(explain(local, node_view(kernel_of(local))))
    assert "for clients outside this node and its Pods" in text
    assert "stays silent" in text


def test_an_explanation_says_that_the_kernel_does_not_know_a_service() -> None:
    text = "\n".join(explain(service_view(A), node_view({})))
    assert "the kernel does not know this address" in text
    assert "Drift at 10.96.0.7:80/tcp" in text


def test_services_without_addresses_are_explained_as_such() -> None:
    headless = service_view(A, clusterIP="None", clusterIPs=["None"])
    alias = service_view(type="ExternalName", externalName="example.com", clusterIP="")
    assert "headless" in "\n".join(explain(headless, node_view({})))
    assert "alias of example.com" in "\n".join(explain(alias, node_view({})))
