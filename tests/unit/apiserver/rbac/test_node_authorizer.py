"""What a kubelet may do, by the Pods on its node."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pilotfish.apiserver.authentication import User
from pilotfish.apiserver.collection import Collection
from pilotfish.apiserver.rbac.attributes import Attributes
from pilotfish.apiserver.rbac.node_authorizer import NodeAuthorizer, node_of
from pilotfish.apiserver.rbac.pod_references import references
from pilotfish.apiserver.registry import Registry
from pilotfish.apiserver.store.embedded import EmbeddedStore
from pilotfish.objects.meta import Object

LEASES, LEASE_NAMESPACE = "coordination.k8s.io", "kube-node-lease"
UNRELATED = "no relationship found between node 'node-1' and this object"
SPEC: dict[str, Any] = {
    "serviceAccountName": "robot",
    "imagePullSecrets": [{"name": "pull"}],
    "initContainers": [
        {"name": "i", "env": [{"valueFrom": {"secretKeyRef": {"name": "init-env", "key": "k"}}}]}
    ],
    "containers": [
        {
            "name": "c",
            "env": [
                {"name": "plain", "value": "x"},
                {"valueFrom": {"configMapKeyRef": {"name": "env", "key": "k"}}},
            ],
            "envFrom": [{"secretRef": {"name": "from"}}, {"configMapRef": {"name": "from"}}],
        }
    ],
    "volumes": [
        {"name": "a", "secret": {"secretName": "mounted"}},
        {"name": "b", "configMap": {"name": "mounted"}},
        {"name": "c", "persistentVolumeClaim": {"claimName": "claim"}},
        {"name": "d", "ephemeral": {"volumeClaimTemplate": {}}},
        {
            "name": "e",
            "projected": {
                "sources": [
                    {"serviceAccountToken": {"path": "token"}},
                    {"secret": {"name": "projected"}},
                    {"configMap": {"name": "projected"}},
                ]
            },
        },
        {"name": "f", "emptyDir": {}},
    ],
}


def pod(name: str, node: str = "", spec: Object | None = None) -> Object:
    obj: Object = {"metadata": {"name": name, "namespace": "a"}, "spec": dict(spec or SPEC)}
    if node:
        obj["spec"]["nodeName"] = node
    return obj


@pytest.fixture
async def registry(tmp_path: Path) -> AsyncIterator[Registry]:
    registry = Registry(EmbeddedStore(tmp_path / "store.db"))
    await registry.start()
    yield registry
    await registry.stop()


def get(resource: str, name: str, verb: str = "get", namespace: str = "a") -> Attributes:
    return Attributes(verb, "", resource, "", namespace, name)


def test_a_pods_references_are_all_that_it_names() -> None:
    found = references(pod("p"))
    assert found == {
        ("pods", "a/p"),
        ("serviceaccounts", "a/robot"),
        *(("secrets", f"a/{n}") for n in ("pull", "init-env", "from", "mounted", "projected")),
        *(("configmaps", f"a/{n}") for n in ("env", "from", "mounted", "projected")),
        ("persistentvolumeclaims", "a/claim"),
        ("persistentvolumeclaims", "a/p-d"),
    }


def test_a_mirror_pod_gives_its_node_nothing() -> None:
    mirror = pod("p")
    mirror["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "x"}
    assert references(mirror) == {("pods", "a/p")}


@pytest.mark.parametrize(
    ("user", "node"),
    [
        (User("system:node:node-1", ("system:nodes",)), "node-1"),
        (User("system:node:node-1", ("others",)), ""),
        (User("node-1", ("system:nodes",)), ""),
        (User("system:node:", ("system:nodes",)), ""),
    ],
)
def test_a_kubelet_is_known_by_name_and_group(user: User, node: str) -> None:
    assert node_of(user) == node


async def test_rights_come_and_go_with_the_pods_of_the_node(registry: Registry) -> None:
    authorizer = NodeAuthorizer(registry)
    secret = get("secrets", "mounted")
    await registry.put("pods", pod("early", "node-1"))
    assert authorizer.objection("node-1", secret) is None
    assert authorizer.objection("node-2", secret) == UNRELATED.replace("node-1", "node-2")
    await registry.put("pods", pod("late"))
    await registry.put("pods", pod("late", "node-2"))
    assert authorizer.objection("node-2", secret) is None
    await registry.put("pods", pod("another", "node-1"))
    await registry.remove("pods", pod("early", "node-1"))
    assert authorizer.objection("node-1", secret) is None, "another Pod still needs it"
    await registry.remove("pods", pod("another", "node-1"))
    assert authorizer.objection("node-1", secret) == UNRELATED
    assert authorizer.objection("node-2", secret) is None


async def test_a_pods_later_writes_cost_the_graph_nothing(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    authorizer = NodeAuthorizer(registry)
    await registry.put("pods", pod("p", "node-1"))
    assert authorizer.objection("node-1", get("secrets", "pull")) is None
    monkeypatch.setattr(Collection, "select", None)
    monkeypatch.setattr("pilotfish.apiserver.rbac.node_graph.references", None)
    await registry.put("pods", pod("p", "node-1") | {"status": {"phase": "Running"}})
    await registry.put("pods", pod("elsewhere", "node-9"))
    assert authorizer.objection("node-1", get("secrets", "pull")) is None


async def test_what_was_missed_is_learnt_anew(registry: Registry) -> None:
    authorizer = NodeAuthorizer(registry)
    await registry.put("pods", pod("p", "node-1"))
    assert authorizer.objection("node-1", get("secrets", "pull")) is None
    pods = registry.collection("pods")
    # Of a shared store, only the difference may be seen: the Pod is another one by now.
    pods.watchers, watchers = set(), pods.watchers
    await registry.put("pods", pod("p", "node-1", {"containers": []}))
    for watcher in watchers:
        watcher.resume([])
    assert authorizer.objection("node-1", get("secrets", "pull")) == UNRELATED


async def test_a_volume_is_related_by_its_claim(registry: Registry) -> None:
    authorizer = NodeAuthorizer(registry)
    await registry.put("pods", pod("p", "node-1"))
    for name, claim in (("mine", "claim"), ("other", "unknown")):
        volume = {
            "metadata": {"name": name},
            "spec": {"claimRef": {"namespace": "a", "name": claim}},
        }
        await registry.put("persistentvolumes", volume)
    assert authorizer.objection("node-1", get("persistentvolumes", "mine", namespace="")) is None
    for name in ("other", "none"):
        asked = get("persistentvolumes", name, namespace="")
        assert authorizer.objection("node-1", asked) == UNRELATED


OWN_PODS = Attributes("list", "", "pods", field_selector="spec.nodeName=node-1")


@pytest.mark.parametrize(
    ("asked", "objection"),
    [
        (get("secrets", "", "list"), "No Object name found"),
        (get("secrets", "pull", "watch"), None),
        (get("secrets", "pull", "update"), "can only read resources of this type"),
        (get("secrets", "pull", namespace=""), "can only read namespaced object of this type"),
        (get("secrets", "env"), UNRELATED),
        (get("configmaps", "env"), None),
        (get("persistentvolumeclaims", "claim"), None),
        (
            get("persistentvolumeclaims", "claim", "list"),
            "can only get individual resources of this type",
        ),
        (Attributes("create", "", "serviceaccounts", "token", "a", "robot"), None),
        (Attributes("create", "", "serviceaccounts", "token", "a", "other"), UNRELATED),
        (get("pods", "p"), None),
        (get("pods", "q"), UNRELATED),
        (OWN_PODS, None),
        (OWN_PODS._replace(verb="watch", field_selector="spec.nodeName==node-1"), None),
        (
            OWN_PODS._replace(field_selector="spec.nodeName=node-2"),
            "can only list/watch pods with spec.nodeName field selector",
        ),
        (
            OWN_PODS._replace(field_selector="spec.nodeName!=node-1"),
            "can only list/watch pods with spec.nodeName field selector",
        ),
        (get("nodes", "node-1", namespace=""), None),
        (
            get("nodes", "node-2", namespace=""),
            "node 'node-1' cannot read 'node-2', only its own Node object",
        ),
        (
            get("nodes", "", "list", namespace=""),
            "node 'node-1' cannot read all nodes, only its own Node object",
        ),
        (Attributes("update", LEASES, "leases", "", LEASE_NAMESPACE, "node-1"), None),
        (
            Attributes("update", LEASES, "leases", "", LEASE_NAMESPACE, "node-2"),
            "can only access node lease with the same name as the requesting node",
        ),
        (
            Attributes("update", LEASES, "leases", "", "a", "node-1"),
            'can only access leases in the "kube-node-lease" system namespace',
        ),
        (get("services", "", "list", namespace=""), None),
        (get("namespaces", "a"), ""),
        (Attributes("update", "apps", "deployments", "", "a", "d"), ""),
        (Attributes("get", path="/metrics"), ""),
    ],
)
async def test_each_resource_has_its_rule(
    registry: Registry, asked: Attributes, objection: str | None
) -> None:
    await registry.put("pods", pod("p", "node-1"))
    assert NodeAuthorizer(registry).objection("node-1", asked) == objection
