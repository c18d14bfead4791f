"""Custom resources own and are owned, and go with their namespace."""

from __future__ import annotations

from typing import Any

from pilotfish.objects.meta import Object, name_of, uid_of
from support.widgets import definition, widget

DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io"


def widgets(namespace: str = "default") -> str:
    return f"/apis/example.com/v1/namespaces/{namespace}/widgets"


def owned_map(owner: Object) -> Object:
    reference = {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "name": name_of(owner),
        "uid": uid_of(owner),
    }
    metadata = {"name": "child", "namespace": "default", "ownerReferences": [reference]}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


def is_there(maps: list[Object]) -> bool:
    return "child" in map(name_of, maps)


async def test_what_a_custom_resource_owns_goes_with_it(cluster: Any) -> None:
    client = cluster.client
    await client.create(DEFINITIONS, definition())
    kept, gone = [
        await client.request("POST", widgets(), body=widget(name)) for name in ("kept", "gone")
    ]
    await client.create("configmaps", owned_map(gone))
    other = owned_map(kept)
    other["metadata"]["name"] = "other"
    await client.create("configmaps", other)
    await client.request("DELETE", f"{widgets()}/gone")
    maps = await cluster.until("configmaps", lambda maps: not is_there(maps))
    assert "other" in map(name_of, maps)
    await client.delete(DEFINITIONS, "widgets.example.com")
    await cluster.until("configmaps", lambda maps: "other" not in map(name_of, maps))


async def test_custom_resources_go_with_their_namespace(cluster: Any) -> None:
    client = cluster.client
    await client.create(DEFINITIONS, definition())
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    await client.create("namespaces", namespace)
    made = widget("a")
    made["metadata"]["namespace"] = "shop"
    await client.request("POST", widgets("shop"), body=made)
    await cluster.kubectl("delete", "namespace", "shop", "--timeout=60s")
    assert (await client.request("GET", widgets("shop")))["items"] == []
