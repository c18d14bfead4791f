"""Pods and the objects that they refer to."""

from __future__ import annotations

import pytest

from pilotfish.client.api import Client
from pilotfish.client.errors import ApiError
from support.objects import pod


async def test_a_pod_gets_the_priority_of_its_class(client: Client) -> None:
    await client.create(
        "priorityclasses.scheduling.k8s.io",
        {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": "high"},
            "value": 1000,
        },
    )
    for name, priority in (("high", 1000), ("system-node-critical", 2_000_001_000)):
        created = await client.create("pods", pod(name, priorityClassName=name))
        assert created["spec"]["priority"] == priority
    assert (await client.create("pods", pod("plain")))["spec"]["priority"] == 0
    with pytest.raises(ApiError, match="no PriorityClass with name low was found"):
        await client.create("pods", pod("low", priorityClassName="low"))


async def test_a_pod_names_a_service_account_that_exists(client: Client) -> None:
    with pytest.raises(ApiError, match='serviceaccount "robot" not found') as refusal:
        await client.create("pods", pod("a", serviceAccountName="robot"))
    assert refusal.value.code == 403
    await client.create(
        "serviceaccounts",
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "robot", "namespace": "default"},
            "automountServiceAccountToken": False,
        },
    )
    created = await client.create("pods", pod("a", serviceAccountName="robot"))
    assert "volumes" not in created["spec"]


async def test_a_pod_gets_what_its_runtime_class_says(client: Client) -> None:
    with pytest.raises(ApiError, match='pod rejected: RuntimeClass "nope" not found') as refusal:
        await client.create("pods", pod("a", runtimeClassName="nope"))
    assert refusal.value.code == 403
    runtime = {
        "apiVersion": "node.k8s.io/v1",
        "kind": "RuntimeClass",
        "metadata": {"name": "slow"},
        "handler": "runc",
        "overhead": {"podFixed": {"memory": "64Mi"}},
        "scheduling": {"nodeSelector": {"disk": "ssd"}, "tolerations": [{"key": "slow"}]},
    }
    await client.create("runtimeclasses.node.k8s.io", runtime)
    spec = (await client.create("pods", pod("a", runtimeClassName="slow")))["spec"]
    assert spec["overhead"] == {"memory": "64Mi"}
    assert spec["nodeSelector"] == {"disk": "ssd"}
    assert {"key": "slow"} in [{"key": each.get("key")} for each in spec["tolerations"]]
    with pytest.raises(ApiError, match="conflict: runtimeClass"):
        other = pod("b", runtimeClassName="slow", nodeSelector={"disk": "tape"})
        await client.create("pods", other)
    with pytest.raises(ApiError, match="doesn't match RuntimeClass's defined Overhead"):
        await client.create("pods", pod("b", runtimeClassName="slow", overhead={"cpu": "1"}))
    with pytest.raises(ApiError, match="Pod Overhead set without corresponding RuntimeClass"):
        await client.create("pods", pod("b", overhead={"cpu": "1"}))
    await client.delete("runtimeclasses.node.k8s.io", "slow")
    with pytest.raises(ApiError, match='RuntimeClass "slow" not found'):
        await client.create("pods", pod("b", runtimeClassName="slow"))
