"""healthCheckNodePort: what a node answers, and where."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

from pilotfish.proxy.health import Health, HealthServers, response, service_health


def service(**spec: Any) -> dict[str, Any]:
    base = {
        "clusterIP": "10.96.0.7",
        "type": "LoadBalancer",
        "externalTrafficPolicy": "Local",
        "healthCheckNodePort": 30099,
        "ports": [{"name": "a", "port": 80}, {"name": "b", "port": 81}],
    }
    return {"metadata": {"name": "web", "namespace": "default"}, "spec": base | spec}


def slices(*nodes: str) -> list[dict[str, Any]]:
    endpoints = [
        {"addresses": [f"10.244.0.{number}"], "nodeName": node}
        for number, node in enumerate(nodes, start=2)
    ]
    ports = [{"name": "a", "port": 8080}, {"name": "b", "port": 8081}]
    return [{"addressType": "IPv4", "ports": ports, "endpoints": endpoints}]


def test_it_counts_the_endpoints_of_this_node_once_for_all_ports() -> None:
    found = service_health(service(), slices("node-1", "node-1", "node-2"), "node-1")
    assert found == (30099, Health("default", "web", 2))


def test_endpoints_that_terminate_do_not_count() -> None:
    leaving = slices("node-1")
    leaving[0]["endpoints"][0]["conditions"] = {
        "ready": False,
        "serving": True,
        "terminating": True,
    }
    assert service_health(service(), leaving, "node-1") == (30099, Health("default", "web", 0))


def test_services_whose_policy_is_not_local_have_none() -> None:
    assert service_health(service(externalTrafficPolicy="Cluster"), [], "node-1") is None
    assert service_health(service(healthCheckNodePort=0), [], "node-1") is None
    assert service_health(None, [], "node-1") is None


def test_the_response_is_the_documented_json() -> None:
    head, _, body = response(Health("default", "web", 2)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert json.loads(body) == {
        "service": {"namespace": "default", "name": "web"},
        "localEndpoints": 2,
        "serviceProxyHealthy": True,
    }


def test_without_local_endpoints_the_node_is_unavailable() -> None:
    assert response(Health("default", "web", 0)).startswith(b"HTTP/1.1 503 ")


async def ask(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: node\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return answer


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_servers_answer_on_their_ports_and_close_when_they_go() -> None:
    servers, port = HealthServers(), free_port()
    await servers.serve({port: Health("default", "web", 1)})
    assert (await ask(port)).startswith(b"HTTP/1.1 200")
    await servers.serve({port: Health("default", "web", 0)})
    assert (await ask(port)).startswith(b"HTTP/1.1 503")
    await servers.serve({})
    try:
        await ask(port)
    except ConnectionRefusedError:
        return
    raise AssertionError("the port still answers")


async def test_a_port_that_another_has_is_logged_and_had_later(caplog: Any) -> None:
    servers = HealthServers()
    with socket.socket() as other:
        other.bind(("", 0))
        other.listen()
        port = other.getsockname()[1]
        await servers.serve({port: Health("default", "web", 1)})
        assert "default/web" in caplog.text
    await servers.serve({port: Health("default", "web", 1)})
    assert (await ask(port)).startswith(b"HTTP/1.1 200")
    servers.close()
