"""A Service's life under kubectl: its address, its ports, its changes of type."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.apiserver import RunningApiServer


async def row(server: RunningApiServer, name: str) -> list[str]:
    shown = await server.kubectl("get", "service", name, "--no-headers")
    return shown.split()


async def patch(server: RunningApiServer, name: str, **spec: Any) -> None:
    await server.kubectl("patch", "service", name, "-p", json.dumps({"spec": spec}))


async def refusal(server: RunningApiServer, *arguments: str) -> str:
    code, _, errors = await server.try_kubectl(*arguments)
    assert code == 1
    return errors


async def test_a_service_goes_through_all_types_and_keeps_its_address(
    server: RunningApiServer,
) -> None:
    await server.kubectl("create", "service", "nodeport", "web", "--tcp=80:8080")
    _, kind, address, external, ports, _ = await row(server, "web")
    assert (kind, external) == ("NodePort", "<none>")
    await patch(server, "web", type="LoadBalancer")
    assert (await row(server, "web"))[1:5] == ["LoadBalancer", address, "<pending>", ports]
    await patch(server, "web", type="ClusterIP")
    assert (await row(server, "web"))[1:5] == ["ClusterIP", address, "<none>", "80/TCP"]
    await patch(server, "web", type="ExternalName", externalName="example.com")
    assert (await row(server, "web"))[1:4] == ["ExternalName", "<none>", "example.com"]
    await patch(server, "web", type="ClusterIP")
    assert (await row(server, "web"))[1] == "ClusterIP"


async def test_what_is_taken_is_refused_until_it_is_free(server: RunningApiServer) -> None:
    node_port = ("create", "service", "nodeport")
    await server.kubectl(*node_port, "a", "--tcp=80", "--node-port=30080")
    errors = await refusal(server, *node_port, "b", "--tcp=80", "--node-port=30080")
    assert (
        'Service "b" is invalid: spec.ports[0].nodePort: Invalid value: 30080: '
        "provided port is already allocated"
    ) in errors
    await server.kubectl("delete", "service", "a")
    await server.kubectl(*node_port, "b", "--tcp=80", "--node-port=30080")
    errors = await refusal(
        server, "create", "service", "clusterip", "c", "--tcp=80", "--clusterip=10.96.0.1"
    )
    assert "failed to allocate IP 10.96.0.1: provided IP is already allocated" in errors


@pytest.mark.parametrize("dry_run", ["server", "none"])
async def test_a_dry_run_takes_nothing(server: RunningApiServer, dry_run: str) -> None:
    create = ("create", "service", "nodeport", "a", "--tcp=80", "--node-port=30080")
    await server.kubectl(*create, f"--dry-run={dry_run}")
    code, _, _ = await server.try_kubectl(*create[:3], "b", *create[4:])
    assert code == (0 if dry_run == "server" else 1)


async def test_replacing_a_manifest_keeps_what_was_allocated(server: RunningApiServer) -> None:
    spec = {"type": "NodePort", "selector": {"app": "web"}, "ports": [{"port": 80}]}
    manifest = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": spec}
    await server.kubectl("create", "-f", "-", stdin=json.dumps(manifest))
    before = (await row(server, "a"))[:5]
    spec["selector"] = {"app": "other"}
    await server.kubectl("replace", "-f", "-", stdin=json.dumps(manifest))
    assert (await row(server, "a"))[:5] == before


async def test_the_selector_of_a_deployment_cannot_be_edited(server: RunningApiServer) -> None:
    await server.kubectl("create", "deployment", "web", "--image=host")
    change = {"spec": {"selector": {"matchLabels": {"app": "other"}}}}
    errors = await refusal(server, "patch", "deployment", "web", "-p", json.dumps(change))
    assert (
        'spec.selector: Invalid value: {"matchLabels":{"app":"other"}}: field is immutable'
    ) in errors
