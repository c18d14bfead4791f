"""A cluster without containers: API server, controllers and two hollow nodes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pilotfish.client.api import Client
from pilotfish.controllers import informers
from pilotfish.controllers.config import ControllerConfig
from pilotfish.controllers.manager import ControllerManager
from pilotfish.objects.meta import Object, name_of
from support.apiserver import RunningApiServer, running_api_server
from support.hollow_node import HollowNode, hollow_node

PATIENCE_S = 60.0


@dataclass
class Cluster:
    """What a test has at hand."""

    server: RunningApiServer
    client: Client
    nodes: tuple[HollowNode, HollowNode]
    controllers: asyncio.Task[None] | None = None

    async def start_controllers(self, client_type: type[Client] = Client) -> None:
        """Start them, after an end without any warning if they are running."""
        await self.stop_controllers()
        running = self._run_controllers(client_type)
        self.controllers = asyncio.create_task(running, name="controllers")

    async def stop_controllers(self) -> None:
        """End them wherever they are."""
        if self.controllers is not None:
            self.controllers.cancel()
            await asyncio.gather(self.controllers, return_exceptions=True)

    async def _run_controllers(self, client_type: type[Client]) -> None:
        config = ControllerConfig(
            ca_certificate="-----BEGIN CERTIFICATE-----",
            load_balancer_pools=(("192.168.64.200", "192.168.64.201"),),
            node_grace_s=2.0,
        )
        async with client_type(self.server.local_config()) as client:
            await ControllerManager(client, config).run()

    async def items(self, resource: str, namespace: str = "default", **query: str) -> list[Object]:
        """The objects of a resource."""
        listed = await self.client.list(resource, namespace, **query)
        items: list[Object] = listed["items"]
        return items

    async def until(
        self, resource: str, condition: Callable[[list[Object]], Any], namespace: str = "default"
    ) -> list[Object]:
        """Wait until a condition on the objects of a resource holds; returns them."""
        items: list[Object] = []
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    items = await self.items(resource, namespace)
                    if condition(items):
                        return items
                    await asyncio.sleep(0.02)
        except TimeoutError:
            pytest.fail(f"{resource} did not come to be as wanted, but are {items}")

    async def until_of(
        self, resource: str, name: str, condition: Callable[[Object], Any]
    ) -> Object:
        """Wait until a condition on one object of namespace default holds; returns it."""
        items = await self.until(
            resource,
            lambda found: any(condition(obj) for obj in found if name_of(obj) == name),
        )
        return next(obj for obj in items if name_of(obj) == name)

    async def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """Run kubectl as administrator; the test fails when it does."""
        return await self.server.kubectl(*arguments, stdin=stdin)


@pytest.fixture
async def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cluster]:
    monkeypatch.setattr(informers, "_LATER_S", 0.0)
    async with (
        running_api_server(tmp_path) as server,
        Client(server.client_config()) as client,
        hollow_node(client, "node-1") as first,
        hollow_node(client, "node-2") as second,
    ):
        running = Cluster(server, client, (first, second))
        await running.start_controllers()
        yield running
        await running.stop_controllers()
