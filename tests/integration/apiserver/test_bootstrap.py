"""What every cluster has, also after somebody took it away."""

from __future__ import annotations

import pytest

from pilotfish.apiserver import bootstrap
from pilotfish.client.api import Client


async def test_a_fresh_cluster_has_its_namespaces_and_its_own_service(client: Client) -> None:
    namespaces = await client.list("namespaces")
    assert [item["metadata"]["name"] for item in namespaces["items"]] == [
        "default",
        "kube-node-lease",
        "kube-public",
        "kube-system",
    ]
    service = await client.get("services", "kubernetes", "default")
    assert service["spec"]["clusterIP"] == "10.96.0.1"
    endpoints = await client.get("endpoints", "kubernetes", "default")
    assert endpoints["subsets"][0]["addresses"] == [{"ip": "192.0.2.1"}]
    slice_ = await client.get("endpointslices.discovery.k8s.io", "kubernetes", "default")
    assert slice_["ports"][0]["port"] == 6443


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "_PERIOD_S", 0.01)


@pytest.mark.usefixtures("impatient")
async def test_the_service_comes_back_with_its_address_when_it_is_deleted(client: Client) -> None:
    listed = await client.list("services", "default")
    version = listed["metadata"]["resourceVersion"]
    await client.delete("services", "kubernetes", "default")
    events = client.watch("services", "default", resource_version=version)
    kinds = [(await anext(events)) for _ in range(2)]
    assert [kind for kind, _ in kinds] == ["DELETED", "ADDED"]
    assert kinds[1][1]["spec"]["clusterIP"] == "10.96.0.1"
