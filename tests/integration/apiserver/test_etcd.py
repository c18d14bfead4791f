"""Two API servers on one etcd: one state, whoever writes it, and nothing lost when one dies."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

import pytest

from pilotfish.apiserver.store.etcd.address import parse_address
from pilotfish.apiserver.store.etcd.channel import Channel
from pilotfish.apiserver.store.etcd.compaction import Turn, compact_once
from pilotfish.client.api import Client
from pilotfish.client.errors import AlreadyExists, ApiError, Conflict, Gone, Invalid
from pilotfish.client.informer import Informer
from pilotfish.objects.meta import Object
from support.apiserver import RunningApiServer, running_api_server
from support.etcd import Etcd
from support.objects import config_map


@pytest.fixture
def etcd(tmp_path: Path) -> Iterator[Etcd]:
    with Etcd(tmp_path / "etcd") as etcd:
        yield etcd


@asynccontextmanager
async def two_servers(
    folder: Path, etcd: Etcd
) -> AsyncIterator[tuple[RunningApiServer, RunningApiServer]]:
    """Two API servers in this process, with keys and certificates of one cluster."""
    address = etcd.address()
    socket = folder / "second.sock"
    async with (
        running_api_server(folder, store_address=address) as first,
        running_api_server(folder, store_address=address, local_socket=socket) as second,
    ):
        yield first, second


@pytest.fixture
async def clients(tmp_path: Path, etcd: Etcd) -> AsyncIterator[tuple[Client, Client]]:
    """An administrator's client of each of two servers."""
    async with (
        two_servers(tmp_path, etcd) as (first, second),
        Client(first.client_config()) as one,
        Client(second.client_config()) as other,
    ):
        yield one, other


def service(name: str, **spec: Any) -> Object:
    return {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"ports": [{"port": 80}], **spec},
    }


async def test_what_one_server_has_acknowledged_the_other_shows(
    clients: tuple[Client, Client],
) -> None:
    one, other = clients
    for number in range(50):
        name = f"m-{number}"
        created = await one.create("configmaps", config_map(name))
        assert await other.get("configmaps", name, "default") == created
        await other.delete("configmaps", name, "default")
        listed = await one.list("configmaps", "default")
        assert name not in [item["metadata"]["name"] for item in listed["items"]]


async def test_revisions_are_etcds_own(etcd: Etcd, clients: tuple[Client, Client]) -> None:
    one, _ = clients
    created = await one.create("configmaps", config_map("a"))
    assert int(created["metadata"]["resourceVersion"]) == etcd.revision()
    listed = await one.list("configmaps", "default")
    assert int(listed["metadata"]["resourceVersion"]) == etcd.revision()
    stored = etcd.ctl("get", "--print-value-only", "/registry/configmaps/default/a")
    assert '"name":"a"' in stored
    assert "resourceVersion" not in stored


async def test_a_stale_write_is_a_conflict_on_either_server(
    clients: tuple[Client, Client],
) -> None:
    one, other = clients
    old = await one.create("configmaps", config_map("a"))
    await other.patch("configmaps", "a", {"data": {"x": "1"}}, "default")
    with pytest.raises(Conflict):
        await one.update("configmaps", old | {"data": {"x": "2"}})
    with pytest.raises(AlreadyExists):
        await other.create("configmaps", config_map("a"))


async def test_patches_of_both_servers_at_once_are_all_there(
    clients: tuple[Client, Client],
) -> None:
    await clients[0].create("configmaps", config_map("a"))
    await asyncio.gather(
        *(
            clients[number % 2].patch("configmaps", "a", {"data": {f"k{number}": "x"}}, "default")
            for number in range(40)
        )
    )
    found = await clients[0].get("configmaps", "a", "default")
    assert set(found["data"]) == {f"k{number}" for number in range(40)}


async def test_one_of_two_creates_of_a_name_succeeds(clients: tuple[Client, Client]) -> None:
    for number in range(20):
        outcomes = await asyncio.gather(
            *(client.create("configmaps", config_map(f"m-{number}")) for client in clients),
            return_exceptions=True,
        )
        assert {type(outcome) for outcome in outcomes} == {dict, AlreadyExists}


async def test_a_collection_is_deleted_while_the_other_server_deletes_too(
    clients: tuple[Client, Client],
) -> None:
    one, other = clients
    await asyncio.gather(*(one.create("configmaps", config_map(f"m-{n}")) for n in range(40)))
    path = "/api/v1/namespaces/default/configmaps"
    await asyncio.gather(one.request("DELETE", path), other.request("DELETE", path))
    assert (await one.list("configmaps", "default"))["items"] == []


