"""PodDisruptionBudgets with `kubectl drain`."""

from __future__ import annotations

from typing import Any

from pilotfish.objects.meta import Object
from pilotfish.objects.pods import is_ready

LABELS = {"app": "web"}
DEPLOYMENT: Object = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": LABELS},
        "template": {
            "metadata": {"labels": LABELS},
            "spec": {"containers": [{"name": "c", "image": "host"}]},
        },
    },
}
BUDGET: Object = {
    "apiVersion": "policy/v1",
    "kind": "PodDisruptionBudget",
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {"maxUnavailable": 1, "selector": {"matchLabels": LABELS}},
}


async def test_a_node_is_drained_without_going_below_the_budget(cluster: Any) -> None:
    def both_are_ready(pods: list[Object]) -> bool:
        return sum(is_ready(pod) for pod in pods) == 2

    await cluster.client.create("deployments.apps", DEPLOYMENT)
    await cluster.client.create("poddisruptionbudgets.policy", BUDGET)
    pods = await cluster.until("pods", both_are_ready)
    await cluster.until_of(
        "poddisruptionbudgets.policy",
        "web",
        lambda budget: budget.get("status", {}).get("disruptionsAllowed") == 1,
    )
    node = pods[0]["spec"]["nodeName"]
    said = await cluster.kubectl("drain", node, "--ignore-daemonsets", "--timeout=20s")
    assert said.endswith(f"node/{node} drained\n")
    moved = await cluster.until("pods", both_are_ready)
    assert all(pod["spec"]["nodeName"] != node for pod in moved if is_ready(pod))
