"""A small world of network namespaces, wired as a cluster's, with servers and clients in it.

client and servers: sockets of this process that were opened inside the Pods' namespaces
host ── bridge ── node-1 ── a, b, c      node-2 ── d, e
"""

from __future__ import annotations

import os
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pilotfish.network import links, namespaces, naming, node_link, pod_link
from pilotfish.network.netlink import Netlink
from pilotfish.network.node_link import ClusterNetwork, NodeNetwork
from pilotfish.proxy import services
from pilotfish.proxy.conntrack import end_flows
from pilotfish.proxy.family import IPV4
from pilotfish.proxy.kernel import KernelTables
from pilotfish.proxy.nfnetlink import NetfilterSocket
from pilotfish.proxy.services import NodeFacts
from pilotfish.proxy.tables import Tables

CLUSTER = f"pt{os.getpid()}"  # another run of the tests may be under way
HOST = f"pf-{CLUSTER}-host"
NETWORK = ClusterNetwork(CLUSTER, "192.168.64.0/24", "10.244.0.0/16", "10.96.0.0/12")
NODES = {
    "node-1": NodeNetwork("node-1", "192.168.64.2", "10.244.0.0/24"),
    "node-2": NodeNetwork("node-2", "192.168.64.3", "10.244.1.0/24"),
}
PODS = {
    "a": ("node-1", "10.244.0.2"),
    "b": ("node-1", "10.244.0.3"),
    "c": ("node-1", "10.244.0.4"),
    "d": ("node-2", "10.244.1.2"),
    "e": ("node-2", "10.244.1.3"),
}
PORT = 8080


@dataclass(frozen=True)
class Answer:
    pod: str
    client: str  # the address that the Pod saw


class World:
    """Where packets run, and a proxy's tables on each node."""

    def __init__(self) -> None:
        self.proxies: dict[str, NodeProxy] = {}
        self._servers: list[socket.socket] = []

    def namespace(self, place: str) -> str:
        if place == "host":
            return HOST
        if place in NODES:
            return str(naming.node_namespace(CLUSTER, place))
        return f"pf-{CLUSTER}-pod-{place}"

    def build(self) -> None:
        namespaces.create(HOST)
        with Netlink(HOST) as netlink:
            links.set_up(netlink, "lo")
        with namespaces.inside(HOST):
            node_link.create_bridge(NETWORK)
            for node in NODES.values():
                node_link.create_node(NETWORK, node)
            node_link.set_routes(NETWORK, list(NODES.values()))
        for pod, (node, address) in PODS.items():
            with namespaces.inside(self.namespace(node)):
                pod_link.create(self.namespace(pod), f"veth-{pod}", [address])
            self.serve(pod)
        for node in NODES:
            self.proxies[node] = NodeProxy(self, node)

    def destroy(self) -> None:
        for server in self._servers:
            server.close()
        for proxy in self.proxies.values():
            proxy.close()
        for pod in PODS:
            namespaces.delete(self.namespace(pod))
        if namespaces.exists(HOST):
            with namespaces.inside(HOST):
                node_link.remove_cluster(NETWORK.cluster)
        namespaces.delete(HOST)

    def serve(self, place: str, port: int = PORT) -> None:
        """A TCP and a UDP server that say which Pod they are and whom they see; TCP then echoes."""
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with namespaces.inside(self.namespace(place)):
                server = socket.socket(socket.AF_INET, kind)
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                server.bind(("0.0.0.0", port))
            except OSError:
                server.close()  # an earlier test's server answers there
                continue
            self._servers.append(server)
            if kind == socket.SOCK_STREAM:
                server.listen(1024)
            serve = _serve_tcp if kind == socket.SOCK_STREAM else _serve_udp
            threading.Thread(target=serve, args=(server, place), daemon=True).start()

    def open(self, place: str, kind: int = socket.SOCK_STREAM) -> socket.socket:
        """A socket in a place, with a time-out: nothing here may hang."""
        with namespaces.inside(self.namespace(place)):
            opened = socket.socket(socket.AF_INET, kind)
        opened.settimeout(2)
        return opened

    def connect(self, place: str, address: str, port: int) -> socket.socket:
        connected = self.open(place)
        try:
            connected.connect((address, port))
        except OSError:
            connected.close()
            raise
        return connected

    def ask(self, place: str, address: str, port: int) -> Answer:
        """One TCP connection from a place: who answered."""
        with self.connect(place, address, port) as connected:
            return _answer(connected.recv(100))

    def ask_udp(self, place: str, address: str, port: int) -> Answer:
        with self.open(place, socket.SOCK_DGRAM) as asking:
            asking.connect((address, port))
            asking.send(b"?")
            return _answer(asking.recv(100))

    def apply(self, *objects: tuple[dict[str, Any], list[dict[str, Any]]]) -> None:
        """Make every node's tables say just these Services (each with its slices)."""
        for proxy in self.proxies.values():
            proxy.apply({o[0]["metadata"]["name"]: o for o in objects})


