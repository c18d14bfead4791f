"""Addresses and ports of Services, as creating, changing and deleting them books and frees."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from pilotfish.apiserver.allocation import ServiceAllocator

Service = dict[str, Any]


@pytest.fixture
def allocator() -> ServiceAllocator:
    return ServiceAllocator("10.96.0.0/12", (30000, 32767))


def service(kind: str = "ClusterIP", *ports: dict[str, Any], **spec: Any) -> Service:
    return {
        "metadata": {"name": "a"},
        "spec": {"type": kind, "ports": [dict(port) for port in ports], **spec},
    }


def messages(causes: list[Any]) -> list[str]:
    return [str(cause) for cause in causes]


def test_a_service_gets_an_address_above_the_static_band(allocator: ServiceAllocator) -> None:
    new = service()
    assert allocator.allocate(new, None) == []
    assert new["spec"]["clusterIPs"] == [new["spec"]["clusterIP"]]
    octets = [int(part) for part in new["spec"]["clusterIP"].split(".")]
    assert octets[0] == 10
    assert octets[1] in range(96, 112)
    assert octets[1:] > [96, 0, 255]


def test_headless_and_external_services_get_no_address(allocator: ServiceAllocator) -> None:
    headless, external = service(clusterIP="None"), service("ExternalName")
    assert allocator.allocate(headless, None) == allocator.allocate(external, None) == []
    assert headless["spec"]["clusterIPs"] == ["None"]
    assert "clusterIP" not in external["spec"]


def test_a_taken_address_is_refused_by_name(allocator: ServiceAllocator) -> None:
    assert allocator.allocate(service(clusterIP="10.96.0.10"), None) == []
    causes = allocator.allocate(service(clusterIP="10.96.0.10"), None)
    assert messages(causes) == [
        'spec.clusterIPs: Invalid value: ["10.96.0.10"]: failed to allocate IP 10.96.0.10: '
        "provided IP is already allocated"
    ]


@pytest.mark.parametrize("address", ["192.168.0.1", "10.96.0.0", "10.111.255.255"])
def test_an_address_outside_the_range_is_told_the_range(
    allocator: ServiceAllocator, address: str
) -> None:
    (cause,) = allocator.allocate(service(clusterIP=address), None)
    assert cause.message.endswith(
        f"the provided IP ({address}) is not in the valid range. "
        "The range of valid IPs is 10.96.0.0/12"
    )


def test_a_full_range_is_an_internal_error() -> None:
    small = ServiceAllocator("10.0.0.0/30", (30000, 30001))
    assert small.allocate(service(), None) == []
    assert small.allocate(service(), None) == []
    (cause,) = small.allocate(service(), None)
    assert cause.message == "Internal error: failed to allocate a serviceIP: range is full"


def test_node_ports_are_given_to_each_port(allocator: ServiceAllocator) -> None:
    new = service("NodePort", {"port": 80, "protocol": "TCP"}, {"port": 443, "protocol": "TCP"})
    assert allocator.allocate(new, None) == []
    numbers = [port["nodePort"] for port in new["spec"]["ports"]]
    assert len(set(numbers)) == 2
    assert all(30086 <= number <= 32767 for number in numbers)


def test_tcp_and_udp_of_one_port_share_the_node_port(allocator: ServiceAllocator) -> None:
    new = service("NodePort", {"port": 53, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"})
    assert allocator.allocate(new, None) == []
    tcp, udp = (port["nodePort"] for port in new["spec"]["ports"])
    assert tcp == udp


def test_a_named_node_port_is_shared_with_the_port_that_names_none(
    allocator: ServiceAllocator,
) -> None:
    tcp = {"port": 53, "protocol": "TCP"}
    udp = {"port": 53, "protocol": "UDP", "nodePort": 30053}
    new = service("NodePort", tcp, udp)
    assert allocator.allocate(new, None) == []
    assert [port["nodePort"] for port in new["spec"]["ports"]] == [30053, 30053]


def test_a_taken_node_port_is_refused_by_field(allocator: ServiceAllocator) -> None:
    port = {"port": 80, "protocol": "TCP", "nodePort": 30080}
    assert allocator.allocate(service("NodePort", port), None) == []
    causes = allocator.allocate(service("NodePort", {"port": 81, "protocol": "TCP"}, port), None)
    assert messages(causes) == [
        "spec.ports[1].nodePort: Invalid value: 30080: provided port is already allocated"
    ]


def test_a_node_port_outside_the_range_is_told_the_range(allocator: ServiceAllocator) -> None:
    port = {"port": 80, "protocol": "TCP", "nodePort": 80}
    (cause,) = allocator.allocate(service("NodePort", port), None)
    assert cause.field == "spec.ports[0].nodePort"
    assert cause.message == (
        "Invalid value: 80: provided port is not in the valid range. "
        "The range of valid ports is 30000-32767"
    )


def test_a_refused_create_gives_back_what_it_took(allocator: ServiceAllocator) -> None:
    good = {"port": 80, "protocol": "TCP", "nodePort": 30080}
    bad = {"port": 81, "protocol": "TCP", "nodePort": 1}
    assert allocator.allocate(service("NodePort", good, bad, clusterIP="10.96.0.9"), None)
    assert allocator.allocate(service("NodePort", good, clusterIP="10.96.0.9"), None) == []


def test_a_create_that_is_undone_gives_back_what_it_took(allocator: ServiceAllocator) -> None:
    port = {"port": 80, "protocol": "TCP", "nodePort": 30080}
    new = service("NodePort", port, clusterIP="10.96.0.9")
    allocator.allocate(new, None)
    allocator.undo(new, None)
    assert allocator.allocate(service("NodePort", port, clusterIP="10.96.0.9"), None) == []


def test_an_update_keeps_its_own_and_frees_what_it_drops(allocator: ServiceAllocator) -> None:
    old = service("NodePort", {"port": 80, "protocol": "TCP", "nodePort": 30080})
    allocator.allocate(old, None)
    new = service(
        "NodePort",
        {"port": 80, "protocol": "TCP", "nodePort": 30081},
        clusterIP=old["spec"]["clusterIP"],
    )
    assert allocator.allocate(new, old) == []
    reused = service("NodePort", {"port": 80, "protocol": "TCP", "nodePort": 30080})
    assert allocator.allocate(reused, None) == []
    (cause,) = allocator.allocate(
        service("NodePort", {"port": 80, "protocol": "TCP", "nodePort": 30081}), None
    )
    assert "already allocated" in cause.message


def test_an_update_that_is_undone_holds_the_old_again(allocator: ServiceAllocator) -> None:
    old = service("NodePort", {"port": 80, "protocol": "TCP", "nodePort": 30080})
    allocator.allocate(old, None)
    new = service("ClusterIP", {"port": 80}, clusterIP=old["spec"]["clusterIP"])
    allocator.allocate(new, old)
    allocator.undo(new, old)
    assert allocator.allocate(
        service("NodePort", {"port": 80, "protocol": "TCP", "nodePort": 30080}), None
    )
    assert allocator.allocate(service(clusterIP=old["spec"]["clusterIP"]), None)


def test_becoming_external_frees_the_address(allocator: ServiceAllocator) -> None:
    old = service(clusterIP="10.96.0.9")
    allocator.allocate(old, None)
    assert allocator.allocate(service("ExternalName"), old) == []
    assert allocator.allocate(service(clusterIP="10.96.0.9"), None) == []


def test_deleting_frees_everything(allocator: ServiceAllocator) -> None:
    port = {"port": 80, "protocol": "TCP", "nodePort": 30080}
    first = service("NodePort", port, clusterIP="10.96.0.9")
    allocator.allocate(first, None)
    allocator.release(first)
    assert allocator.allocate(service("NodePort", port, clusterIP="10.96.0.9"), None) == []


def test_stored_services_are_taken_over_after_a_restart(allocator: ServiceAllocator) -> None:
    allocator.load([service("NodePort", {"port": 1, "nodePort": 30080}, clusterIP="10.96.0.9")])
    assert allocator.allocate(service(clusterIP="10.96.0.9"), None)
    port = {"port": 80, "protocol": "TCP", "nodePort": 30080}
    assert allocator.allocate(service("NodePort", port), None)


def test_a_load_balancer_can_do_without_node_ports(allocator: ServiceAllocator) -> None:
    new = service("LoadBalancer", {"port": 80}, allocateLoadBalancerNodePorts=False)
    assert allocator.allocate(new, None) == []
    assert "nodePort" not in new["spec"]["ports"][0]


def test_local_load_balancers_get_a_health_check_port(allocator: ServiceAllocator) -> None:
    new = service("LoadBalancer", {"port": 80}, externalTrafficPolicy="Local")
    assert allocator.allocate(new, None) == []
    number = new["spec"]["healthCheckNodePort"]
    assert number != new["spec"]["ports"][0]["nodePort"]
    (cause,) = allocator.allocate(
        service(
            "LoadBalancer", {"port": 80}, externalTrafficPolicy="Local", healthCheckNodePort=number
        ),
        None,
    )
    assert cause.field == "spec.healthCheckNodePort"


class TestAnotherServersServices:
    """What other API servers hand out, which this one hears of."""

    port: ClassVar[dict[str, Any]] = {"port": 80, "nodePort": 30080}

    def held(self) -> Service:
        return service("NodePort", self.port, clusterIP="10.96.0.9", clusterIPs=["10.96.0.9"])

    def test_what_they_hold_is_taken(self, allocator: ServiceAllocator) -> None:
        allocator.follow(None, self.held())
        assert allocator.allocate(service(clusterIP="10.96.0.9"), None)
        assert allocator.allocate(service("NodePort", self.port), None)

    def test_what_they_let_go_is_free(self, allocator: ServiceAllocator) -> None:
        allocator.follow(None, self.held())
        allocator.follow(self.held(), None)
        assert allocator.allocate(self.held(), None) == []

    def test_what_was_booked_here_and_let_go_there_is_free(
        self, allocator: ServiceAllocator
    ) -> None:
        assert allocator.allocate(self.held(), None) == []
        allocator.follow(None, self.held())
        allocator.follow(self.held(), service(clusterIP="10.96.0.8"))
        assert allocator.allocate(self.held(), None) == []

    def test_who_was_slower_does_not_free_what_the_quicker_got(
        self, allocator: ServiceAllocator
    ) -> None:
        assert allocator.allocate(self.held(), None) == []
        allocator.follow(None, self.held())  # of another name, by another server
        allocator.undo(self.held(), None)
        assert allocator.allocate(self.held(), None)
