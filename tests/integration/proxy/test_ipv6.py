"""The table `ip6 pilotfish`: the same layout, with packets of IPv6."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from pilotfish.network import links, namespaces, pod_link, routes
from pilotfish.network.netlink import Netlink
from pilotfish.proxy.conntrack import end_flows
from pilotfish.proxy.family import IPV6
from pilotfish.proxy.fronts import NOTHING, Balance, Endpoint, Front, Target, Wanted
from pilotfish.proxy.kernel import KernelTables
from pilotfish.proxy.nfnetlink import NetfilterSocket
from pilotfish.proxy.tables import Tables

PODS = {"six-a": "fd00:244::2", "six-b": "fd00:244::3", "six-c": "fd00:244::4"}
WEB = Front("fd00:96::7", "tcp", 80)
DNS = Front("fd00:96::7", "udp", 53)
B, C = (Endpoint(PODS[pod], 8080) for pod in ("six-b", "six-c"))


class Six:
    """IPv6 Pods on node-1, and its IPv6 tables."""

    def __init__(self, world: Any) -> None:
        self._world = world
        self._node = world.namespace("node-1")
        self._servers: list[socket.socket] = []
        with namespaces.inside(self._node):
            namespaces.sysctl("ipv6/conf/all/forwarding", 1)
            with Netlink() as netlink:
                links.add_address(netlink, "lo", "fd00:244::1/128")
                routes.replace(netlink, "::/0", link="eth0")
            for number, (pod, address) in enumerate(PODS.items()):
                pod_link.create(self._namespace(pod), f"veth-six{number}", [address])
            self.netfilter = NetfilterSocket()
        for pod in PODS:
            self._serve(pod)
        self.tables = Tables()
        self.kernel = KernelTables(self.netfilter, IPV6)
        self.tables.change({}, ("fd00:244::/64",), ("fd00:96::/112",))
        self.kernel.replace(self.tables.everything())

    def _namespace(self, pod: str) -> str:
        return str(self._world.namespace(pod))

    def _serve(self, pod: str) -> None:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            server = self.open(pod, kind)
            server.settimeout(None)
            server.bind(("::", 8080))
            self._servers.append(server)
            if kind == socket.SOCK_STREAM:
                server.listen(64)
            threading.Thread(target=_answer, args=(server, pod), daemon=True).start()

    def open(self, pod: str, kind: int = socket.SOCK_STREAM) -> socket.socket:
        with namespaces.inside(self._namespace(pod)):
            opened = socket.socket(socket.AF_INET6, kind)
        opened.settimeout(2)
        return opened

    def ask(self, pod: str, front: Front) -> tuple[str, str]:
        """(Pod that answered, client that it saw)."""
        with self.open(pod) as asking:
            asking.connect((front.address, front.port))
            answering, client = asking.recv(100).decode().split()
            return answering, client

    def want(self, fronts: dict[Front, Target], own: frozenset[str] = frozenset()) -> None:
        change = self.tables.change({"web": Wanted(fronts, own) if fronts else NOTHING})
        self.kernel.apply(change)
        end_flows(self.netfilter, IPV6, change.flows)

    def close(self) -> None:
        self.kernel.remove()
        self.netfilter.close()
        for server in self._servers:
            server.close()
        with namespaces.inside(self._node):
            for number, pod in enumerate(PODS):
                pod_link.remove(self._namespace(pod), f"veth-six{number}")


def _answer(server: socket.socket, pod: str) -> None:
    while True:
        try:
            if server.type == socket.SOCK_STREAM:
                connection, client = server.accept()
                with connection:
                    connection.sendall(f"{pod} {client[0]}".encode())
            else:
                _, client = server.recvfrom(100)
                server.sendto(f"{pod} {client[0]}".encode(), client)
        except OSError:
            return


@pytest.fixture
def six(world: Any) -> Iterator[Six]:
    made = Six(world)
    yield made
    made.close()


def test_connections_reach_every_endpoint_and_show_the_client(six: Six) -> None:
    six.want({WEB: Balance((B, C))})
    answers = {six.ask("six-a", WEB) for _ in range(40)}
    assert answers == {("six-b", PODS["six-a"]), ("six-c", PODS["six-a"])}


def test_turns_stickiness_hairpin_and_refusal_work_as_in_ipv4(six: Six) -> None:
    six.want({WEB: Balance((B, C), counter="default/web/80/tcp")})
    assert [six.ask("six-a", WEB)[0] for _ in range(6)] == ["six-b", "six-c"] * 3
    six.want({WEB: Balance((B, C), sticky_s=60)})
    assert len({six.ask("six-a", WEB)[0] for _ in range(12)}) == 1
    six.want({WEB: Balance((B,))}, frozenset({B.address}))
    assert six.ask("six-b", WEB)[0] == "six-b"
    six.want({WEB: "refuse"})
    with pytest.raises(ConnectionRefusedError):
        six.ask("six-a", WEB)
    with pytest.raises(ConnectionRefusedError):
        six.ask("six-a", WEB._replace(address="fd00:96::99"))


def test_a_udp_flow_moves_when_its_endpoint_leaves(six: Six) -> None:
    six.want({DNS: Balance((B,))})
    with six.open("six-a", socket.SOCK_DGRAM) as asking:
        asking.connect((DNS.address, DNS.port))
        asking.send(b"?")
        assert asking.recv(100).startswith(b"six-b ")
        six.want({DNS: Balance((C,))})
        asking.send(b"?")
        assert asking.recv(100).startswith(b"six-c ")
        six.want({DNS: "refuse"})
        asking.send(b"?")
        with pytest.raises(ConnectionRefusedError):
            asking.recv(100)