class NodeProxy:
    """The proxy of a node without the shell: objects to tables, on demand."""

    def __init__(self, world: World, node: str) -> None:
        network = NODES[node]
        self.facts = NodeFacts(node, (network.address,), (network.pod_cidr,))
        with namespaces.inside(world.namespace(node)):
            self.netfilter = NetfilterSocket()
        self.kernel = KernelTables(self.netfilter, IPV4)
        self.tables = Tables()
        self.restart()

    def restart(self) -> None:
        """What a new process does that knows the same objects."""
        own = services.own_ranges(self.facts, IPV4)
        self.tables.change({}, own, ("10.96.0.0/12",))
        self.kernel.replace(self.tables.everything())

    def apply(self, objects: dict[str, Any]) -> None:
        wanted = {
            name: services.wanted(service, slices, self.facts, IPV4)
            for name, (service, slices) in objects.items()
        }
        for gone in set(self.tables.services()) - set(objects):
            wanted[gone] = services.wanted(None, [], self.facts, IPV4)
        change = self.tables.change(wanted)
        self.kernel.apply(change)
        end_flows(self.netfilter, IPV4, change.flows)

    def close(self) -> None:
        self.netfilter.close()


def _serve_tcp(server: socket.socket, place: str) -> None:
    while True:
        try:
            connection, client = server.accept()
        except OSError:
            return  # closed at the end of the test
        threading.Thread(target=_converse, args=(connection, client, place), daemon=True).start()


def _converse(connection: socket.socket, client: tuple[str, int], place: str) -> None:
    with connection:
        try:
            connection.sendall(f"{place} {client[0]}".encode())
            while received := connection.recv(1000):
                connection.sendall(received)
        except OSError:
            return  # the client went away


def _serve_udp(server: socket.socket, place: str) -> None:
    while True:
        try:
            _, client = server.recvfrom(1000)
            server.sendto(f"{place} {client[0]}".encode(), client)
        except OSError:
            return


def _answer(received: bytes) -> Answer:
    pod, client = received.decode().split()
    return Answer(pod, client)


def service(name: str, address: str, **spec: Any) -> dict[str, Any]:
    """A Service on port 80; `annotations` and `status` go where they belong."""
    metadata: dict[str, Any] = {"name": name, "namespace": "default"}
    if "annotations" in spec:
        metadata["annotations"] = spec.pop("annotations")
    status = spec.pop("status", {})
    ports = spec.pop("ports", [{"port": 80, "protocol": "TCP"}])
    return {
        "metadata": metadata,
        "spec": {"clusterIP": address, "clusterIPs": [address], "ports": ports, **spec},
        "status": status,
    }


def endpoint_slice(pods: str, protocol: str = "TCP", **conditions: bool) -> dict[str, Any]:
    """An EndpointSlice of Pods by their letters."""
    return {
        "addressType": "IPv4",
        "ports": [{"port": PORT, "protocol": protocol}],
        "endpoints": [
            {"addresses": [PODS[pod][1]], "nodeName": PODS[pod][0], "conditions": conditions}
            for pod in pods
        ],
    }


@pytest.fixture(scope="session")
def built_world() -> Iterator[World]:
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    _remove_leftovers()
    world = World()
    try:
        world.build()
        yield world
    finally:
        world.destroy()


def _remove_leftovers() -> None:
    """Namespaces of runs that were killed; their links and tables go with them."""
    for name in namespaces.names("pf-pt"):
        run = re.match(r"pf-pt(\d+)-", name)
        if run and not Path(f"/proc/{run[1]}").exists():
            namespaces.delete(name)


@pytest.fixture
def world(built_world: World) -> Iterator[World]:
    built_world.apply()
    yield built_world
    built_world.apply()


@pytest.fixture
def make_service() -> Any:
    return service


@pytest.fixture
def make_slice() -> Any:
    return endpoint_slice
