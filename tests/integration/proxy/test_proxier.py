"""The proxy as it runs on a node: it follows objects, holds addresses, and can be killed."""

from __future__ import annotations

import asyncio
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pilotfish.network import links, namespaces
from pilotfish.network.netlink import Netlink
from pilotfish.proxy.kernel import AnotherWriterError, WriterLock
from pilotfish.proxy.proxier import Proxier, ProxyConfig

VIP = "10.96.0.99"
BALANCED = "192.168.64.201"


class Objects:
    """Stands in for the API server: lists what it has, and watches forward what is put."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, dict[str, Any]]] = {}
        self._watchers: list[tuple[str, asyncio.AbstractEventLoop, asyncio.Queue[Any]]] = []
        self._version = 0

    def put(self, resource: str, obj: dict[str, Any]) -> None:
        self._version += 1
        obj = {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self._version)}}
        self.objects.setdefault(resource, {})[obj["metadata"]["name"]] = obj
        self._send(resource, ("MODIFIED", obj))

    def delete(self, resource: str, name: str) -> None:
        self._send(resource, ("DELETED", self.objects[resource].pop(name)))

    def _send(self, resource: str, event: Any) -> None:
        for watched, loop, queue in self._watchers:
            if watched == resource and not loop.is_closed():
                loop.call_soon_threadsafe(queue.put_nowait, event)

    async def list(self, resource: str, *_selection: str) -> dict[str, Any]:
        items = list(self.objects.get(resource, {}).values())
        return {"items": items, "metadata": {"resourceVersion": str(self._version)}}

    async def watch(self, resource: str, *_selection: str, **_from: str) -> AsyncIterator[Any]:
        queue: asyncio.Queue[Any] = asyncio.Queue()
        self._watchers.append((resource, asyncio.get_running_loop(), queue))
        while True:
            yield await queue.get()


@contextmanager
def running_proxy(world: Any, objects: Objects, node: str) -> Iterator[None]:
    """A proxy in a thread that has entered the node's namespace."""
    stopped: list[Callable[[], None]] = []
    config = ProxyConfig(node, ("10.96.0.0/12",))

    def run() -> None:
        namespaces.enter(world.namespace(node))

        async def main() -> None:
            task = asyncio.create_task(Proxier(objects, config).run())  # type: ignore[arg-type]
            loop = asyncio.get_running_loop()
            stopped.append(lambda: loop.call_soon_threadsafe(task.cancel) and None)
            await asyncio.gather(task, return_exceptions=True)

        asyncio.run(main())

    thread = threading.Thread(target=run)
    thread.start()
    try:
        eventually(lambda: bool(stopped))
        yield
    finally:
        stopped[0]()
        thread.join(5)
        assert not thread.is_alive()


def eventually(holds: Callable[[], bool], timeout_s: float = 5) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold"
        time.sleep(0.01)


def node(name: str, address: str, pod_cidr: str, ready: str = "True") -> dict[str, Any]:
    return {
        "metadata": {"name": name},
        "spec": {"podCIDR": pod_cidr},
        "status": {
            "addresses": [{"type": "InternalIP", "address": address}],
            "conditions": [{"type": "Ready", "status": ready}],
        },
    }


def named_slice(made: dict[str, Any], service: str) -> dict[str, Any]:
    labels = {"kubernetes.io/service-name": service}
    return {**made, "metadata": {"name": service, "namespace": "default", "labels": labels}}


@pytest.fixture
def objects(world: Any) -> Iterator[Objects]:
    made = Objects()
    made.put("nodes", node("node-1", "192.168.64.2", "10.244.0.0/24"))
    made.put("nodes", node("node-2", "192.168.64.3", "10.244.1.0/24"))
    yield made
    for proxy in world.proxies.values():
        proxy.restart()  # the tables that the other tests know


def answered(world: Any, place: str, address: str = VIP) -> str:
    """The Pod that answers, or what went wrong."""
    try:
        return str(world.ask(place, address, 80).pod)
    except OSError as error:
        return type(error).__name__


def test_it_follows_services_slices_and_nodes(
    world: Any, objects: Objects, make_service: Any, make_slice: Any
) -> None:
    slices = "endpointslices.discovery.k8s.io"
    with running_proxy(world, objects, "node-1"):
        eventually(lambda: answered(world, "a") == "ConnectionRefusedError")
        objects.put("services", make_service("web", VIP))
        objects.put(slices, named_slice(make_slice("d"), "web"))
        eventually(lambda: answered(world, "a") == "d")
        objects.put(slices, named_slice(make_slice("b"), "web"))
        eventually(lambda: answered(world, "a") == "b")
        objects.delete(slices, "web")
        eventually(lambda: answered(world, "a") == "ConnectionRefusedError")


