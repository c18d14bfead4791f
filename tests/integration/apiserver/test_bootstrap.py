"""What every cluster has, also after somebody took it away."""

from __future__ import annotations

from datetime import date

import pytest

from pilotfish.apiserver import bootstrap
from pilotfish.client.api import Client
from pilotfish.cluster import pki
from support.apiserver import RunningApiServer


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


async def test_a_fresh_cluster_says_by_whom_its_clients_are_known(
    server: RunningApiServer, client: Client
) -> None:
    found = await client.get("configmaps", "extension-apiserver-authentication", "kube-system")
    authority = pki.cert_file(server.folder / "pki", "ca").read_text()
    assert found["data"] == {"client-ca-file": authority}
    tracking = "kube-apiserver-legacy-service-account-token-tracking"
    since = (await client.get("configmaps", tracking, "kube-system"))["data"]["since"]
    assert date.fromisoformat(since)


async def test_kubernetes_controllers_and_scheduler_may_do_their_work(
    server: RunningApiServer,
) -> None:
    async def can(who: str, *what: str) -> str:
        answer = await server.try_kubectl("auth", "can-i", *what, "-A", "--as", who)
        return answer[1].strip()

    account = "system:serviceaccount:kube-system:"
    assert await can(f"{account}deployment-controller", "create", "replicasets.apps") == "yes"
    assert await can(f"{account}deployment-controller", "create", "pods") == "no"
    assert await can(f"{account}namespace-controller", "deletecollection", "secrets") == "yes"
    assert await can("system:kube-scheduler", "create", "pods", "--subresource=binding") == "yes"
    reader = ("get", "configmaps/extension-apiserver-authentication", "-n", "kube-system")
    _, answer, _ = await server.try_kubectl(
        "auth", "can-i", *reader, "--as", "system:kube-scheduler"
    )
    assert answer == "yes\n"


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
