"""Server-side apply through kubectl: who owns what."""

from __future__ import annotations

import yaml

from pilotfish.client.api import Client
from support.apiserver import RunningApiServer
from support.objects import config_map, pod, service


async def apply(
    server: RunningApiServer, obj: dict[str, object], *more: str
) -> tuple[int, str, str]:
    return await server.try_kubectl(
        "apply", "--server-side", "-f", "-", *more, stdin=yaml.safe_dump(obj)
    )


async def test_a_field_is_removed_when_its_only_manager_gives_it_up(
    server: RunningApiServer,
) -> None:
    ports = [{"name": "a", "port": 80}, {"name": "b", "port": 81}]
    await apply(server, service("web", ports=ports))
    await apply(server, service("web", ports=ports[:1]))
    shown = await server.kubectl("get", "svc", "web", "-o", "jsonpath={.spec.ports[*].port}")
    assert shown == "80"


async def test_a_field_of_another_manager_is_a_conflict_unless_forced(
    server: RunningApiServer,
) -> None:
    await apply(server, service("web", ports=[{"port": 80, "targetPort": 1}]))
    theirs = service("web", ports=[{"port": 80, "targetPort": 2}])
    code, _, errors = await apply(server, theirs, "--field-manager=them")
    assert code == 1
    assert (
        'Apply failed with 1 conflict: conflict with "kubectl" using v1: '
        '.spec.ports[port=80,protocol="TCP"].targetPort'
    ) in errors
    code, _, _ = await apply(server, theirs, "--field-manager=them", "--force-conflicts")
    assert code == 0


async def test_applying_the_same_again_writes_nothing(server: RunningApiServer) -> None:
    await apply(server, service("web"))
    version = ("get", "svc", "web", "-o", "jsonpath={.metadata.resourceVersion}")
    before = await server.kubectl(*version)
    await apply(server, service("web"))
    assert await server.kubectl(*version) == before


async def test_what_others_change_later_becomes_theirs(server: RunningApiServer) -> None:
    await apply(server, service("web"))
    await server.kubectl("label", "svc", "web", "tier=front")
    await apply(server, service("web"))
    labels = await server.kubectl("get", "svc", "web", "-o", "jsonpath={.metadata.labels}")
    assert labels == '{"tier":"front"}'


async def test_a_container_without_a_name_is_refused(server: RunningApiServer) -> None:
    await apply(server, pod("p"))
    code, _, errors = await apply(server, pod("p", containers=[{"image": "other"}]))
    assert code == 1
    assert 'The Pod "p" is invalid' in errors and "name: Required value" in errors
    image = ("get", "pod", "p", "-o", "jsonpath={.spec.containers[*].image}")
    assert await server.kubectl(*image) == "host"


async def test_duplicates_are_refused(server: RunningApiServer) -> None:
    env = [{"name": "F", "value": "1"}, {"name": "F", "value": "2"}]
    containers = [{"name": "c", "image": "host", "env": env}]
    code, _, errors = await apply(server, pod("p", containers=containers))
    assert code == 1
    assert (
        "failed to create typed patch object (default/p; /v1, Kind=Pod): "
        '.spec.containers[name="c"].env: duplicate entries for key [name="F"]'
    ) in errors


async def test_what_admission_adds_belongs_to_nobody(server: RunningApiServer) -> None:
    manifest = pod("p")
    await server.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(manifest))
    fields = await server.kubectl(
        "get", "pod", "p", "--show-managed-fields", "-o", "jsonpath={.metadata.managedFields}"
    )
    for name in ("serviceAccount", "volumes", "volumeMounts", "tolerations", "priority"):
        assert f'"f:{name}"' not in fields
    assert '"f:terminationMessagePath"' in fields
    # Taking over what was applied by the client, and giving up nothing that admission added.
    code, _, errors = await apply(server, manifest)
    assert (code, errors) == (0, "")
    volumes = await server.kubectl("get", "pod", "p", "-o", "jsonpath={.spec.volumes[*].name}")
    assert volumes.startswith("kube-api-access-")


async def test_a_uid_of_no_object_is_a_conflict(server: RunningApiServer) -> None:
    obj = config_map("c")
    obj["metadata"]["uid"] = "11111111-1111-1111-1111-111111111111"
    code, _, errors = await apply(server, obj)
    assert code == 1
    assert (
        'Operation cannot be fulfilled on configmaps "c": uid mismatch: the provided object '
        "specified uid 11111111-1111-1111-1111-111111111111, and no existing object was found"
    ) in errors


async def test_nobody_owns_what_his_request_does_not_write(
    server: RunningApiServer, client: Client
) -> None:
    applied = {**pod("p"), "status": {"phase": "Running", "message": "hello"}}
    await apply(server, applied)
    path = "/api/v1/namespaces/default/pods/p/status"
    params = {"fieldManager": "them"}
    await client.request("PATCH", path, params, applied, "application/apply-patch+yaml")
    stored = await client.get("pods", "p", "default")
    owned = {
        (entry["manager"], entry.get("subresource", "")): set(entry["fieldsV1"])
        for entry in stored["metadata"]["managedFields"]
        if entry["operation"] == "Apply"
    }
    assert owned == {("kubectl", ""): {"f:spec"}, ("them", "status"): {"f:status"}}
    assert stored["status"]["message"] == "hello"
