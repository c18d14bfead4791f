"""Writing through the API: who may write what over what, and in which words it is refused."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pilotfish.client.api import Client
from pilotfish.client.errors import AlreadyExists, ApiError, Conflict, Invalid, NotFound
from support.apiserver import running_api_server
from support.objects import config_map, pod, service


async def test_what_is_created_can_be_read_with_what_the_server_gave_it(client: Client) -> None:
    created = await client.create("services", service("a"))
    assert await client.get("services", "a", "default") == created
    assert created["metadata"].keys() >= {"uid", "creationTimestamp", "resourceVersion"}
    assert created["spec"]["clusterIP"].startswith("10.")


async def test_a_taken_name_is_refused(client: Client) -> None:
    await client.create("services", service("a"))
    with pytest.raises(AlreadyExists, match='services "a" already exists'):
        await client.create("services", service("a"))


async def test_a_missing_object_is_not_found(client: Client) -> None:
    with pytest.raises(NotFound, match=r'replicasets\.apps "a" not found') as refusal:
        await client.get("replicasets.apps", "a", "default")
    assert refusal.value.status["details"] == {"name": "a", "group": "apps", "kind": "replicasets"}


async def test_a_generated_name_begins_as_asked(client: Client) -> None:
    obj = config_map("", key="value")
    obj["metadata"] = {"generateName": "job-", "namespace": "default"}
    names = {(await client.create("configmaps", obj))["metadata"]["name"] for _ in range(3)}
    assert len(names) == 3
    assert all(name.startswith("job-") and len(name) == 9 for name in names)


async def test_an_object_without_any_name_is_invalid(client: Client) -> None:
    obj = config_map("")
    del obj["metadata"]["name"]
    with pytest.raises(Invalid, match=r"metadata\.name: Required value"):
        await client.create("configmaps", obj)


async def test_of_two_writers_who_read_the_same_version_the_second_is_refused(
    client: Client,
) -> None:
    read = await client.create("configmaps", config_map("a", n="0"))
    await client.update("configmaps", {**read, "data": {"n": "1"}})
    with pytest.raises(Conflict, match="the object has been modified"):
        await client.update("configmaps", {**read, "data": {"n": "2"}})
    assert (await client.get("configmaps", "a", "default"))["data"] == {"n": "1"}


async def test_of_many_writers_at_once_exactly_one_wins_each_version(client: Client) -> None:
    read = await client.create("configmaps", config_map("a"))
    results = await asyncio.gather(
        *(client.update("configmaps", {**read, "data": {"n": str(n)}}) for n in range(8)),
        return_exceptions=True,
    )
    assert sum(isinstance(result, Conflict) for result in results) == 7


async def test_an_update_that_changes_nothing_writes_nothing(client: Client) -> None:
    created = await client.create("configmaps", config_map("a", n="0"))
    updated = await client.update("configmaps", config_map("a", n="0"))
    assert updated["metadata"]["resourceVersion"] == created["metadata"]["resourceVersion"]


async def test_a_uid_of_another_object_stops_update_and_delete(client: Client) -> None:
    obj = await client.create("configmaps", config_map("a"))
    obj["metadata"]["uid"] = "another"
    with pytest.raises(Conflict, match="Precondition failed: UID in precondition: another"):
        await client.update("configmaps", obj)
    with pytest.raises(Conflict, match="Precondition failed: UID in precondition: another"):
        await client.delete("configmaps", "a", "default", uid="another")


async def test_a_namespace_must_exist_and_not_be_leaving(client: Client) -> None:
    with pytest.raises(NotFound, match='namespaces "b" not found'):
        await client.create("configmaps", config_map("a", "b"))
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "b"}}
    await client.create("namespaces", namespace)
    leaving = await client.delete("namespaces", "b")
    assert leaving["status"]["phase"] == "Terminating"
    with pytest.raises(ApiError, match="because it is being terminated") as refusal:
        await client.create("configmaps", config_map("a", "b"))
    assert refusal.value.code == 403
    await client.request(
        "PUT", "/api/v1/namespaces/b/finalize", body={**leaving, "spec": {"finalizers": []}}
    )
    with pytest.raises(NotFound):
        await client.get("namespaces", "b")


async def test_the_first_namespaces_cannot_be_deleted(client: Client) -> None:
    with pytest.raises(ApiError, match='"default" is forbidden: this namespace may not be'):
        await client.delete("namespaces", "default")


async def test_a_scheduled_pod_leaves_when_its_kubelet_says_so(client: Client) -> None:
    await client.create("pods", pod("a"))
    binding = {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": "a", "namespace": "default"},
        "target": {"kind": "Node", "name": "node-1"},
    }
    await client.create("pods", binding, subresource="binding")
    with pytest.raises(Conflict, match='already assigned to node "node-1"'):
        await client.create("pods", binding, subresource="binding")
    leaving = await client.delete("pods", "a", "default")
    assert leaving["metadata"]["deletionGracePeriodSeconds"] == 30
    await client.delete("pods", "a", "default", grace_period_s=0)
    with pytest.raises(NotFound):
        await client.get("pods", "a", "default")


async def test_the_last_finalizer_removes_a_deleted_object(client: Client) -> None:
    obj = config_map("a")
    obj["metadata"]["finalizers"] = ["example.com/wait"]
    await client.create("configmaps", obj)
    held = await client.delete("configmaps", "a", "default")
    assert "deletionTimestamp" in held["metadata"]
    await client.patch("configmaps", "a", {"metadata": {"finalizers": None}}, "default")
    with pytest.raises(NotFound):
        await client.get("configmaps", "a", "default")


async def test_a_dry_run_answers_as_if_and_writes_nothing(client: Client) -> None:
    path = "/api/v1/namespaces/default/services"
    answer = await client.request(
        "POST", path, {"dryRun": "All"}, service("a", clusterIP="10.96.0.77")
    )
    assert answer["spec"]["clusterIP"] == "10.96.0.77"
    with pytest.raises(NotFound):
        await client.get("services", "a", "default")
    # What it was given is free again.
    await client.create("services", service("b", clusterIP="10.96.0.77"))


async def test_a_taken_cluster_ip_or_node_port_is_refused(client: Client) -> None:
    await client.create("services", service("a", clusterIP="10.96.0.50"))
    with pytest.raises(Invalid, match="provided IP is already allocated"):
        await client.create("services", service("b", clusterIP="10.96.0.50"))
    ports = [{"port": 80, "nodePort": 30080}]
    await client.create("services", service("c", type="NodePort", ports=ports))
    with pytest.raises(Invalid, match="provided port is already allocated"):
        await client.create("services", service("d", type="NodePort", ports=ports))
    await client.delete("services", "c", "default")
    await client.create("services", service("d", type="NodePort", ports=ports))


async def test_status_and_spec_are_written_apart(client: Client) -> None:
    created = await client.create("services", service("a"))
    ingress = {"ingress": [{"ip": "192.0.2.9"}]}
    status = {**created, "spec": {"ports": [{"port": 99}]}, "status": {"loadBalancer": ingress}}
    spec_before = created["spec"]
    written = await client.update("services", status, subresource="status")
    assert written["spec"] == spec_before
    patched = await client.patch(
        "services",
        "a",
        {"status": {"loadBalancer": {}}, "metadata": {"labels": {"x": "y"}}},
        "default",
    )
    assert patched["metadata"]["labels"] == {"x": "y"}


async def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    async with running_api_server(tmp_path) as server, Client(server.client_config()) as client:
        created = await client.create("services", service("a", clusterIP="10.96.0.50"))
    async with running_api_server(tmp_path) as server, Client(server.client_config()) as client:
        assert await client.get("services", "a", "default") == created
        with pytest.raises(Invalid, match="already allocated"):
            await client.create("services", service("b", clusterIP="10.96.0.50"))


async def test_a_collection_is_deleted_by_selector(client: Client) -> None:
    for name in ("a", "b", "c"):
        obj = config_map(name)
        obj["metadata"]["labels"] = {"keep": "yes" if name == "b" else "no"}
        await client.create("configmaps", obj)
    path = "/api/v1/namespaces/default/configmaps"
    deleted = await client.request("DELETE", path, {"labelSelector": "keep=no"})
    assert [item["metadata"]["name"] for item in deleted["items"]] == ["a", "c"]
    left = await client.list("configmaps", "default")
    assert [item["metadata"]["name"] for item in left["items"]] == ["b"]