def test_addresses_of_a_second_service_cidr_are_refused_once_it_is_there(
    world: Any, objects: Objects
) -> None:
    def asked() -> str:
        asking = world.open("node-1")
        asking.settimeout(0.1)
        with asking:
            try:
                asking.connect(("203.0.113.5", 80))
            except OSError as error:
                return type(error).__name__
        return "answered"

    with running_proxy(world, objects, "node-1"):
        eventually(lambda: answered(world, "a") == "ConnectionRefusedError")
        assert asked() != "ConnectionRefusedError"
        cidr = {"metadata": {"name": "more"}, "spec": {"cidrs": ["203.0.113.0/24"]}}
        objects.put("servicecidrs.networking.k8s.io", cidr)
        eventually(lambda: asked() == "ConnectionRefusedError")


def test_tables_that_somebody_flushes_are_written_anew(
    world: Any, objects: Objects, make_service: Any, make_slice: Any
) -> None:
    objects.put("services", make_service("web", VIP))
    objects.put("endpointslices.discovery.k8s.io", named_slice(make_slice("bcd"), "web"))
    nft = ["ip", "netns", "exec", world.namespace("node-1"), "nft"]
    damages = [["flush", "ruleset"], ["delete", "chain", "ip", "pilotfish", "stray-forward"]]
    with running_proxy(world, objects, "node-1"):
        for damage in damages:
            eventually(lambda: answered(world, "a") in ("b", "c", "d"))
            before = _listed(nft)
            subprocess.run([*nft, *damage], check=True)
            assert _listed(nft) != before
            eventually(lambda before=before: _listed(nft) == before)


def _listed(nft: list[str]) -> list[str]:
    """The ruleset's lines, in an order of its own as that of elements differs."""
    listed = subprocess.run([*nft, "list", "ruleset"], capture_output=True, text=True, check=True)
    return sorted(line.strip(" \t,{}") for line in listed.stdout.splitlines())


def test_load_balancer_addresses_move_when_their_node_is_not_ready(
    world: Any, objects: Objects, make_service: Any, make_slice: Any
) -> None:
    status = {"loadBalancer": {"ingress": [{"ip": BALANCED}]}}
    objects.put("services", make_service("web", VIP, type="LoadBalancer", status=status))
    objects.put("endpointslices.discovery.k8s.io", named_slice(make_slice("d"), "web"))

    def neighbour() -> str:
        command = ["ip", "-n", world.namespace("host"), "neighbour", "show", BALANCED]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def mac(node: str) -> str:
        with Netlink(world.namespace(node)) as netlink:
            return links.mac(netlink, "eth0")

    with running_proxy(world, objects, "node-1"):
        eventually(lambda: answered(world, "host", BALANCED) == "d")
        assert mac("node-1") in neighbour()
        # What listens on all addresses of the node does not answer at the Service's.
        world.serve("node-1", 10250)
        assert world.ask("host", "192.168.64.2", 10250).pod == "node-1"
        with pytest.raises(ConnectionRefusedError):
            world.ask("host", BALANCED, 10250)
        objects.put("nodes", node("node-1", "192.168.64.2", "10.244.0.0/24", "Unknown"))
        # The lock is per namespace, so the two nodes' proxies do not meet.
        with running_proxy(world, objects, "node-2"):
            eventually(lambda: mac("node-2") in neighbour())
            assert answered(world, "host", BALANCED) == "d"
            objects.delete("services", "web")
            eventually(lambda: answered(world, "host", BALANCED) != "d")


def test_a_proxy_that_starts_gives_up_addresses_that_it_held_before(
    world: Any, objects: Objects, make_service: Any, make_slice: Any
) -> None:
    def held() -> str:
        command = ["ip", "-n", world.namespace("node-1"), "route", "show", "table", "local"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    status = {"loadBalancer": {"ingress": [{"ip": BALANCED}]}}
    objects.put("services", make_service("web", VIP, type="LoadBalancer", status=status))
    with running_proxy(world, objects, "node-1"):
        eventually(lambda: BALANCED in held())
    assert BALANCED in held()
    objects.delete("services", "web")
    with running_proxy(world, objects, "node-1"):
        eventually(lambda: BALANCED not in held())


def test_only_one_proxy_writes_in_a_namespace(world: Any) -> None:
    with namespaces.inside(world.namespace("node-1")):
        first = WriterLock()
        with pytest.raises(AnotherWriterError):
            WriterLock()
        first.release()
        WriterLock().release()


def test_connections_come_through_while_proxies_take_over_from_each_other(
    world: Any, objects: Objects, make_service: Any, make_slice: Any
) -> None:
    objects.put("services", make_service("web", VIP))
    objects.put("endpointslices.discovery.k8s.io", named_slice(make_slice("bd"), "web"))
    with running_proxy(world, objects, "node-1"):
        eventually(lambda: answered(world, "a") in ("b", "d"))
    with world.connect("a", VIP, 80) as connection:
        connection.recv(100)
        for _ in range(3):
            with running_proxy(world, objects, "node-1"):
                for _ in range(50):
                    assert answered(world, "a") in ("b", "d")
            connection.sendall(b"x")
            assert connection.recv(10) == b"x"
