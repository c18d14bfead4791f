"""The client `lightkube`, with its models of dataclasses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from lightkube import AsyncClient, KubeConfig
from lightkube.core.exceptions import ApiError
from lightkube.generic_resource import create_namespaced_resource
from lightkube.models.apps_v1 import DeploymentSpec
from lightkube.models.core_v1 import Container, PodSpec, PodTemplateSpec
from lightkube.models.meta_v1 import LabelSelector, ObjectMeta
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import ConfigMap, Pod
from lightkube.types import PatchType

from pilotfish.client.api import Client
from support.apiserver import RunningApiServer
from support.widgets import widget


@pytest.fixture
async def kube(server: RunningApiServer) -> AsyncIterator[AsyncClient]:
    kube = AsyncClient(KubeConfig.from_file(str(server.kubeconfig)), field_manager="light")
    yield kube
    await kube.close()


def config_map(name: str, **data: str) -> ConfigMap:
    metadata = ObjectMeta(name=name, namespace="default", labels={"mine": "yes"})
    return ConfigMap(metadata=metadata, data=data)


async def test_objects_are_created_patched_applied_and_replaced(kube: AsyncClient) -> None:
    await kube.create(config_map("a", a="b"))
    patches = (
        ({"data": {"strategic": "1"}}, PatchType.STRATEGIC),
        ({"data": {"a": None}}, PatchType.MERGE),
        ([{"op": "add", "path": "/data/json", "value": "1"}], PatchType.JSON),
    )
    for body, kind in patches:
        await kube.patch(ConfigMap, "a", body, namespace="default", patch_type=kind)
    found = await kube.apply(config_map("a", apply="1"))
    assert found.data == dict.fromkeys(("strategic", "json", "apply"), "1")
    found.data["replaced"] = "1"
    await kube.replace(found)
    with pytest.raises(ApiError) as stale:
        await kube.replace(found)
    assert (stale.value.status.code, stale.value.status.reason) == (409, "Conflict")
    with pytest.raises(ApiError) as disputed:
        await kube.apply(config_map("a", apply="2"), field_manager="other")
    assert 'conflict with "light"' in message_of(disputed.value)


def message_of(error: ApiError) -> str:
    return error.status.message or ""


async def test_lists_are_selected_and_come_in_pages(kube: AsyncClient) -> None:
    for name in ("a", "b", "c"):
        await kube.create(config_map(name))
    selected = kube.list(ConfigMap, namespace="default", labels={"mine": "yes"}, chunk_size=2)
    assert [each.metadata.name async for each in selected] == ["a", "b", "c"]
    selected = kube.list(ConfigMap, namespace="*", fields={"metadata.name": "b"})
    assert [each.metadata.name async for each in selected] == ["b"]
    await kube.deletecollection(ConfigMap, namespace="default")
    with pytest.raises(ApiError) as missing:
        await kube.get(Pod, "none", namespace="default")
    assert missing.value.status.reason == "NotFound"


async def test_a_watch_tells_what_happens(kube: AsyncClient) -> None:
    begun = asyncio.Event()

    async def follow() -> list[str]:
        seen = []
        async for kind, each in kube.watch(ConfigMap, namespace="default", labels={"mine": "yes"}):
            seen.append(f"{kind} {each.metadata.name}")
            begun.set()
            if kind == "DELETED":
                break
        return seen

    await kube.create(config_map("a"))
    following = asyncio.create_task(follow())
    async with asyncio.timeout(5):
        await begun.wait()
    await kube.patch(ConfigMap, "a", {"data": {"x": "y"}}, namespace="default")
    await kube.delete(ConfigMap, "a", namespace="default")
    async with asyncio.timeout(5):
        assert await following == ["ADDED a", "MODIFIED a", "DELETED a"]


async def test_what_is_waited_for_comes(kube: AsyncClient, client: Client) -> None:
    container = Container(name="c", image="host")
    template = PodTemplateSpec(
        metadata=ObjectMeta(labels={"a": "b"}), spec=PodSpec(containers=[container])
    )
    spec = DeploymentSpec(
        replicas=0, selector=LabelSelector(matchLabels={"a": "b"}), template=template
    )
    metadata = ObjectMeta(name="d", namespace="default")
    await kube.create(Deployment(metadata=metadata, spec=spec))
    scale = await kube.get(Deployment.Scale, "d", namespace="default")
    scale.spec.replicas = 2
    assert (await kube.replace(scale, "d", namespace="default")).spec.replicas == 2
    waiting = asyncio.create_task(
        kube.wait(Deployment, "d", for_conditions=["Available"], namespace="default")
    )
    live = await client.get("deployments.apps", "d", "default")
    live["status"]["conditions"] = [{"type": "Available", "status": "True"}]
    await client.update("deployments.apps", live, subresource="status")
    async with asyncio.timeout(5):
        await waiting


@pytest.mark.usefixtures("widgets")
async def test_custom_objects_are_generic_resources(kube: AsyncClient) -> None:
    widgets = create_namespaced_resource("example.com", "v1", "Widget", "widgets")
    made = await kube.create(widgets.from_dict(widget("w")))
    assert made["spec"]["replicas"] == 1
    status = {"status": {"ok": True}}
    await kube.patch(widgets.Status, "w", status, namespace="default", patch_type=PatchType.MERGE)
    assert (await kube.get(widgets, "w", namespace="default"))["status"] == {"ok": True}
