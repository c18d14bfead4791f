"""Each kubectl at hand, old and new, driving the verbs that differ between them."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from pilotfish.client.api import Client
from pilotfish.objects.meta import Object
from support.apiserver import RunningApiServer
from support.kubectls import KUBECTLS
from support.objects import pod, replica_set, service

MANIFEST = yaml.safe_dump_all([service("web"), replica_set("web", 2)])


@dataclass
class Kubectl:
    """One kubectl, as administrator."""

    server: RunningApiServer
    binary: str

    async def __call__(self, *arguments: str, stdin: str = "") -> str:
        return await self.server.kubectl(*arguments, stdin=stdin, binary=self.binary)

    async def attempt(self, *arguments: str, stdin: str = "") -> tuple[int, str, str]:
        return await self.server.try_kubectl(*arguments, stdin=stdin, binary=self.binary)

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        """One that runs until it is killed."""
        return await asyncio.create_subprocess_exec(
            self.binary,
            *arguments,
            env=os.environ | {"KUBECONFIG": str(self.server.kubeconfig)},
            stdout=asyncio.subprocess.PIPE,
        )

    async def start_watching(self, *arguments: str) -> asyncio.subprocess.Process:
        """One that runs until it is killed; when this returns, it watches."""
        process = await asyncio.create_subprocess_exec(
            self.binary,
            "-v=6",
            *arguments,
            env=os.environ | {"KUBECONFIG": str(self.server.kubeconfig)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stderr is not None
        async with asyncio.timeout(60):
            while b"watch=true" not in await process.stderr.readline():
                assert process.returncode is None
        return process

    async def version(self) -> int:
        """Its minor version."""
        told = json.loads(await self("version", "--client", "-o", "json"))
        return int(told["clientVersion"]["minor"].rstrip("+"))


@pytest.fixture(params=KUBECTLS)
async def kubectl(server: RunningApiServer, request: pytest.FixtureRequest) -> Kubectl:
    return Kubectl(server, request.param)


async def lines(process: asyncio.subprocess.Process) -> AsyncIterator[str]:
    assert process.stdout is not None
    async with asyncio.timeout(60):
        async for line in process.stdout:
            yield line.decode()


async def made(client: Client, *objects: tuple[str, Object]) -> None:
    for resource, obj in objects:
        await client.create(resource, obj)


async def test_objects_are_created_changed_in_every_way_and_deleted(kubectl: Kubectl) -> None:
    await kubectl("create", "-f", "-", stdin=MANIFEST)
    changed = yaml.safe_dump(service("web", ports=[{"port": 81}]))
    assert "replaced" in await kubectl("replace", "-f", "-", stdin=changed)
    for kind, patch in (
        ("strategic", '{"metadata": {"labels": {"a": "1"}}}'),
        ("merge", '{"metadata": {"labels": {"b": "1"}}}'),
        ("json", '[{"op": "add", "path": "/metadata/labels/c", "value": "1"}]'),
    ):
        assert "patched" in await kubectl("patch", "svc", "web", f"--type={kind}", "-p", patch)
    await kubectl("label", "svc", "web", "a-")
    await kubectl("annotate", "svc", "web", "x=y")
    await kubectl("scale", "rs", "web", "--replicas=0")
    shown = json.loads(await kubectl("get", "svc/web", "rs/web", "-o", "json"))
    metadata = shown["items"][0]["metadata"]
    assert (metadata["labels"], metadata["annotations"]) == ({"b": "1", "c": "1"}, {"x": "y"})
    assert shown["items"][1]["spec"]["replicas"] == 0
    assert "81/TCP" in await kubectl("get", "svc", "-o", "wide")
    assert "Port:" in await kubectl("describe", "svc", "web")
    assert "deleted" in await kubectl("delete", "svc,rs", "--all")


async def test_objects_applied_by_the_client_can_be_applied_by_the_server(
    kubectl: Kubectl, client: Client
) -> None:
    """From 1.26 on kubectl hands the fields over; before, they stay the older manager's too."""
    manifest = service("web", ports=[{"port": 80, "protocol": "TCP"}])
    manifest["metadata"]["labels"] = {"gone": "soon", "kept": "yes", "changed": "no"}
    await kubectl("apply", "-f", "-", stdin=yaml.safe_dump(manifest))
    manifest["metadata"]["labels"] = {"kept": "yes", "changed": "yes"}
    applied = await kubectl("apply", "--server-side", "-f", "-", stdin=yaml.safe_dump(manifest))
    assert "serverside-applied" in applied
    live = await client.get("services", "web", "default")
    managers = {each["manager"]: each for each in live["metadata"]["managedFields"]}
    assert managers["kubectl"]["operation"] == "Apply"
    if await kubectl.version() >= 26:
        assert "kubectl-client-side-apply" not in managers
        assert live["metadata"]["labels"] == {"kept": "yes", "changed": "yes"}
    another = {**manifest, "spec": {"ports": [{"port": 80, "protocol": "TCP", "targetPort": 81}]}}
    other = ("apply", "--server-side", "--field-manager=other", "-f", "-")
    force = "--force-conflicts"
    await kubectl("apply", "--server-side", force, "-f", "-", stdin=yaml.safe_dump(another))
    another["spec"]["ports"][0]["targetPort"] = 82
    code, _, errors = await kubectl.attempt(*other, stdin=yaml.safe_dump(another))
    assert code == 1
    assert 'conflict with "kubectl"' in errors
    await kubectl(*other, force, stdin=yaml.safe_dump(another))


