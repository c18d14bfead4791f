"""Server-side apply through kubectl: who owns what."""

from __future__ import annotations

import yaml

from support.apiserver import RunningApiServer
from support.objects import service


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
