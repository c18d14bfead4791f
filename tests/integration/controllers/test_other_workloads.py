"""DaemonSets, StatefulSets and Jobs against a real API server, driven by kubectl."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.client.api import Client
from pilotfish.objects.meta import Object, is_deleting, name_of
from pilotfish.objects.pods import is_ready
from support.hollow_node import finish, hollow_node


def workload(kind: str, name: str, **spec: Any) -> Object:
    labels = {"app": name}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "c", "image": "host:1"}]},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"selector": {"matchLabels": labels}, "template": template, **spec},
    }


def job(name: str = "sums", **spec: Any) -> Object:
    pod = {"restartPolicy": "Never", "containers": [{"name": "c", "image": "host"}]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"template": {"spec": pod}, **spec},
    }


def where(pods: list[Object]) -> dict[str, str]:
    """The image on each node."""
    return {
        pod["spec"].get("nodeName", ""): pod["spec"]["containers"][0]["image"]
        for pod in pods
        if is_ready(pod)
    }


async def test_a_daemon_set_follows_the_nodes_and_rolls_out_and_back(cluster: Any) -> None:
    await cluster.client.create("daemonsets.apps", workload("DaemonSet", "agent"))
    await cluster.until(
        "pods", lambda pods: where(pods) == {"node-1": "host:1", "node-2": "host:1"}
    )
    async with Client(cluster.server.client_config()) as client, hollow_node(client, "node-3"):
        await cluster.until("pods", lambda pods: "node-3" in where(pods))
    await cluster.client.delete("nodes", "node-3")
    await cluster.until("pods", lambda pods: len(pods) == 2)
    await cluster.kubectl("set", "image", "daemonset/agent", "c=host:2")
    await cluster.kubectl("rollout", "status", "daemonset/agent", "--timeout=60s")
    await cluster.until(
        "pods", lambda pods: where(pods) == {"node-1": "host:2", "node-2": "host:2"}
    )
    await cluster.kubectl("rollout", "undo", "daemonset/agent")
    await cluster.kubectl("rollout", "status", "daemonset/agent", "--timeout=60s")
    await cluster.until(
        "pods", lambda pods: where(pods) == {"node-1": "host:1", "node-2": "host:1"}
    )
    history = await cluster.kubectl("rollout", "history", "daemonset/agent")
    assert [line.split()[0] for line in history.splitlines()[2:] if line] == ["2", "3"]


async def test_a_stateful_set_numbers_its_pods_and_replaces_them_in_order(cluster: Any) -> None:
    db = workload("StatefulSet", "db", replicas=3, serviceName="db")
    await cluster.client.create("statefulsets.apps", db)
    await cluster.kubectl("rollout", "status", "statefulset/db", "--timeout=60s")
    pods = await cluster.items("pods")
    assert [name_of(pod) for pod in sorted(pods, key=name_of)] == ["db-0", "db-1", "db-2"]
    created = {name_of(pod): int(pod["metadata"]["resourceVersion"]) for pod in pods}
    assert created["db-0"] < created["db-1"] < created["db-2"]
    assert pods[0]["spec"]["hostname"] == name_of(pods[0])
    assert pods[0]["spec"]["subdomain"] == "db"

    # kubectl's own wait goes by the name, and the next Pod of this name comes at once.
    (old,) = (pod["metadata"]["uid"] for pod in pods if name_of(pod) == "db-1")
    await cluster.kubectl("delete", "pod", "db-1", "--wait=false")
    await cluster.until(
        "pods",
        lambda pods: (
            len(pods) == 3
            and all(map(is_ready, pods))
            and old not in {pod["metadata"]["uid"] for pod in pods}
        ),
    )
    await cluster.kubectl("set", "image", "statefulset/db", "c=host:2")
    await cluster.kubectl("rollout", "status", "statefulset/db", "--timeout=60s")
    pods = await cluster.items("pods")
    assert {pod["spec"]["containers"][0]["image"] for pod in pods} == {"host:2"}
    await cluster.kubectl("rollout", "undo", "statefulset/db")
    await cluster.kubectl("rollout", "status", "statefulset/db", "--timeout=60s")
    await cluster.kubectl("scale", "statefulset/db", "--replicas=1")
    pods = await cluster.until("pods", lambda pods: len(pods) == 1)
    assert name_of(pods[0]) == "db-0"
    assert pods[0]["spec"]["containers"][0]["image"] == "host:1"


@pytest.mark.parametrize("mode", ["NonIndexed", "Indexed"])
async def test_a_job_runs_until_enough_have_succeeded(cluster: Any, mode: str) -> None:
    await cluster.client.create(
        "jobs.batch", job(completions=4, parallelism=2, completionMode=mode)
    )
    finished: set[str] = set()
    while len(finished) < 4:
        pods = await cluster.until(
            "pods", lambda pods: any(is_ready(pod) and name_of(pod) not in finished for pod in pods)
        )
        running = [pod for pod in pods if is_ready(pod) and name_of(pod) not in finished]
        assert len(running) <= 2
        await finish(cluster.client, running[0], "Succeeded")
        finished.add(name_of(running[0]))
    await cluster.kubectl("wait", "--for=condition=complete", "job/sums", "--timeout=60s")
    done = await cluster.client.get("jobs.batch", "sums", "default")
    assert done["status"]["succeeded"] == 4
    assert done["status"].get("active", 0) == 0
    if mode == "Indexed":
        assert done["status"]["completedIndexes"] == "0-3"
    pods = await cluster.until(
        "pods", lambda pods: not any(pod["metadata"].get("finalizers") for pod in pods)
    )
    assert len(pods) == 4
    await cluster.kubectl("delete", "job", "sums")
    await cluster.until("pods", lambda pods: not pods)


async def test_a_job_that_fails_too_often_is_given_up(cluster: Any) -> None:
    await cluster.client.create("jobs.batch", job(backoffLimit=0))
    (pod,) = await cluster.until("pods", lambda pods: len(pods) == 1 and is_ready(pods[0]))
    await finish(cluster.client, pod, "Failed")
    await cluster.kubectl("wait", "--for=condition=failed", "job/sums", "--timeout=60s")
    events = await cluster.until(
        "events", lambda found: any(e["reason"] == "BackoffLimitExceeded" for e in found)
    )
    assert any(e["message"] == "Job has reached the specified backoff limit" for e in events)
    assert len(await cluster.items("pods")) == 1


async def test_a_job_that_is_deleted_leaves_no_pod_behind(cluster: Any) -> None:
    await cluster.client.create("jobs.batch", job(parallelism=3))
    await cluster.until("pods", lambda pods: len(pods) == 3 and all(map(is_ready, pods)))
    await cluster.kubectl("delete", "job", "sums", "--cascade=foreground", "--timeout=60s")
    assert not [pod for pod in await cluster.items("pods") if not is_deleting(pod)]


async def test_a_cron_job_starts_jobs_and_notes_what_became_of_them(cluster: Any) -> None:
    made = job("tick")
    made["kind"] = "CronJob"
    made["spec"] = {
        "schedule": "@every 1s",
        "concurrencyPolicy": "Forbid",
        "jobTemplate": {"spec": made["spec"]},
    }
    await cluster.client.create("cronjobs.batch", made)
    (pod,) = await cluster.until("pods", lambda pods: len(pods) == 1)
    (cron_job,) = await cluster.until(
        "cronjobs.batch", lambda found: "active" in found[0].get("status", {})
    )
    (run,) = (await cluster.client.list("jobs.batch"))["items"]
    assert cron_job["status"]["active"][0]["uid"] == run["metadata"]["uid"]
    assert name_of(run).startswith("tick-")
    await finish(cluster.client, pod, "Succeeded")
    await cluster.until(
        "cronjobs.batch", lambda found: "lastSuccessfulTime" in found[0].get("status", {})
    )
    await cluster.client.delete("cronjobs.batch", "tick", "default")
    await cluster.until("jobs.batch", lambda found: not found)