async def test_diff_tells_what_apply_would_do(kubectl: Kubectl) -> None:
    await kubectl("apply", "-f", "-", stdin=MANIFEST)
    code, _, _ = await kubectl.attempt("diff", "-f", "-", stdin=MANIFEST)
    assert code == 0
    labelled = service("web")
    labelled["metadata"]["labels"] = {"new": "label"}
    changed = yaml.safe_dump(labelled)
    for how in ((), ("--server-side", "--force-conflicts")):
        code, output, errors = await kubectl.attempt("diff", *how, "-f", "-", stdin=changed)
        assert (code, errors) == (1, "")
        assert "+    new: label" in output


async def test_a_watch_shows_what_happens_and_wait_ends_with_it(
    kubectl: Kubectl, client: Client
) -> None:
    await made(client, ("pods", pod("a", nodeName="node-1")))
    watching = await kubectl.start("get", "pods", "-w", "--no-headers", "-o", "wide")
    waiting = await kubectl.start("wait", "--for=condition=Ready", "pod/a", "--timeout=60s")
    told = lines(watching)
    assert (await anext(told)).split()[:3] == ["a", "0/1", "Pending"]
    live = await client.get("pods", "a", "default")
    live["status"] |= {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [
            {"name": "main", "ready": True, "restartCount": 0, "state": {"running": {}}}
        ],
    }
    await client.update("pods", live, subresource="status")
    assert (await anext(told)).split()[:3] == ["a", "1/1", "Running"]
    assert "condition met" in await anext(lines(waiting))
    gone = await kubectl.start_watching("wait", "--for=delete", "pod/a", "--timeout=60s")
    await client.delete("pods", "a", "default", grace_period_s=0)
    assert "condition met" in await anext(lines(gone)) or await gone.wait() == 0
    for process in (watching, waiting, gone):
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_rollouts_are_followed_restarted_and_told(kubectl: Kubectl, client: Client) -> None:
    await kubectl("create", "deployment", "d", "--image=host")
    follow = await kubectl.start_watching("rollout", "status", "deployment/d", "--timeout=60s")
    live = await client.get("deployments.apps", "d", "default")
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 1)
    live["status"] = counts | {"observedGeneration": 1}
    await client.update("deployments.apps", live, subresource="status")
    told = [line async for line in lines(follow)]
    assert "successfully rolled out" in told[-1]
    assert "restarted" in await kubectl("rollout", "restart", "deployment/d")
    assert "paused" in await kubectl("rollout", "pause", "deployment/d")
    assert "resumed" in await kubectl("rollout", "resume", "deployment/d")
    assert "image updated" in await kubectl("set", "image", "deployment/d", "host=other")
    assert "autoscaled" in await kubectl("autoscale", "deployment/d", "--max=3")


async def test_the_proxy_serves_the_api_on_a_port_of_its_own(kubectl: Kubectl) -> None:
    process = await kubectl.start("proxy", "--port=0")
    address = (await anext(lines(process))).split()[-1]
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://{address}/api/v1/namespaces/default") as response,
    ):
        assert (await response.json())["metadata"]["name"] == "default"
    process.kill()
    await process.wait()