async def test_a_watch_sees_every_write_of_both_servers_once_and_in_order(
    clients: tuple[Client, Client],
) -> None:
    one, other = clients
    version = (await one.list("configmaps", "default"))["metadata"]["resourceVersion"]
    watches = [
        asyncio.create_task(_events(client, version, until="end")) for client in (one, other)
    ]

    async def write(client: Client, writer: int) -> None:
        for number in range(20):
            name = f"w{writer}-{number}"
            await client.create("configmaps", config_map(name))
            await client.patch("configmaps", name, {"data": {"x": "y"}}, "default")
            await client.delete("configmaps", name, "default")

    await asyncio.gather(*(write(clients[writer % 2], writer) for writer in range(4)))
    await other.create("configmaps", config_map("end"))
    seen, seen_by_other = await asyncio.gather(*watches)
    assert seen == seen_by_other
    assert len(seen) == 4 * 20 * 3 + 1
    revisions = [revision for _, _, revision in seen]
    assert revisions == sorted(set(revisions))


async def _events(
    client: Client, version: str, until: str, begun: asyncio.Event | None = None
) -> list[tuple[str, str, int]]:
    """(type, name, revision) of everything after a version, up to the object of that name."""
    seen: list[tuple[str, str, int]] = []
    async with asyncio.timeout(60):
        async for kind, obj in client.watch("configmaps", "default", resource_version=version):
            metadata = obj["metadata"]
            seen.append((kind, metadata["name"], int(metadata["resourceVersion"])))
            if begun is not None:
                begun.set()
            if metadata["name"] == until:
                return seen
    raise AssertionError("the watch ended")


async def test_two_servers_hand_out_no_address_and_no_port_twice(
    tmp_path: Path, etcd: Etcd
) -> None:
    settings: dict[str, Any] = {
        "store_address": etcd.address(),
        "service_cidr": "10.96.0.0/25",
        "node_ports": (30000, 30060),
    }
    async with (
        running_api_server(tmp_path, **settings) as first,
        running_api_server(tmp_path, local_socket=tmp_path / "second.sock", **settings) as second,
        Client(first.client_config()) as one,
        Client(second.client_config()) as other,
    ):
        clients = (one, other)

        async def write(writer: int) -> None:
            dice = random.Random(writer)
            for number in range(12):
                name = f"s-{writer}-{number}"
                kind = dice.choice(["ClusterIP", "NodePort", "NodePort"])
                client = clients[dice.randrange(2)]
                await client.create("services", service(name, type=kind))
                if dice.random() < 0.5:
                    await clients[dice.randrange(2)].delete("services", name, "default")
                elif dice.random() < 0.5:
                    change = {"spec": {"type": dice.choice(["ClusterIP", "NodePort"])}}
                    client = clients[dice.randrange(2)]
                    await client.patch("services", name, change, "default")

        await asyncio.gather(*(write(writer) for writer in range(8)))
        services = (await one.list("services"))["items"]
        addresses = [each["spec"]["clusterIP"] for each in services]
        assert len(addresses) == len(set(addresses))
        ports = [
            port["nodePort"]
            for each in services
            for port in each["spec"]["ports"]
            if "nodePort" in port
        ]
        assert len(ports) == len(set(ports))
        # What was given back can be had again, and is claimed by nobody else.
        claimed = {
            int(key.rpartition("/")[2]) for key in etcd.listed("/registry/_claims/nodeports/")
        }
        assert claimed == set(ports)
        named = await one.list("ipaddresses.networking.k8s.io")
        assert {item["metadata"]["name"] for item in named["items"]} == set(addresses)
        for client in clients:
            with pytest.raises(Invalid, match="already allocated"):
                await client.create("services", service("taken", clusterIP=addresses[-1]))


async def test_a_port_that_one_server_freed_the_other_hands_out(
    clients: tuple[Client, Client],
) -> None:
    one, other = clients
    wanted = {"type": "NodePort", "clusterIP": "10.96.0.77"}
    wanted["ports"] = [{"port": 80, "nodePort": 30077}]
    for number in range(6):
        creator, remover = (one, other) if number % 2 else (other, one)
        await creator.create("services", service(f"s-{number}", **wanted))
        with pytest.raises(Invalid, match="already allocated"):
            await remover.create("services", service("second", **wanted))
        await remover.delete("services", f"s-{number}", "default")


async def test_a_custom_resource_is_served_by_the_other_server_at_once(
    clients: tuple[Client, Client],
) -> None:
    one, other = clients
    definition = {
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Cluster",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": {"type": "object"}},
                }
            ],
        },
    }
    await one.create("customresourcedefinitions.apiextensions.k8s.io", definition)
    widget = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}}
    await other.request("POST", "/apis/example.com/v1/widgets", body=widget)
    listed = await one.request("GET", "/apis/example.com/v1/widgets")
    assert [item["metadata"]["name"] for item in listed["items"]] == ["w"]


async def test_compaction_by_others_ends_no_watch_that_has_kept_up(
    etcd: Etcd, clients: tuple[Client, Client]
) -> None:
    one, other = clients
    version = (await one.list("configmaps", "default"))["metadata"]["resourceVersion"]
    watching = asyncio.create_task(_events(other, version, until="end"))
    await one.create("configmaps", config_map("before"))
    etcd.ctl("compact", str(etcd.revision()))
    await one.create("configmaps", config_map("end"))
    assert [name for _, name, _ in await watching] == ["before", "end"]


