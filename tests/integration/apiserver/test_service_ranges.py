"""ServiceCIDRs and IPAddresses, kept in step with Services."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from pilotfish.client.api import Client
from pilotfish.client.errors import Invalid, NotFound
from pilotfish.objects.conditions import condition
from pilotfish.objects.meta import Object
from support.apiserver import running_api_server
from support.objects import service

CIDRS = "servicecidrs.networking.k8s.io"
ADDRESSES = "ipaddresses.networking.k8s.io"
SECOND = "10.200.0.0/24"


def cidr(name: str = "more", *cidrs: str) -> Object:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "ServiceCIDR",
        "metadata": {"name": name},
        "spec": {"cidrs": list(cidrs or (SECOND,))},
    }


def at(address: str, name: str = "web") -> Object:
    obj = service(name)
    obj["spec"]["clusterIP"] = address
    return obj


async def until(check: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(500):
        if await check():
            return
        await asyncio.sleep(0.02)
    raise TimeoutError


async def is_gone(client: Client, resource: str, name: str) -> bool:
    try:
        await client.get(resource, name)
    except NotFound:
        return True
    return False


async def test_an_address_object_comes_and_goes_with_its_service(client: Client) -> None:
    made = await client.create("services", service("web"))
    text = made["spec"]["clusterIP"]
    address = await client.get(ADDRESSES, text)
    parent = {"group": "", "resource": "services", "namespace": "default", "name": "web"}
    assert address["spec"]["parentRef"] == parent
    await client.delete("services", "web", "default")
    assert await is_gone(client, ADDRESSES, text)


async def test_a_service_that_gives_up_its_address_gives_up_its_object(client: Client) -> None:
    made = await client.create("services", service("web"))
    external = {"type": "ExternalName", "externalName": "x.example", "clusterIP": None}
    await client.patch("services", "web", {"spec": external}, "default")
    assert await is_gone(client, ADDRESSES, made["spec"]["clusterIP"])


async def test_an_address_object_that_is_deleted_under_its_service_returns(
    client: Client,
) -> None:
    made = await client.create("services", service("web"))
    first = await client.get(ADDRESSES, made["spec"]["clusterIP"])
    await client.delete(ADDRESSES, made["spec"]["clusterIP"])

    async def is_back() -> bool:
        if await is_gone(client, ADDRESSES, made["spec"]["clusterIP"]):
            return False
        again = await client.get(ADDRESSES, made["spec"]["clusterIP"])
        return bool(again["metadata"]["uid"] != first["metadata"]["uid"])

    await until(is_back)


async def test_the_default_range_is_an_object_that_is_ready(client: Client) -> None:
    found = await client.get(CIDRS, "kubernetes")
    assert found["spec"]["cidrs"] == ["10.96.0.0/12"]
    ready = condition(found, "Ready")
    assert ready is not None and ready["status"] == "True"


async def test_another_range_extends_what_services_can_have(client: Client) -> None:
    with pytest.raises(Invalid, match="not in the valid range"):
        await client.create("services", at("10.200.0.9"))
    await client.create(CIDRS, cidr())
    await client.create("services", at("10.200.0.9"))


async def test_a_range_waits_for_its_last_address(client: Client) -> None:
    await client.create(CIDRS, cidr())
    await client.create("services", at("10.200.0.9"))
    await client.delete(CIDRS, "more")

    async def says_so() -> bool:
        ready = condition(await client.get(CIDRS, "more"), "Ready")
        return ready is not None and ready["status"] == "False"

    await until(says_so)
    with pytest.raises(Invalid, match="not in the valid range"):
        await client.create("services", at("10.200.0.10", "late"))
    await client.delete("services", "web", "default")
    await until(lambda: is_gone(client, CIDRS, "more"))


async def test_an_address_that_somebody_reserved_is_not_handed_out(client: Client) -> None:
    reserved = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IPAddress",
        "metadata": {"name": "10.96.0.77"},
        "spec": {"parentRef": {"resource": "gadgets", "group": "example.com", "name": "a"}},
    }
    await client.create(ADDRESSES, reserved)
    with pytest.raises(Invalid, match="already allocated"):
        await client.create("services", at("10.96.0.77"))
    await client.delete(ADDRESSES, "10.96.0.77")
    await client.create("services", at("10.96.0.77"))


async def test_all_of_it_outlives_a_restart(tmp_path: Path) -> None:
    async with running_api_server(tmp_path) as server, Client(server.client_config()) as client:
        await client.create(CIDRS, cidr())
        await client.create("services", at("10.200.0.9"))
    async with running_api_server(tmp_path) as server, Client(server.client_config()) as client:
        with pytest.raises(Invalid, match="already allocated"):
            await client.create("services", at("10.200.0.9", "other"))
        await client.create("services", at("10.200.0.10", "other"))
