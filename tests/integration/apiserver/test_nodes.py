"""Kubelets: what the API server lets them read and write."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from pilotfish.client.api import Client
from pilotfish.client.errors import ApiError
from pilotfish.cluster import pki
from pilotfish.objects.meta import Object, uid_of
from support.apiserver import RunningApiServer
from support.objects import config_map, pod

LEASES = "leases.coordination.k8s.io"


async def refused(awaitable: Any) -> str:
    """The message of a request that is refused with 403."""
    with pytest.raises(ApiError) as refusal:
        await awaitable
    assert refusal.value.code == 403, refusal.value.message
    return refusal.value.message


def node(name: str, **labels: str) -> Object:
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}


@pytest.fixture
async def kubelet(server: RunningApiServer, client: Client) -> AsyncIterator[Client]:
    """That of node-1, on which Pod `here` runs; Pod `there` runs on node-2."""
    pki.write_pki(
        server.folder / "pki", "cluster.local", [], {"node-1": "127.0.0.1", "node-2": "127.0.0.1"}
    )
    for name in ("one", "two"):
        await client.create("configmaps", config_map(name))
        account = {"apiVersion": "v1", "kind": "ServiceAccount"}
        account["metadata"] = {"name": name, "namespace": "default"}  # type: ignore[assignment]
        await client.create("serviceaccounts", account)
    for name, where, used in (("here", "node-1", "one"), ("there", "node-2", "two")):
        made = pod(name)
        made["spec"] |= {"nodeName": where, "serviceAccountName": used}
        made["spec"]["containers"][0]["envFrom"] = [{"configMapRef": {"name": used}}]
        await client.create("pods", made)
    async with Client(server.client_config(pki.node_identity("node-1"))) as kubelet:
        yield kubelet


async def test_it_reads_what_its_pods_refer_to(
    server: RunningApiServer, kubelet: Client, client: Client
) -> None:
    assert await kubelet.get("configmaps", "one", "default")
    assert await refused(kubelet.get("configmaps", "two", "default")) == (
        'configmaps "two" is forbidden: User "system:node:node-1" cannot get resource '
        '"configmaps" in API group "" in the namespace "default": no relationship found between '
        "node 'node-1' and this object"
    )
    await refused(kubelet.list("configmaps", "default"))
    await client.delete("pods", "here", "default", grace_period_s=0)
    await refused(kubelet.get("configmaps", "one", "default"))


async def test_kubectl_says_the_same(server: RunningApiServer, kubelet: Client) -> None:
    who = ("--as=system:node:node-1", "--as-group=system:nodes")
    answer = await server.kubectl("auth", "can-i", "get", "configmap/one", *who)
    assert answer == "yes\n"
    code, answer, _ = await server.try_kubectl("auth", "can-i", "get", "configmap/two", *who)
    assert code == 1
    assert answer == "no - no relationship found between node 'node-1' and this object\n"


async def test_it_sees_its_own_pods_and_its_own_node(kubelet: Client) -> None:
    listed = await kubelet.list("pods", field_selector="spec.nodeName=node-1")
    assert [item["metadata"]["name"] for item in listed["items"]] == ["here"]
    await refused(kubelet.list("pods"))
    await refused(kubelet.get("pods", "there", "default"))
    await kubelet.create("nodes", node("node-1"))
    assert await kubelet.get("nodes", "node-1")
    await refused(kubelet.list("nodes"))


async def test_it_writes_its_own_node_and_no_label_that_is_not_a_kubelets(
    kubelet: Client, client: Client
) -> None:
    assert "is not allowed to modify node" in await refused(kubelet.create("nodes", node("node-2")))
    restricted = {"node-restriction.kubernetes.io/zone": "dmz"}
    assert (
        'node "node-1" is not allowed to set the following labels: '
        "node-restriction.kubernetes.io/zone"
        in await refused(kubelet.create("nodes", node("node-1", **restricted)))
    )
    allowed = {"kubernetes.io/os": "linux", "node.kubernetes.io/x": "y", "example.com/a": "b"}
    await kubelet.create("nodes", node("node-1", **allowed))
    for labels in (restricted, {"node-role.kubernetes.io/control-plane": ""}):
        message = await refused(kubelet.patch("nodes", "node-1", {"metadata": {"labels": labels}}))
        assert "is not allowed to modify labels" in message
    taint = {"spec": {"taints": [{"key": "a", "effect": "NoSchedule"}]}}
    message = await refused(kubelet.patch("nodes", "node-1", taint))
    assert "is not allowed to modify taints" in message
    await kubelet.patch("nodes", "node-1", {"metadata": {"labels": {"example.com/a": "c"}}})
    ready = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    await kubelet.patch("nodes", "node-1", ready, subresource="status")
    await client.create("nodes", node("node-2"))
    await refused(kubelet.patch("nodes", "node-2", ready, subresource="status"))
    await refused(kubelet.delete("nodes", "node-1"))


async def test_it_renews_its_own_lease(kubelet: Client) -> None:
    def lease(name: str, namespace: str = "kube-node-lease") -> Object:
        metadata = {"name": name, "namespace": namespace}
        return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata}

    await kubelet.create(LEASES, lease("node-1"))
    await kubelet.patch(LEASES, "node-1", {"spec": {"holderIdentity": "x"}}, "kube-node-lease")
    why = "can only access node lease with the same name as the requesting node"
    assert why in await refused(kubelet.create(LEASES, lease("node-2")))
    await refused(kubelet.create(LEASES, lease("node-1", "default")))


async def test_it_writes_the_status_of_its_own_pods_and_takes_them_away(kubelet: Client) -> None:
    running = {"status": {"phase": "Running"}}
    await kubelet.patch("pods", "here", running, "default", subresource="status")
    why = "can only update pod status for pods with spec.nodeName set to itself"
    assert why in await refused(
        kubelet.patch("pods", "there", running, "default", subresource="status")
    )
    relabelled = {"metadata": {"labels": {"app": "x"}}, **running}
    here = await kubelet.patch("pods", "here", relabelled, "default", subresource="status")
    assert "labels" not in here["metadata"], "a status is no way to labels"
    await refused(kubelet.patch("pods", "here", {"metadata": {"labels": {}}}, "default"))
    assert "can only delete pods with spec.nodeName set to itself" in await refused(
        kubelet.delete("pods", "there", "default")
    )
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction"}
    eviction["metadata"] = {"name": "there", "namespace": "default"}  # type: ignore[assignment]
    path = "/api/v1/namespaces/default/pods/there/eviction"
    assert "can only evict pods" in await refused(kubelet.request("POST", path, body=eviction))
    await kubelet.delete("pods", "here", "default", grace_period_s=0)


async def test_it_creates_mirror_pods_only(kubelet: Client) -> None:
    made = await kubelet.create("nodes", node("node-1"))
    mirror = pod("static-node-1")
    mirror["spec"]["nodeName"] = "node-1"
    assert "can only create mirror pods" in await refused(kubelet.create("pods", mirror))
    mirror["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "hash"}
    assert "an owner reference set to itself" in await refused(kubelet.create("pods", mirror))
    owner = {"apiVersion": "v1", "kind": "Node", "name": "node-1", "controller": True}
    mirror["metadata"]["ownerReferences"] = [owner | {"uid": "another"}]
    assert "UID mismatch" in await refused(kubelet.create("pods", mirror))
    mirror["metadata"]["ownerReferences"] = [owner | {"uid": uid_of(made)}]
    secret = [{"name": "s", "secret": {"secretName": "s"}}]
    greedy = mirror | {"spec": mirror["spec"] | {"volumes": secret}}
    assert "can not create pods that reference secrets" in await refused(
        kubelet.create("pods", greedy)
    )
    await kubelet.create("pods", mirror)


async def test_it_gets_tokens_for_its_own_pods(kubelet: Client, client: Client) -> None:
    def request(account: str, **spec: Any) -> Object:
        return {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "metadata": {"name": account, "namespace": "default"},
            "spec": spec,
        }

    async def ask(body: Object) -> Object:
        return await kubelet.create("serviceaccounts", body, subresource="token")

    here = await client.get("pods", "here", "default")
    bound = {"apiVersion": "v1", "kind": "Pod", "name": "here", "uid": uid_of(here)}
    answer = await ask(request("one", boundObjectRef=bound))
    assert answer["status"]["token"]
    assert "no relationship found" in await refused(ask(request("two", boundObjectRef=bound)))
    assert "not bound to a pod" in await refused(ask(request("one")))
    without = {key: value for key, value in bound.items() if key != "uid"}
    assert "without a uid" in await refused(ask(request("one", boundObjectRef=without)))
    vault = request("one", boundObjectRef=bound, audiences=["vault"])
    assert 'audience "vault" not found in pod spec volume' in await refused(ask(vault))
    there = await client.get("pods", "there", "default")
    elsewhere = bound | {"name": "there", "uid": uid_of(there)}
    assert "scheduled on a different node" in await refused(
        ask(request("one", boundObjectRef=elsewhere))
    )
