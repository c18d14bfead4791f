"""An operator written with `kopf`: handlers, finalizers, status, timers, daemons, events."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import kopf
import pytest

from pilotfish.client.api import Client
from pilotfish.client.errors import NotFound
from pilotfish.objects.meta import Object
from support.apiserver import RunningApiServer
from support.widgets import definition, widget

WIDGETS = "/apis/example.com/v1/namespaces/default/widgets"
PLACE = ("example.com", "v1", "widgets")
FINALIZER = "kopf.zalando.org/KopfFinalizerMarker"


@pytest.fixture
async def widgets(client: Client) -> None:
    crd = definition()
    schema = crd["spec"]["versions"][1]["schema"]["openAPIV3Schema"]
    schema = {**schema, "x-kubernetes-preserve-unknown-fields": True}
    crd["spec"]["versions"][1]["schema"] = {"openAPIV3Schema": schema}
    await client.create("customresourcedefinitions.apiextensions.k8s.io", crd)


@asynccontextmanager
async def operating(
    server: RunningApiServer, registry: kopf.OperatorRegistry
) -> AsyncIterator[None]:
    """The operator that a registry describes, while it runs."""
    settings = server.client_config()

    @kopf.on.login(registry=registry)
    async def login(**_: Any) -> kopf.ConnectionInfo:
        return kopf.ConnectionInfo(
            server=server.url,
            ca_path=str(settings.ca),
            certificate_path=str(settings.cert),
            private_key_path=str(settings.key),
        )

    stop, ready = threading.Event(), threading.Event()
    operator = kopf.operator(
        registry=registry,
        standalone=True,
        namespaces=["default"],
        stop_flag=stop,
        ready_flag=ready,
    )
    # In a loop of its own: at its end it waits for all tasks that began while it ran.
    running = asyncio.create_task(asyncio.to_thread(asyncio.run, operator))
    assert await asyncio.to_thread(ready.wait, 10)
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(10):
            await running


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not what():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def patch(client: Client, name: str, body: Object) -> None:
    path = f"{WIDGETS}/{name}"
    await client.request("PATCH", path, body=body, content_type="application/merge-patch+json")


@pytest.mark.usefixtures("widgets")
async def test_an_operator_follows_its_objects_from_creation_to_deletion(
    server: RunningApiServer, client: Client
) -> None:
    registry = kopf.OperatorRegistry()
    seen: list[Any] = []

    @kopf.on.create(*PLACE, registry=registry, id="created")
    async def created(body: kopf.Body, spec: kopf.Spec, **_: Any) -> dict[str, Any]:
        kopf.event(body, type="Normal", reason="Made", message="hello")
        seen.append("created")
        return {"color": spec["color"]}

    @kopf.on.update(*PLACE, field="spec.color", registry=registry)
    async def painted(old: str, new: str, **_: Any) -> None:
        seen.append((old, new))

    @kopf.on.delete(*PLACE, registry=registry)
    async def deleted(**_: Any) -> None:
        seen.append("deleted")

    async with operating(server, registry):
        await client.request("POST", WIDGETS, body=widget("a"))
        await until(lambda: "created" in seen)
        async with asyncio.timeout(10):
            live = await client.request("GET", f"{WIDGETS}/a")
            while "status" not in live:
                live = await client.request("GET", f"{WIDGETS}/a")
        assert live["status"] == {"created": {"color": "red"}}
        assert live["metadata"]["finalizers"] == [FINALIZER]
        await patch(client, "a", {"spec": {"color": "blue"}})
        await until(lambda: ("red", "blue") in seen)
        await client.request("DELETE", f"{WIDGETS}/a")
        await until(lambda: "deleted" in seen)
        with pytest.raises(NotFound):
            async with asyncio.timeout(10):
                while True:
                    await client.request("GET", f"{WIDGETS}/a")
        events = (await client.list("events", "default"))["items"]
    assert seen == ["created", ("red", "blue"), "deleted"]
    assert ("Made", "hello") in [(each["reason"], each["message"]) for each in events]


@pytest.mark.usefixtures("widgets")
async def test_timers_and_daemons_live_as_long_as_their_object(
    server: RunningApiServer, client: Client
) -> None:
    registry = kopf.OperatorRegistry()
    seen: list[str] = []

    @kopf.timer(*PLACE, interval=0.05, registry=registry)
    async def tick(**_: Any) -> None:
        seen.append("tick")

    @kopf.daemon(*PLACE, registry=registry)
    async def daemon(stopped: kopf.DaemonStopped, **_: Any) -> None:
        seen.append("started")
        await stopped.wait()
        seen.append("stopped")

    async with operating(server, registry):
        await client.request("POST", WIDGETS, body=widget("a"))
        await until(lambda: "started" in seen and seen.count("tick") > 1)
        await client.request("DELETE", f"{WIDGETS}/a")
        await until(lambda: "stopped" in seen)


@pytest.mark.usefixtures("widgets")
async def test_a_handler_that_fails_is_tried_again_from_where_it_was(
    server: RunningApiServer, client: Client
) -> None:
    registry = kopf.OperatorRegistry()
    tries: list[int] = []

    @kopf.on.create(*PLACE, registry=registry)
    async def created(retry: int, patch: kopf.Patch, **_: Any) -> None:
        tries.append(retry)
        if not retry:
            raise kopf.TemporaryError("not yet", delay=0.05)
        patch.status["done"] = True

    async with operating(server, registry):
        await client.request("POST", WIDGETS, body=widget("a"))
        await until(lambda: len(tries) == 2)
        async with asyncio.timeout(10):
            live = await client.request("GET", f"{WIDGETS}/a")
            while not live.get("status", {}).get("done"):
                live = await client.request("GET", f"{WIDGETS}/a")
    assert tries == [0, 1]
    handled = live["metadata"]["annotations"]["kopf.zalando.org/last-handled-configuration"]
    assert json.loads(handled)["spec"]["color"] == "red"


async def test_built_in_kinds_are_watched_by_label(
    server: RunningApiServer, client: Client
) -> None:
    registry = kopf.OperatorRegistry()
    seen: list[tuple[str | None, str]] = []
    mine = {"mine": "yes"}

    @kopf.on.event("v1", "configmaps", labels=mine, registry=registry)
    async def happened(type: str | None, name: str, **_: Any) -> None:
        seen.append((type, name))

    async with operating(server, registry):
        for name, labels in (("a", mine), ("b", {})):
            metadata = {"name": name, "namespace": "default", "labels": labels}
            obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
            await client.create("configmaps", obj)
        # Listed or told, depending on who was quicker.
        await until(lambda: bool({(None, "a"), ("ADDED", "a")} & set(seen)))
        await client.delete("configmaps", "a", "default")
        await until(lambda: ("DELETED", "a") in seen)
    assert {name for _, name in seen} == {"a"}
