"""The catalog follows an API server's objects."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from pilotfish.client.api import Client
from pilotfish.dashboard.catalog import Catalog
from pilotfish.objects.meta import name_of
from support.apiserver import running_api_server
from support.entries import entry
from support.traffic import seen_service


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with running_api_server(tmp_path) as server, Client(server.client_config()) as made:
        yield made


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 (anything may come to hold)
            await asyncio.sleep(0.02)


async def test_services_slices_and_warnings_are_known_as_they_come(client: Client) -> None:
    catalog = Catalog(client)
    running = asyncio.create_task(catalog.run())
    try:
        await catalog.wait_synced()
        metadata = {"name": "web", "namespace": "default"}
        service = {"apiVersion": "v1", "kind": "Service", "metadata": metadata}
        await client.create("services", service | {"spec": {"ports": [{"port": 80}]}})
        await client.create(
            "endpointslices.discovery.k8s.io",
            {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": metadata | {"labels": {"kubernetes.io/service-name": "web"}},
                "addressType": "IPv4",
                "endpoints": [{"addresses": ["10.244.0.7"], "conditions": {"ready": True}}],
                "ports": [{"port": 8080}],
            },
        )
        await until(lambda: ("default", "web") in catalog.cluster().slices)
        asked = entry(dst=seen_service("web", "10.96.0.50"))
        await until(lambda: bool(catalog.ready(asked)))
        assert catalog.ready(asked) == {("10.244.0.7", "10.244.0.7")}
        assert "web" in map(name_of, catalog.cluster().services)
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {**metadata, "name": "p"}}
        spec = {"containers": [{"name": "c", "image": "host"}]}
        made = await client.create("pods", pod | {"spec": spec})
        uid = made["metadata"]["uid"]
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": "e", "namespace": "default"},
            "involvedObject": {"kind": "Pod", "name": "p", "namespace": "default", "uid": uid},
            "type": "Warning",
            "message": "Readiness probe failed: no",
        }
        await client.create("events", event)
        other = {**event, "metadata": {"name": "n", "namespace": "default"}, "type": "Normal"}
        await client.create("events", other | {"message": "all is well"})
        await until(lambda: any(name_of(pod) == "p" for pod in catalog.cluster().pods))
        await catalog.look()
        assert catalog.cluster().warnings == {uid: "Readiness probe failed: no"}
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