async def test_kustomizations_are_built_and_applied(kubectl: Kubectl, tmp_path: Path) -> None:
    folder = tmp_path / "kustomized"
    folder.mkdir()
    (folder / "service.yaml").write_text(yaml.safe_dump(service("web")))
    kustomization: dict[str, Any] = {
        "namePrefix": "my-",
        "resources": ["service.yaml"],
        "configMapGenerator": [{"name": "settings", "literals": ["a=b"]}],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    assert "name: my-web" in await kubectl("kustomize", str(folder))
    assert "service/my-web created" in await kubectl("apply", "-k", str(folder))
    assert "my-settings-" in await kubectl("get", "-k", str(folder), "-o", "name")
    await kubectl("delete", "-k", str(folder))


async def test_roles_are_reconciled_and_subjects_asked_about(kubectl: Kubectl) -> None:
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "r", "namespace": "default"},
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
    }
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "b", "namespace": "default"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"},
        "subjects": [{"kind": "ServiceAccount", "name": "sa", "namespace": "default"}],
    }
    manifest = yaml.safe_dump_all([role, binding])
    assert "reconciled" in await kubectl("auth", "reconcile", "-f", "-", stdin=manifest)
    role["rules"][0]["verbs"] = ["list"]  # type: ignore[index]
    await kubectl("auth", "reconcile", "-f", "-", stdin=yaml.safe_dump(role))
    sa = "--as=system:serviceaccount:default:sa"
    for verb in ("get", "list"):
        assert await kubectl("auth", "can-i", verb, "pods", sa) == "yes\n"
    code, output, _ = await kubectl.attempt("auth", "can-i", "delete", "pods", sa)
    assert (code, output) == (1, "no\n")
    assert "pods" in await kubectl("auth", "can-i", "--list", sa)


async def test_nodes_are_cordoned_tainted_and_drained(kubectl: Kubectl, client: Client) -> None:
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"}}
    await made(client, ("nodes", node), ("pods", pod("a", nodeName="node-1")))
    assert "cordoned" in await kubectl("cordon", "node-1")
    assert "tainted" in await kubectl("taint", "nodes", "node-1", "a=b:NoSchedule")
    drain = await kubectl.start("drain", "node-1", "--force", "--timeout=60s")
    async with asyncio.timeout(10):
        async for kind, each in client.watch("pods", "default"):
            if kind == "MODIFIED" and "deletionTimestamp" in each["metadata"]:
                break
    await client.delete("pods", "a", "default", grace_period_s=0)
    assert await drain.wait() == 0
    assert "SchedulingDisabled" in await kubectl("get", "nodes")
    await kubectl("uncordon", "node-1")


async def test_what_kubectl_says_of_the_cluster_is_true(kubectl: Kubectl) -> None:
    assert "running at" in await kubectl("cluster-info")
    assert "KIND:" in await kubectl("explain", "deployment.spec.template.spec.containers")
    assert "services" in await kubectl("api-resources", "-o", "name")
    assert "v1" in (await kubectl("api-versions")).splitlines()
    assert "ok" in await kubectl("get", "--raw", "/readyz?verbose")
    assert "default" in await kubectl("get", "ns", "--show-labels", "--sort-by=.metadata.name")
    assert "created (server dry run)" in await kubectl(
        "create", "ns", "x", "--dry-run=server", "--save-config"
    )


async def test_newer_commands_work_where_kubectl_has_them(kubectl: Kubectl, client: Client) -> None:
    if await kubectl.version() < 26:
        pytest.skip("this kubectl has neither `create token` nor `events`")
    await kubectl("create", "serviceaccount", "sa")
    token = await kubectl("create", "token", "sa", "--duration=10m", "--audience=me")
    assert token.count(".") == 2
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "e", "namespace": "default"},
        "involvedObject": {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "name": "sa",
            "namespace": "default",
        },
        "reason": "Because",
        "type": "Normal",
    }
    await made(client, ("events", event))
    assert "Because" in await kubectl("events", "--for=serviceaccount/sa")
    assert "kubernetes-admin" in await kubectl("auth", "whoami")
    await kubectl("create", "-f", "-", stdin=MANIFEST)
    waited = await kubectl("wait", "--for=jsonpath={.spec.replicas}=2", "rs/web")
    assert "condition met" in waited
    await made(client, ("pods", pod("a")))
    await kubectl("debug", "a", "--image=busybox", "-c", "debugger", "--attach=false")
    containers = "jsonpath={.spec.ephemeralContainers[*].name}"
    assert await kubectl("get", "pod", "a", "-o", containers) == "debugger"
    scaled = await kubectl("patch", "rs", "web", "--subresource=scale", "--type=merge", "-p",
                           '{"spec": {"replicas": 1}}')  # fmt: skip
    assert "patched" in scaled