async def test_a_server_that_missed_a_compacted_history_ends_its_watches_with_410(
    tmp_path: Path,
) -> None:
    with Etcd(tmp_path / "etcd") as etcd:
        async with (
            running_api_server(tmp_path, store_address=etcd.address()) as server,
            Client(server.client_config()) as client,
        ):
            await client.create("configmaps", config_map("kept"))
            await client.create("configmaps", config_map("gone"))
            version = (await client.list("configmaps", "default"))["metadata"]["resourceVersion"]
            informer = Informer(client, "configmaps", "default")
            heard = asyncio.Event()
            informer.on_change(lambda _, new: heard.set() if new and "new" in _key(new) else None)
            informing = asyncio.create_task(informer.run())
            await informer.synced.wait()
            watching = asyncio.create_task(_events(client, version, until="none"))
            await asyncio.sleep(0.2)
            etcd.kill()
            await asyncio.sleep(0.2)
            await _behind_its_back(etcd)
            with pytest.raises(Gone):
                await watching
            with pytest.raises(Gone):
                await _events(client, version, until="none")
            names = {
                item["metadata"]["name"]
                for item in (await client.list("configmaps", "default"))["items"]
            }
            assert names == {"kept", "new"}
            async with asyncio.timeout(20):
                await heard.wait()
            assert {obj["metadata"]["name"] for obj in informer.values()} == names
            informing.cancel()


def _key(obj: Object) -> str:
    return f"{obj['metadata']['namespace']}/{obj['metadata']['name']}"


async def _behind_its_back(etcd: Etcd) -> None:
    """Change objects and compact the history, all on a port that the server does not know."""
    port, etcd.port = etcd.port, etcd.spare_port
    etcd.start()
    etcd.ctl("del", "/registry/configmaps/default/gone")
    value = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"new","namespace":"default"}}'
    etcd.ctl("put", "/registry/configmaps/default/new", value)
    etcd.ctl("put", "/registry/_revision", "")
    etcd.ctl("compact", str(etcd.revision()))
    etcd.kill()
    etcd.port = port
    etcd.start()


async def test_a_restart_of_etcd_loses_no_event_and_fails_no_patient_reader(
    etcd: Etcd, clients: tuple[Client, Client]
) -> None:
    one, other = clients
    version = (await one.list("configmaps", "default"))["metadata"]["resourceVersion"]
    begun = asyncio.Event()
    watching = asyncio.create_task(_events(other, version, until="end", begun=begun))
    await one.create("configmaps", config_map("before"))
    await begun.wait()
    etcd.kill()
    reading = asyncio.create_task(other.get("configmaps", "before", "default"))
    await asyncio.to_thread(etcd.start)
    assert (await reading)["metadata"]["name"] == "before"
    await one.create("configmaps", config_map("end"))
    assert [name for _, name, _ in await watching] == ["before", "end"]


async def test_without_etcd_a_server_says_so_and_lives(
    etcd: Etcd, clients: tuple[Client, Client]
) -> None:
    one, _ = clients
    etcd.kill()
    with pytest.raises(ApiError) as refusal:
        await one.get("configmaps", "x", "default")
    assert (refusal.value.code, refusal.value.reason) == (503, "ServiceUnavailable")
    assert "etcd cannot be reached" in refusal.value.message
    with pytest.raises(ApiError, match="etcd cannot be reached"):
        await one.create("configmaps", config_map("x"))
    with pytest.raises(ApiError):
        await one.request("GET", "/readyz")
    listed = await one.request("GET", "/api/v1/namespaces?resourceVersion=0")
    assert "default" in [item["metadata"]["name"] for item in listed["items"]]
    await asyncio.to_thread(etcd.start)
    assert (await one.create("configmaps", config_map("x")))["metadata"]["name"] == "x"


async def test_history_is_compacted_by_one_of_the_servers_and_not_too_early(etcd: Etcd) -> None:
    channel = Channel(parse_address(etcd.address()))
    await channel.open()
    key = b"/registry/_compaction"
    try:
        etcd.ctl("put", "/registry/x", "before")
        both = [await compact_once(channel, key, Turn(-1, 0)) for _ in range(2)]
        remembered = both[0].revision
        for number in range(5):
            etcd.ctl("put", "/registry/x", str(number))
        after = [await compact_once(channel, key, turn) for turn in both]
        assert after[0].version == after[1].version == both[0].version + 1
        assert "before" in etcd.ctl("get", "/registry/x", "--rev", str(remembered))
        with pytest.raises(CalledProcessError):
            etcd.ctl("get", "/registry/x", "--rev", str(remembered - 1))
    finally:
        await channel.close()
