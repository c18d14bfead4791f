"""The client `kubernetes-asyncio`."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from kubernetes_asyncio import client as k8s
from kubernetes_asyncio import config, dynamic, watch

from support.apiserver import RunningApiServer
from support.widgets import widget


@pytest.fixture
async def api(server: RunningApiServer) -> AsyncIterator[k8s.ApiClient]:
    settings = k8s.Configuration()
    await config.load_kube_config(str(server.kubeconfig), client_configuration=settings)
    async with k8s.ApiClient(settings) as api:
        yield api


def config_map(name: str) -> k8s.V1ConfigMap:
    metadata = k8s.V1ObjectMeta(name=name, labels={"mine": "yes"})
    return k8s.V1ConfigMap(metadata=metadata, data={"a": "b"})


async def test_objects_are_created_patched_listed_watched_and_deleted(api: k8s.ApiClient) -> None:
    v1 = k8s.CoreV1Api(api)
    made = await v1.create_namespaced_config_map("default", config_map("a"))
    patches = (
        ({"data": {"strategic": "1"}}, {}),
        ([{"op": "add", "path": "/data/json", "value": "1"}], {}),
        ({"data": {"a": None}}, {"_content_type": "application/merge-patch+json"}),
        (
            {"apiVersion": "v1", "kind": "ConfigMap", "data": {"apply": "1"}},
            {"_content_type": "application/apply-patch+yaml", "field_manager": "me"},
        ),
    )
    for body, options in patches:
        patched = await v1.patch_namespaced_config_map("a", "default", body, **options)
    assert patched.data == dict.fromkeys(("strategic", "json", "apply"), "1")
    patched.data["replaced"] = "1"
    await v1.replace_namespaced_config_map("a", "default", patched)
    page = await v1.list_namespaced_config_map("default", label_selector="mine=yes", limit=1)
    assert [each.metadata.name for each in page.items] == ["a"]
    await v1.delete_namespaced_config_map("a", "default")
    seen = []
    async with watch.Watch() as watching:
        begin = made.metadata.resource_version
        options = {"resource_version": begin, "timeout_seconds": 5}
        async for event in watching.stream(v1.list_namespaced_config_map, "default", **options):
            seen.append(event["type"])
            if event["type"] == "DELETED":
                break
    assert seen == ["MODIFIED"] * 5 + ["DELETED"]


async def test_refusals_are_its_exceptions(api: k8s.ApiClient) -> None:
    v1 = k8s.CoreV1Api(api)
    with pytest.raises(k8s.ApiException) as missing:
        await v1.read_namespaced_pod("none", "default")
    assert (missing.value.status, missing.value.reason) == (404, "Not Found")
    with pytest.raises(k8s.ApiException) as refused:
        await v1.create_namespaced_config_map("default", config_map("Bad_Name"))
    assert refused.value.status == 422


@pytest.mark.usefixtures("widgets")
async def test_custom_objects_are_used_by_name_and_by_discovery(api: k8s.ApiClient) -> None:
    custom = k8s.CustomObjectsApi(api)
    place = ("example.com", "v1", "default", "widgets")
    await custom.create_namespaced_custom_object(*place, widget("a"))
    found = await custom.list_namespaced_custom_object(*place)
    assert [each["metadata"]["name"] for each in found["items"]] == ["a"]
    discovered = await dynamic.DynamicClient(api)
    widgets = await discovered.resources.get(api_version="example.com/v1", kind="Widget")
    status = {"status": {"ok": True}}
    await widgets.status.patch(
        namespace="default",
        name="a",
        body=status,
        content_type="application/merge-patch+json",
    )
    assert (await widgets.get(namespace="default", name="a")).status.ok is True
