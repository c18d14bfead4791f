"""The cluster DNS in a namespace of its own, asked by real dig, fed by a real API server."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.rrset
import pytest

from pilotfish.client.api import Client
from pilotfish.client.errors import NotFound
from pilotfish.dns import forwarder
from pilotfish.dns.config import DnsConfig
from pilotfish.dns.server import DnsServer
from pilotfish.network import links, namespaces
from pilotfish.network.netlink import Netlink
from support.apiserver import RunningApiServer, running_api_server

NODE, MACHINE = "t-g-dns-node", "t-g-dns-machine"
ADDRESS = "192.168.64.2"
RESOLVER = "127.0.0.53"


def prepare_namespace() -> None:
    with Netlink() as nl:
        links.set_up(nl, "lo")
        links.add_address(nl, "lo", ADDRESS)


@pytest.fixture
def node_namespace() -> Iterator[None]:
    """The test, and every process it starts, is in the node's namespace."""
    for name in (NODE, MACHINE):
        namespaces.delete(name)
        namespaces.create(name, setup=prepare_namespace)
    with namespaces.inside(NODE):
        yield
    for name in (NODE, MACHINE):
        namespaces.delete(name)


class Resolver:
    """The machine's resolver, in the machine's namespace; it knows example.com."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[str] = asyncio.Queue()
        self.asked: list[str] = []
        self.silent = False

    def reply(self, packet: bytes, stream: bool) -> bytes:
        query = dns.message.from_wire(packet)
        reply = dns.message.make_response(query, recursion_available=True)
        name = str(query.question[0].name)
        self.asked.append(f"{name} {'tcp' if stream else 'udp'}")
        if name == "example.com.":
            reply.answer.append(dns.rrset.from_text(name, 60, "IN", "A", "192.0.2.80"))
        elif name == "large.example.com.":
            if stream:
                addresses = [f"192.0.2.{n}" for n in range(1, 101)]
                reply.answer.append(dns.rrset.from_text(name, 60, "IN", "A", *addresses))
            else:
                reply.flags |= dns.flags.TC
        else:
            reply.set_rcode(3)
            soa = "ns.example.com. root.example.com. 1 1 1 1 20"
            reply.authority.append(dns.rrset.from_text("example.com.", 60, "IN", "SOA", soa))
        return reply.to_wire(max_size=65535)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Resolver]:
        with namespaces.inside(MACHINE):
            datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            stream = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        for one in (datagrams, stream):
            one.bind((RESOLVER, 53))
            one.setblocking(False)

        def receive() -> None:
            packet, asker = datagrams.recvfrom(4096)
            self.received.put_nowait(str(dns.message.from_wire(packet).question[0].name))
            if not self.silent:
                datagrams.sendto(self.reply(packet, stream=False), asker)

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            (length,) = struct.unpack("!H", await reader.readexactly(2))
            reply = self.reply(await reader.readexactly(length), stream=True)
            writer.write(struct.pack("!H", len(reply)) + reply)
            writer.close()

        loop = asyncio.get_running_loop()
        loop.add_reader(datagrams, receive)
        server = await asyncio.start_server(serve, sock=stream)
        try:
            yield self
        finally:
            loop.remove_reader(datagrams)
            datagrams.close()
            server.close()


class Cluster:
    def __init__(self, api: RunningApiServer, client: Client, resolver: Resolver) -> None:
        self.api, self.client, self.resolver = api, client, resolver

    async def dig(self, *arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            "dig",
            f"@{ADDRESS}",
            "+time=5",
            "+tries=1",
            *arguments,
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate()
        return output.decode()

    async def short(self, *arguments: str) -> list[str]:
        return sorted((await self.dig("+short", *arguments)).split("\n")[:-1])

    async def until(self, *arguments: str, gives: list[str]) -> None:
        async with asyncio.timeout(10):
            while True:
                if await self.short(*arguments) == gives:
                    return
                await asyncio.sleep(0.02)


@pytest.fixture
async def cluster(node_namespace: None, tmp_path: Path) -> AsyncIterator[Cluster]:
    resolver = Resolver()
    resolv_conf = tmp_path / "resolv.conf"
    resolv_conf.write_text(f"nameserver {RESOLVER}\n")
    config = DnsConfig("node-1", ADDRESS, resolv_conf=resolv_conf, upstream_namespace=MACHINE)
    async with (
        resolver.running(),
        running_api_server(tmp_path) as api,
        Client(api.client_config()) as client,
    ):
        server = asyncio.create_task(DnsServer(client, config).run())
        found = Cluster(api, client, resolver)
        await found.until("kubernetes.default.svc.cluster.local", gives=["10.96.0.1"])
        yield found
        server.cancel()
        await asyncio.gather(server, return_exceptions=True)


def service(name: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"ports": [{"name": "http", "port": 80}], **spec},
    }


def slice_of(name: str, addresses: list[str]) -> dict[str, Any]:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{name}-1",
            "namespace": "default",
            "labels": {"kubernetes.io/service-name": name},
        },
        "addressType": "IPv4",
        "endpoints": [
            {"addresses": [address], "conditions": {"ready": True}} for address in addresses
        ],
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
    }


async def test_services_are_found_as_they_come_and_go(cluster: Cluster) -> None:
    name = "web.default.svc.cluster.local"
    assert "status: NXDOMAIN" in await cluster.dig(name)
    made = await cluster.client.create("services", service("web"))
    address = made["spec"]["clusterIP"]
    await cluster.until(name, gives=[address])
    assert await cluster.short("-x", address) == [f"{name}."]
    assert await cluster.short("SRV", f"_http._tcp.{name}") == [f"0 100 80 {name}."]
    assert await cluster.short("+tcp", name) == [address]
    await cluster.client.delete("services", "web", "default")
    await cluster.until(name, gives=[])


async def test_headless_services_follow_their_slices(cluster: Cluster) -> None:
    await cluster.client.create("services", service("db", clusterIP="None"))
    addresses = [f"10.244.0.{n}" for n in range(10, 60)]
    made = await cluster.client.create("endpointslices.discovery.k8s.io", slice_of("db", addresses))
    name = "db.default.svc.cluster.local"
    # 50 addresses without EDNS do not fit a datagram: dig comes again over TCP by itself.
    await cluster.until("+noedns", name, gives=sorted(addresses))
    made["endpoints"] = made["endpoints"][:1]
    await cluster.client.update("endpointslices.discovery.k8s.io", made)
    await cluster.until(name, gives=addresses[:1])


async def test_the_dns_registers_itself_and_puts_right_what_is_changed(cluster: Cluster) -> None:
    async def registered() -> dict[str, Any]:
        async with asyncio.timeout(10):
            while True:
                try:
                    found = await cluster.client.get(
                        "endpointslices.discovery.k8s.io", "kube-dns-node-1", "kube-system"
                    )
                    if found["endpoints"]:
                        return found
                except NotFound:
                    pass
                await asyncio.sleep(0.02)

    found = await registered()
    made = await cluster.client.get("services", "kube-dns", "kube-system")
    assert made["spec"]["clusterIP"] == "10.96.0.10"
    assert found["endpoints"][0]["addresses"] == [ADDRESS]
    assert {(port["protocol"], port["port"]) for port in found["ports"]} == {
        ("UDP", 53),
        ("TCP", 53),
    }
    patch = {"endpoints": []}
    await cluster.client.patch(
        "endpointslices.discovery.k8s.io", "kube-dns-node-1", patch, "kube-system"
    )
    await registered()
    await cluster.client.delete("services", "kube-dns", "kube-system")
    await cluster.until("kube-dns.kube-system.svc.cluster.local", gives=["10.96.0.10"])


async def test_other_names_are_asked_of_the_machines_resolver_once(cluster: Cluster) -> None:
    for _ in range(3):
        assert await cluster.short("example.com") == ["192.0.2.80"]
    assert "status: NXDOMAIN" in await cluster.dig("nothing.example.com")
    assert "status: NXDOMAIN" in await cluster.dig("nothing.example.com")
    assert cluster.resolver.asked == ["example.com. udp", "nothing.example.com. udp"]


async def test_names_of_the_cluster_never_leave_it(cluster: Cluster) -> None:
    assert "status: NXDOMAIN" in await cluster.dig("example.com.default.svc.cluster.local")
    assert "status: NXDOMAIN" in await cluster.dig("-x", "10.96.77.77")
    assert cluster.resolver.asked == []


async def test_a_large_answer_comes_over_tcp_all_the_way(cluster: Cluster) -> None:
    assert len(await cluster.short("large.example.com")) == 100
    # dig's own second try over TCP is answered from the cache.
    assert cluster.resolver.asked == ["large.example.com. udp", "large.example.com. tcp"]


async def test_an_external_name_is_resolved_to_the_end(cluster: Cluster) -> None:
    spec = {"type": "ExternalName", "externalName": "example.com"}
    await cluster.client.create("services", service("out", **spec))
    name = "out.default.svc.cluster.local"
    await cluster.until(name, gives=["192.0.2.80", "example.com."])
    assert await cluster.short("CNAME", name) == ["example.com."]


async def test_a_machine_without_resolver_fails_outside_names_at_once(
    cluster: Cluster, tmp_path: Path
) -> None:
    (tmp_path / "resolv.conf").write_text("nameserver 192.168.64.2\n")  # ourselves
    assert "status: SERVFAIL" in await cluster.dig("example.com")
    assert "status: NOERROR" in await cluster.dig("kubernetes.default.svc.cluster.local")


async def test_a_silent_resolver_is_passed_over(cluster: Cluster, tmp_path: Path) -> None:
    # Nobody listens on the first: refused at once.
    (tmp_path / "resolv.conf").write_text(f"nameserver 127.0.0.99\nnameserver {RESOLVER}\n")
    assert await cluster.short("example.com") == ["192.0.2.80"]


async def test_what_nobody_answers_fails_before_the_asker_gives_up(cluster: Cluster) -> None:
    cluster.resolver.silent = True
    assert "status: SERVFAIL" in await cluster.dig("example.com")


async def test_when_too_many_questions_wait_the_next_fails_at_once(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.resolver.silent = True
    monkeypatch.setattr(forwarder, "MAX_PENDING", 1)
    waiting = asyncio.create_task(cluster.dig("one.example.com"))
    async with asyncio.timeout(10):
        assert await cluster.resolver.received.get() == "one.example.com."
        assert "status: SERVFAIL" in await cluster.dig("two.example.com")
    assert not waiting.done()
    assert cluster.resolver.received.empty()
    cluster.resolver.silent = False
    assert "status: NXDOMAIN" in await waiting


async def test_names_are_answered_while_the_api_server_is_away(
    node_namespace: None, tmp_path: Path
) -> None:
    config = DnsConfig("node-1", ADDRESS, resolv_conf=tmp_path / "none")
    name = "kubernetes.default.svc.cluster.local"
    async with AsyncExitStack() as later:
        async with running_api_server(tmp_path) as api:
            client = await later.enter_async_context(Client(api.client_config()))
            cluster = Cluster(api, client, Resolver())
            server = asyncio.create_task(DnsServer(client, config).run())
            await cluster.until(name, gives=["10.96.0.1"])
        assert await cluster.short(name) == ["10.96.0.1"]
        server.cancel()
        await asyncio.gather(server, return_exceptions=True)
