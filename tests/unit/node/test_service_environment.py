"""Service environment variables."""

from __future__ import annotations

from typing import Any

from pilotfish.node.service_environment import service_environment


def service(name: str, namespace: str = "ns", **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace}, "spec": spec}


KUBERNETES = service(
    "kubernetes", "default", clusterIP="10.96.0.1", ports=[{"name": "https", "port": 443}]
)


def test_a_service_has_its_kubernetes_form_and_its_link_form() -> None:
    ports = [{"name": "db-port", "port": 6379, "protocol": "TCP"}]
    result = service_environment([service("redis-db", clusterIP="10.96.0.9", ports=ports)], "ns")
    assert result == {
        "REDIS_DB_SERVICE_HOST": "10.96.0.9",
        "REDIS_DB_SERVICE_PORT": "6379",
        "REDIS_DB_SERVICE_PORT_DB_PORT": "6379",
        "REDIS_DB_PORT": "tcp://10.96.0.9:6379",
        "REDIS_DB_PORT_6379_TCP": "tcp://10.96.0.9:6379",
        "REDIS_DB_PORT_6379_TCP_PROTO": "tcp",
        "REDIS_DB_PORT_6379_TCP_PORT": "6379",
        "REDIS_DB_PORT_6379_TCP_ADDR": "10.96.0.9",
    }


def test_services_without_an_address_and_of_other_namespaces_have_none() -> None:
    others = [
        service("headless", clusterIP="None", ports=[{"port": 1}]),
        service("external", type="ExternalName", ports=[{"port": 1}]),
        service("foreign", "other", clusterIP="10.96.0.3", ports=[{"port": 1}]),
    ]
    assert service_environment(others, "ns") == {}


def test_kubernetes_is_known_in_every_namespace_and_without_service_links() -> None:
    own = service("web", clusterIP="10.96.0.4", ports=[{"port": 80}])
    result = service_environment([KUBERNETES, own], "ns", enable_links=False)
    assert result["KUBERNETES_SERVICE_HOST"] == "10.96.0.1"
    assert not any(name.startswith("WEB") for name in result)


def test_a_service_of_the_namespace_wins_over_the_one_in_default() -> None:
    own = service("kubernetes", clusterIP="10.96.0.44", ports=[{"port": 1}])
    result = service_environment([KUBERNETES, own], "ns")
    assert result["KUBERNETES_SERVICE_HOST"] == "10.96.0.44"
