"""Stock kubectl against a lone API server."""

from __future__ import annotations

import json

import pytest
import yaml

from pilotfish.client.api import Client
from support.apiserver import RunningApiServer
from support.objects import pod, replica_set, service

MANIFEST = yaml.safe_dump_all([service("web"), replica_set("web", 2)])


async def test_a_manifest_is_applied_changed_and_deleted(server: RunningApiServer) -> None:
    assert "service/web created" in await server.kubectl("apply", "-f", "-", stdin=MANIFEST)
    assert "service/web unchanged" in await server.kubectl("apply", "-f", "-", stdin=MANIFEST)
    changed = yaml.safe_dump_all([service("web", ports=[{"port": 81}]), replica_set("web", 2)])
    assert "service/web configured" in await server.kubectl("apply", "-f", "-", stdin=changed)
    ports = await server.kubectl("get", "svc", "web", "-o", "jsonpath={.spec.ports[*].port}")
    assert ports == "81"
    deleted = await server.kubectl("delete", "-f", "-", stdin=changed)
    assert 'service "web" deleted' in deleted


async def test_the_story_s_service_is_made_by_expose(server: RunningApiServer) -> None:
    await server.kubectl("create", "-f", "-", stdin=MANIFEST)
    await server.kubectl(
        "expose",
        "rs",
        "web",
        "--name=web-svc",
        "--target-port=28017",
        "--port=80",
        "--type=NodePort",
    )
    spec = yaml.safe_load(await server.kubectl("get", "svc", "web-svc", "-o", "yaml"))["spec"]
    assert 30000 <= spec["ports"][0]["nodePort"] <= 32767
    assert spec["selector"] == {"app": "web"}


async def test_scale_edit_label_and_set_change_what_they_say(server: RunningApiServer) -> None:
    await server.kubectl("create", "-f", "-", stdin=MANIFEST)
    await server.kubectl("scale", "rs", "web", "--replicas=5")
    await server.kubectl("label", "svc", "web", "tier=front")
    await server.kubectl("set", "selector", "svc", "web", "app=other")
    await server.kubectl("annotate", "svc", "web", "note=hello")
    shown = yaml.safe_load(await server.kubectl("get", "svc", "web", "-o", "yaml"))
    assert shown["metadata"]["labels"] == {"tier": "front"}
    assert shown["spec"]["selector"] == {"app": "other"}
    assert await server.kubectl("get", "rs", "web", "-o", "jsonpath={.spec.replicas}") == "5"


async def test_typed_commands_that_send_protobuf_work(server: RunningApiServer) -> None:
    await server.kubectl("create", "namespace", "demo")
    await server.kubectl("create", "configmap", "a", "--from-literal=x=y", "-n", "demo")
    await server.kubectl("create", "deployment", "d", "--image=host", "--replicas=0", "-n", "demo")
    await server.kubectl("create", "service", "nodeport", "s", "--tcp=80:8080", "-n", "demo")
    shown = await server.kubectl("get", "cm,deploy,svc", "-n", "demo")
    assert "configmap/a" in shown
    assert "deployment.apps/d   0/0" in shown
    assert "80:3" in shown


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("--server-side=false", 'strict decoding error: unknown field "spec.ports[0].targetport"'),
        ("--server-side", ".spec.ports[0].targetport: field not declared in schema"),
    ],
)
async def test_a_typo_is_named_with_its_path(
    server: RunningApiServer, how: str, words: str
) -> None:
    manifest = yaml.safe_dump(service("web", ports=[{"port": 80, "targetport": 8080}]))
    code, _, errors = await server.try_kubectl("apply", how, "-f", "-", stdin=manifest)
    assert code == 1
    assert words in errors


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        (
            service("web", ports=[{"port": 70000, "targetPort": 80}]),
            'The Service "web" is invalid: spec.ports[0].port: Invalid value: 70000: must be '
            "between 1 and 65535, inclusive",
        ),
        (
            service("web", ports=[{"port": "http"}]),
            "cannot unmarshal string into Go struct field ServicePort.spec.ports.port",
        ),
        (
            {"apiVersion": "v1", "kind": "Servise", "metadata": {"name": "a"}},
            'no matches for kind "Servise" in version "v1"',
        ),
        (
            service("web", namespace="nowhere"),
            'namespaces "nowhere" not found',
        ),
    ],
)
async def test_bad_input_gets_the_message_that_people_know(
    server: RunningApiServer, manifest: dict[str, object], words: str
) -> None:
    code, _, errors = await server.try_kubectl("create", "-f", "-", stdin=yaml.safe_dump(manifest))
    assert code == 1
    assert words in errors


async def test_explain_and_discovery_name_fields_and_kinds(server: RunningApiServer) -> None:
    assert "targetPort" in await server.kubectl("explain", "service.spec.ports")
    assert "-required-" in await server.kubectl("explain", "replicaset.spec")
    assert "endpointslices" in await server.kubectl("api-resources")
    assert "discovery.k8s.io/v1" in (await server.kubectl("api-versions")).splitlines()
    assert "Server Version: v1.37" in await server.kubectl("version")


async def test_identity_and_permission_are_told(server: RunningApiServer) -> None:
    assert "kubernetes-admin" in await server.kubectl("auth", "whoami")
    assert await server.kubectl("auth", "can-i", "create", "pods") == "yes\n"


async def test_an_evicted_pod_obeys_its_budget(server: RunningApiServer, client: Client) -> None:
    running = pod("a", nodeName="node-1")
    running["metadata"]["labels"] = {"app": "a"}
    created = await client.create("pods", running)
    created["status"]["phase"] = "Running"
    await client.update("pods", created, subresource="status")
    await server.kubectl("create", "pdb", "one", "--selector=app=a", "--min-available=1")
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": "a", "namespace": "default"},
    }
    code, _, errors = await server.try_kubectl(
        "create",
        "--raw",
        "/api/v1/namespaces/default/pods/a/eviction",
        "-f",
        "-",
        stdin=json.dumps(eviction),
    )
    assert (code, "would violate the pod's disruption budget" in errors) == (1, True)
    await server.kubectl("delete", "pdb", "one")
    await client.create("pods", eviction, subresource="eviction")
    assert "deletionTimestamp" in (await client.get("pods", "a", "default"))["metadata"]


async def test_what_is_likely_not_meant_is_warned_about(server: RunningApiServer) -> None:
    env = [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]
    manifest = pod("p", containers=[{"name": "c", "image": "host", "env": env}])
    for arguments in (("create",), ("apply",)):
        code, _, errors = await server.try_kubectl(
            *arguments, "--dry-run=server", "-f", "-", stdin=yaml.safe_dump(manifest)
        )
        assert code == 0
        assert errors == (
            'Warning: spec.containers[0].env[1]: hides previous definition of "A", which may be '
            "dropped when using apply\n"
        )
    _, _, errors = await server.try_kubectl("get", "endpoints")
    assert "Warning: v1 Endpoints is deprecated in v1.33+" in errors
