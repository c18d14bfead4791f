"""Namespaces, garbage collection and nodes against a real API server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pilotfish.client.api import Client
from pilotfish.objects.conditions import condition
from pilotfish.objects.meta import Object, name_of
from pilotfish.objects.pods import is_ready
from support.hollow_node import hollow_node
from support.late_client import LateClient


def deployment(replicas: int = 2, namespace: str = "default", **pod: Any) -> Object:
    labels = {"app": "web"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "c", "image": "host"}], **pod},
            },
        },
    }


def ready(number: int) -> Any:
    return lambda pods: len(pods) == number and all(is_ready(pod) for pod in pods)


async def test_every_namespace_gets_an_account_and_the_clusters_authority(cluster: Any) -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    await cluster.client.create("namespaces", namespace)
    await cluster.until("serviceaccounts", lambda found: found, "shop")
    (config_map,) = await cluster.until("configmaps", lambda found: found, "shop")
    assert name_of(config_map) == "kube-root-ca.crt"
    assert config_map["data"]["ca.crt"].startswith("-----BEGIN CERTIFICATE-----")
    await cluster.client.delete("serviceaccounts", "default", "shop")
    await cluster.until("serviceaccounts", lambda found: found, "shop")


async def test_a_deleted_namespace_takes_all_that_is_in_it(cluster: Any) -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    await cluster.client.create("namespaces", namespace)
    await cluster.until("serviceaccounts", lambda found: found, "shop")
    await cluster.client.create("deployments.apps", deployment(namespace="shop"))
    await cluster.until("pods", ready(2), "shop")
    await cluster.kubectl("delete", "namespace", "shop", "--timeout=60s")
    for resource in ("pods", "replicasets.apps", "deployments.apps", "configmaps"):
        assert await cluster.items(resource, "shop") == []


async def test_a_namespace_says_what_holds_it_and_goes_when_that_is_gone(cluster: Any) -> None:
    client = cluster.client
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    await client.create("namespaces", namespace)
    metadata = {"name": "held", "namespace": "shop", "finalizers": ["example.com/hold"]}
    await client.create(
        "configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
    )
    await client.delete("namespaces", "shop")

    def is_told(namespaces: list[Object]) -> bool:
        (shop,) = (entry for entry in namespaces if name_of(entry) == "shop")
        entry = condition(shop, "NamespaceFinalizersRemaining")
        return entry is not None and "example.com/hold" in entry["message"]

    await cluster.until("namespaces", is_told, "")
    await client.patch("configmaps", "held", {"metadata": {"finalizers": None}}, "shop")
    await cluster.until(
        "namespaces", lambda found: "shop" not in [name_of(entry) for entry in found], ""
    )


async def test_deleting_an_owner_takes_its_dependents_in_the_background(cluster: Any) -> None:
    await cluster.client.create("deployments.apps", deployment())
    await cluster.until("pods", ready(2))
    await cluster.kubectl("delete", "deployment", "web")
    await cluster.until("replicasets.apps", lambda found: not found)
    await cluster.until("pods", lambda found: not found)


async def test_foreground_deletion_ends_with_the_owner(cluster: Any) -> None:
    await cluster.client.create("deployments.apps", deployment())
    await cluster.until("pods", ready(2))
    await cluster.kubectl("delete", "deployment", "web", "--cascade=foreground", "--timeout=60s")
    assert await cluster.items("pods") == []
    assert await cluster.items("replicasets.apps") == []


async def test_orphaned_pods_stay_and_are_taken_over_by_a_successor(cluster: Any) -> None:
    await cluster.client.create("deployments.apps", deployment())
    before = {name_of(pod) for pod in await cluster.until("pods", ready(2))}
    await cluster.kubectl("delete", "deployment", "web", "--cascade=orphan", "--timeout=60s")
    (orphan,) = await cluster.items("replicasets.apps")
    assert "ownerReferences" not in orphan["metadata"]
    await cluster.client.create("deployments.apps", deployment())
    await cluster.until(
        "replicasets.apps", lambda found: found[0]["metadata"].get("ownerReferences")
    )
    assert {name_of(pod) for pod in await cluster.until("pods", ready(2))} == before


async def test_orphaned_pods_survive_watches_that_lag_behind(cluster: Any) -> None:
    await cluster.start_controllers(LateClient)
    await cluster.client.create("deployments.apps", deployment(4))
    before = {name_of(pod) for pod in await cluster.until("pods", ready(4))}
    (owner,) = await cluster.items("replicasets.apps")
    await cluster.kubectl("delete", "deployment", "web", "--cascade=orphan", "--timeout=60s")
    await cluster.kubectl(
        "delete", "replicaset", name_of(owner), "--cascade=orphan", "--timeout=60s"
    )
    pods = await cluster.until(
        "pods", lambda found: not any(pod["metadata"].get("ownerReferences") for pod in found)
    )
    assert {name_of(pod) for pod in pods} == before
    await asyncio.sleep(1)
    assert {name_of(pod) for pod in await cluster.items("pods")} == before


async def test_an_object_whose_owner_never_was_is_collected(cluster: Any) -> None:
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "ghost", "uid": "none"}
    metadata = {"name": "child", "namespace": "default", "ownerReferences": [reference]}
    child = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
    await cluster.client.create("secrets", child)
    await cluster.until("secrets", lambda found: not found)


async def test_nodes_get_ranges_of_their_own(cluster: Any) -> None:
    nodes = await cluster.until(
        "nodes", lambda found: all(node["spec"].get("podCIDR") for node in found), ""
    )
    assert {name_of(node): node["spec"]["podCIDR"] for node in nodes} == {
        "node-1": "10.244.0.0/24",
        "node-2": "10.244.1.0/24",
    }


async def test_a_silent_node_is_marked_and_loses_its_pods(cluster: Any) -> None:
    async with Client(cluster.server.client_config()) as client:
        impatient = {
            "key": "node.kubernetes.io/unreachable",
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": 1,
        }
        pinned = deployment(
            1, tolerations=[impatient], nodeSelector={"kubernetes.io/hostname": "node-3"}
        )
        async with hollow_node(client, "node-3"):
            await cluster.client.create("deployments.apps", pinned)
            (pod,) = await cluster.until("pods", ready(1))
        # The node is silent now; the others go on reporting.
        await cluster.until(
            "nodes",
            lambda found: (
                {name_of(node): (condition(node, "Ready") or {})["status"] for node in found}
                == {"node-1": "True", "node-2": "True", "node-3": "Unknown"}
            ),
            "",
        )
        await cluster.until(
            "pods",
            lambda found: any(
                name_of(other) == name_of(pod)
                and not is_ready(other)
                and "deletionTimestamp" in other["metadata"]
                for other in found
            ),
        )
        node = await client.get("nodes", "node-3")
        assert {taint["effect"] for taint in node["spec"]["taints"]} == {"NoSchedule", "NoExecute"}
        # It reports again: the taints go.
        async with hollow_node(client, "node-3"):
            await cluster.until(
                "nodes", lambda found: not any(node["spec"].get("taints") for node in found), ""
            )
            await cluster.until("pods", ready(1))


@pytest.mark.parametrize("deleted", [False, True])
async def test_the_processes_of_a_node_that_is_gone_leave_their_services(
    cluster: Any, deleted: bool
) -> None:
    def slice_of(name: str, **endpoint: Any) -> Object:
        return {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": name, "namespace": "default"},
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["192.0.2.7"], **endpoint}],
        }

    slices = "endpointslices.discovery.k8s.io"
    pod = {"kind": "Pod", "name": "p", "namespace": "default"}
    async with (
        Client(cluster.server.client_config()) as client,
        hollow_node(client, "node-3"),
    ):
        await cluster.until("nodes", lambda found: len(found) == 3, "")
        for made in (
            slice_of("of-the-node", nodeName="node-3"),
            slice_of("of-a-pod", nodeName="node-3", targetRef=pod),
            slice_of("of-another", nodeName="node-1"),
        ):
            await client.create(slices, made)
    # The node is silent now.
    if deleted:
        await cluster.client.delete("nodes", "node-3")
    found = await cluster.until(
        slices, lambda found: "of-the-node" not in {name_of(each) for each in found}
    )
    assert {"of-a-pod", "of-another"} <= {name_of(each) for each in found}


async def test_pods_of_a_deleted_node_are_removed(cluster: Any) -> None:
    async with Client(cluster.server.client_config()) as client:
        pinned = deployment(1, nodeSelector={"kubernetes.io/hostname": "node-3"})
        async with hollow_node(client, "node-3"):
            await cluster.client.create("deployments.apps", pinned)
            (pod,) = await cluster.until("pods", ready(1))
        await cluster.client.delete("nodes", "node-3")
        await cluster.until(
            "pods", lambda found: name_of(pod) not in [name_of(other) for other in found]
        )


async def test_controllers_that_die_in_the_middle_make_not_one_pod_too_many(cluster: Any) -> None:
    await cluster.client.create("deployments.apps", deployment(30))
    for _ in range(3):
        await asyncio.sleep(0.05)
        await cluster.start_controllers()
    pods = await cluster.until("pods", ready(30))
    await cluster.start_controllers()
    await cluster.until_of(
        "deployments.apps", "web", lambda web: web["status"].get("readyReplicas") == 30
    )
    assert {name_of(pod) for pod in await cluster.items("pods")} == {name_of(pod) for pod in pods}
    events = await cluster.items("events")
    assert not any(event["reason"] == "SuccessfulDelete" for event in events)
