"""The client `kr8s`."""

from __future__ import annotations

import asyncio

import kr8s
import pytest
from kr8s.asyncio import api as connect
from kr8s.asyncio.objects import ConfigMap, CustomResourceDefinition, Service, new_class

from support.apiserver import RunningApiServer
from support.objects import service
from support.widgets import definition, widget

pytestmark = pytest.mark.filterwarnings("ignore:Kubernetes version")


@pytest.fixture
async def api(server: RunningApiServer) -> kr8s.asyncio.Api:
    return await connect(kubeconfig=str(server.kubeconfig))


def config_map(name: str) -> dict[str, object]:
    metadata = {"name": name, "namespace": "default", "labels": {"mine": "yes"}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "b"}}


async def test_objects_are_created_patched_listed_and_deleted(api: kr8s.asyncio.Api) -> None:
    made = await ConfigMap(config_map("a"), api=api)
    await made.create()
    await made.patch({"data": {"merge": "1"}})
    await made.patch([{"op": "replace", "path": "/data/a", "value": "c"}], type="json")
    await made.label({"more": "yes"})
    await made.annotate({"note": "x"})
    assert made.data == {"a": "c", "merge": "1"}
    assert made.labels == {"mine": "yes", "more": "yes"}
    for options in ({"label_selector": {"mine": "yes"}}, {"field_selector": "metadata.name=a"}):
        found = [each.name async for each in api.get("configmaps", namespace="default", **options)]
        assert found == ["a"]
    assert await made.exists()
    await made.delete()
    assert not await made.exists()
    with pytest.raises(kr8s.NotFoundError):
        await made.refresh()
    with pytest.raises(kr8s.ServerError) as refused:
        await (await ConfigMap(config_map("Bad_Name"), api=api)).create()
    assert refused.value.status["reason"] == "Invalid"


async def test_a_watch_tells_what_happens(api: kr8s.asyncio.Api) -> None:
    made = await ConfigMap(config_map("a"), api=api)
    await made.create()

    begun = asyncio.Event()

    async def follow() -> list[str]:
        seen = []
        async for kind, each in api.watch("configmaps", namespace="default"):
            seen.append(f"{kind} {each.name}")
            begun.set()
            if kind == "DELETED":
                break
        return seen

    following = asyncio.create_task(follow())
    async with asyncio.timeout(5):
        await begun.wait()
    await made.patch({"data": {"a": "c"}})
    await made.delete()
    async with asyncio.timeout(5):
        assert await following == ["ADDED a", "MODIFIED a", "DELETED a"]


async def test_custom_objects_are_waited_for_and_scaled(api: kr8s.asyncio.Api) -> None:
    crd = await CustomResourceDefinition(definition(), api=api)
    await crd.create()
    await crd.wait("condition=Established")
    widgets = new_class(
        "Widget", "example.com/v1", namespaced=True, plural="widgets", scalable=True
    )
    made = await widgets(widget("w"), api=api)
    await made.create()
    await made.refresh()
    assert made.spec.replicas == 1
    await made.patch({"spec": {"replicas": 3}})
    assert made.spec.replicas == 3
    assert [each.name async for each in widgets.list(api=api, namespace="default")] == ["w"]


async def test_discovery_identity_and_services_are_as_it_expects(api: kr8s.asyncio.Api) -> None:
    kinds = {each["kind"] for each in await api.api_resources()}
    assert {"Pod", "Deployment", "EndpointSlice", "CustomResourceDefinition"} <= kinds
    assert await api.whoami() == "kubernetes-admin"
    made = await Service(service("web"), api=api)
    await made.create()
    assert made.raw["spec"]["clusterIP"].startswith("10.")
    assert (await Service.get("web", namespace="default", api=api)).raw == made.raw
