"""ReplicaSets and Deployments against a real API server, driven by kubectl."""

from __future__ import annotations

from collections import Counter
from typing import Any

import yaml

from pilotfish.objects.meta import Object, controller_of, is_deleting, name_of
from pilotfish.objects.pods import is_ready
from support.late_client import LateClient


def workload(kind: str, replicas: int, name: str = "web", **spec: Any) -> Object:
    labels = {"app": name}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "c", "image": "host:1"}]},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": template,
            **spec,
        },
    }


def nodes_of(pods: list[Object]) -> Counter[str]:
    return Counter(pod["spec"].get("nodeName", "") for pod in pods)


def all_ready(number: int) -> Any:
    return lambda pods: len(pods) == number and all(is_ready(pod) for pod in pods)


async def test_a_replica_set_spreads_its_pods_and_counts_them(cluster: Any) -> None:
    await cluster.client.create("replicasets.apps", workload("ReplicaSet", 6))
    pods = await cluster.until("pods", all_ready(6))
    assert nodes_of(pods) == {"node-1": 3, "node-2": 3}
    await cluster.until_of(
        "replicasets.apps", "web", lambda rs: rs["status"].get("availableReplicas") == 6
    )


async def test_scaling_down_and_up_again_settles_at_the_wanted_number(cluster: Any) -> None:
    await cluster.client.create("replicasets.apps", workload("ReplicaSet", 20))
    await cluster.until("pods", all_ready(20))
    for replicas in (3, 12, 0, 5):
        await cluster.kubectl("scale", "rs", "web", f"--replicas={replicas}")
        pods = await cluster.until("pods", all_ready(replicas))
        assert abs(nodes_of(pods)["node-1"] - nodes_of(pods)["node-2"]) <= 1
    # Not one Pod too many was ever made; Events come a little after what they tell.
    await cluster.until("events", lambda events: told(events)["SuccessfulCreate"] >= 20 + 9 + 5)
    counts = told(await cluster.items("events"))
    assert (counts["SuccessfulCreate"], counts["SuccessfulDelete"]) == (20 + 9 + 5, 17 + 12)


def told(events: list[Object]) -> Counter[str]:
    return Counter(event["reason"] for event in events)


async def test_a_watch_that_lags_behind_leads_to_no_pod_too_many(cluster: Any) -> None:
    await cluster.start_controllers(LateClient)
    await cluster.client.create("deployments.apps", workload("Deployment", 8))
    await cluster.until("pods", all_ready(8))
    await cluster.kubectl("scale", "deployment", "web", "--replicas=3")
    await cluster.until("pods", all_ready(3))
    await cluster.kubectl("set", "image", "deployment/web", "c=host:2")
    await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    await cluster.until("pods", all_ready(3))
    await cluster.until("events", lambda events: told(events)["SuccessfulDelete"] >= 5 + 3)
    counts = told(await cluster.items("events"))
    assert (counts["SuccessfulCreate"], counts["SuccessfulDelete"]) == (8 + 3, 5 + 3)
    assert len(await cluster.items("replicasets.apps")) == 2


async def test_a_deleted_pod_is_replaced_and_a_relabelled_one_is_let_go(cluster: Any) -> None:
    await cluster.client.create("replicasets.apps", workload("ReplicaSet", 2))
    first, second = await cluster.until("pods", all_ready(2))
    await cluster.kubectl("delete", "pod", name_of(first))
    await cluster.until(
        "pods", lambda pods: all_ready(2)(pods) and name_of(first) not in map(name_of, pods)
    )
    await cluster.kubectl("label", "pod", name_of(second), "app=debug", "--overwrite")
    pods = await cluster.until("pods", all_ready(3))
    (released,) = (pod for pod in pods if name_of(pod) == name_of(second))
    assert controller_of(released) is None
    await cluster.kubectl("label", "pod", name_of(second), "app=web", "--overwrite")
    # Taken back, there is one too many.
    await cluster.until("pods", all_ready(2))


async def test_a_replication_controller_keeps_its_pods(cluster: Any) -> None:
    controller = workload("ReplicationController", 2) | {"apiVersion": "v1"}
    controller["spec"]["selector"] = {"app": "web"}
    await cluster.client.create("replicationcontrollers", controller)
    await cluster.until("pods", all_ready(2))
    await cluster.until_of(
        "replicationcontrollers", "web", lambda rc: rc["status"].get("readyReplicas") == 2
    )


async def test_a_deployment_rolls_out_back_and_again(cluster: Any) -> None:
    await cluster.client.create("deployments.apps", workload("Deployment", 4))
    await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    await cluster.kubectl("set", "image", "deployment/web", "c=host:2")
    await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    assert await images(cluster) == {"host:2": 4}
    await cluster.kubectl("rollout", "undo", "deployment/web")
    await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    assert await images(cluster) == {"host:1": 4}
    history = await cluster.kubectl("rollout", "history", "deployment/web")
    assert [line.split()[0] for line in history.splitlines()[2:] if line] == ["2", "3"]
    await cluster.kubectl("rollout", "restart", "deployment/web")
    await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    assert len(await cluster.items("replicasets.apps")) == 3


async def images(cluster: Any) -> Counter[str]:
    pods = await cluster.until("pods", lambda pods: not any(map(is_deleting, pods)))
    return Counter(pod["spec"]["containers"][0]["image"] for pod in pods)


async def test_a_broken_rollout_keeps_the_old_pods(cluster: Any) -> None:
    update = {"maxSurge": 1, "maxUnavailable": 0}
    strategy = {"type": "RollingUpdate", "rollingUpdate": update}
    await cluster.client.create("deployments.apps", workload("Deployment", 3, strategy=strategy))
    await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    # The deadline comes with the change: a busy machine's first rollout might miss it, too.
    change = {
        "progressDeadlineSeconds": 1,
        "template": {"metadata": {"labels": {"test/unready": ""}}},
    }
    await cluster.client.patch("deployments.apps", "web", {"spec": change}, "default")
    await cluster.until("pods", lambda pods: len(pods) == 4)
    failed = await cluster.until_of(
        "deployments.apps",
        "web",
        lambda web: any(
            entry["reason"] == "ProgressDeadlineExceeded" for entry in web["status"]["conditions"]
        ),
    )
    assert failed["status"]["availableReplicas"] == 3


async def test_recreate_waits_for_the_old_pods_to_be_gone(cluster: Any) -> None:
    web = workload("Deployment", 3, strategy={"type": "Recreate"})
    await cluster.client.create("deployments.apps", web)
    await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    await cluster.kubectl("set", "image", "deployment/web", "c=host:2")
    await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    assert await images(cluster) == {"host:2": 3}
    events = {
        event["message"]: event["metadata"]["creationTimestamp"]
        for event in await cluster.items("events")
        if event["reason"] == "ScalingReplicaSet"
    }
    assert [message.split()[1] for message in events] == ["up", "down", "up"]


async def test_pause_holds_a_rollout_and_history_is_bounded(cluster: Any) -> None:
    await cluster.client.create(
        "deployments.apps", workload("Deployment", 2, revisionHistoryLimit=1)
    )
    await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    await cluster.kubectl("rollout", "pause", "deployment/web")
    await cluster.kubectl("set", "image", "deployment/web", "c=host:2")
    await cluster.kubectl("scale", "deployment/web", "--replicas=3")
    pods = await cluster.until("pods", all_ready(3))
    assert {pod["spec"]["containers"][0]["image"] for pod in pods} == {"host:1"}
    await cluster.kubectl("rollout", "resume", "deployment/web")
    await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    for image in ("host:3", "host:4"):
        await cluster.kubectl("set", "image", "deployment/web", f"c={image}")
        await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    await cluster.until("replicasets.apps", lambda found: len(found) == 2)


async def test_a_pod_that_no_node_can_take_waits_until_one_can(cluster: Any) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "picky", "namespace": "default"},
        "spec": {
            "nodeSelector": {"disk": "ssd"},
            "containers": [{"name": "c", "image": "host"}],
        },
    }
    await cluster.kubectl("create", "-f", "-", "--validate=false", stdin=yaml.safe_dump(pod))
    waiting = await cluster.until_of(
        "pods", "picky", lambda pod: (pod.get("status") or {}).get("conditions")
    )
    (condition,) = (
        entry for entry in waiting["status"]["conditions"] if entry["type"] == "PodScheduled"
    )
    assert condition["status"] == "False"
    assert condition["reason"] == "Unschedulable"
    assert condition["message"].startswith(
        "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector."
    )
    await cluster.until(
        "events", lambda events: any(event["reason"] == "FailedScheduling" for event in events)
    )
    await cluster.kubectl("label", "node", "node-2", "disk=ssd")
    pods = await cluster.until("pods", all_ready(1))
    assert nodes_of(pods) == {"node-2": 1}
