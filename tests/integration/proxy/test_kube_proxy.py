"""`pilotfish kube-proxy` against an API server, in a network namespace that has no cluster."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pilotfish.network import namespaces
from pilotfish.proxy.family import IPV4
from pilotfish.proxy.kernel import KernelTables
from pilotfish.proxy.nfnetlink import NetfilterSocket
from support.apiserver import RunningApiServer, running_api_server

VIP = "10.96.0.55"


@pytest.fixture
def api_server(world: Any, tmp_path: Path) -> Iterator[RunningApiServer]:
    """An API server on the loopback of the world's host."""
    running: list[RunningApiServer] = []
    stop: list[Callable[[], Any]] = []

    async def serve() -> None:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        async with running_api_server(tmp_path) as server:
            stop.append(lambda: loop.call_soon_threadsafe(stopped.set))
            running.append(server)
            await stopped.wait()

    def run() -> None:
        namespaces.enter(world.namespace("host"))
        asyncio.run(serve())

    thread = threading.Thread(target=run)
    thread.start()
    eventually(lambda: bool(running))
    yield running[0]
    stop[0]()
    thread.join(10)


class KubeProxy:
    """The command as a process, and kubectl beside it."""

    def __init__(self, world: Any, server: RunningApiServer) -> None:
        self._prefix = ["ip", "netns", "exec", world.namespace("host")]
        self._server = server
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *more: str) -> None:
        program = "import sys; from pilotfish.cli.main import main; sys.exit(main())"
        arguments = ["kube-proxy", "--kubeconfig", str(self._server.kubeconfig), "--node", "host"]
        arguments += more or ["--service-cidr", "10.96.0.0/12"]
        command = [*self._prefix, sys.executable, "-c", program, *arguments]
        self._process = subprocess.Popen(command)

    def end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(10)
            self._process = None

    def apply(self, *objects: dict[str, Any]) -> None:
        command = [*self._prefix, "kubectl", "--kubeconfig", str(self._server.kubeconfig)]
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        subprocess.run([*command, "apply", "-f", "-"], input=text, text=True, check=True)


@pytest.fixture
def kube_proxy(world: Any, api_server: RunningApiServer) -> Iterator[KubeProxy]:
    made = KubeProxy(world, api_server)
    yield made
    made.end(signal.SIGKILL)
    with namespaces.inside(world.namespace("host")):
        netfilter = NetfilterSocket()
    KernelTables(netfilter, IPV4).remove()
    netfilter.close()


def eventually(holds: Callable[[], bool], timeout_s: float = 10) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold"
        time.sleep(0.02)


def a_service() -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"clusterIP": VIP, "ports": [{"port": 80, "targetPort": 8080}]},
    }


def a_slice(made: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": "web-1",
            "namespace": "default",
            "labels": {"kubernetes.io/service-name": "web"},
        },
        **made,
    }


def answered(world: Any) -> str:
    try:
        return str(world.ask("host", VIP, 80).pod)
    except OSError as error:
        return type(error).__name__


def test_it_serves_a_cluster_and_its_tables_outlive_it(
    world: Any, kube_proxy: KubeProxy, make_slice: Any
) -> None:
    kube_proxy.start()
    kube_proxy.apply(a_service(), a_slice(make_slice("b")))
    eventually(lambda: answered(world) == "b")

    with world.connect("host", VIP, 80) as connection:
        assert connection.recv(100).startswith(b"b ")
        kube_proxy.end(signal.SIGKILL)
        assert answered(world) == "b"
        kube_proxy.apply(a_slice(make_slice("d")))
        kube_proxy.start()
        eventually(lambda: answered(world) == "d")
        connection.sendall(b"still there?")
        assert connection.recv(100) == b"still there?"

    kube_proxy.end(signal.SIGTERM)
    assert answered(world) == "d"


def test_it_repairs_what_it_finds_at_start(
    world: Any, kube_proxy: KubeProxy, make_slice: Any
) -> None:
    mess = """
    table ip pilotfish {
        map services { type ipv4_addr : verdict; }
        chain lb-1 { drop; }
        chain stray { type filter hook output priority 0; ip daddr 10.96.0.55 drop; }
    }
    """
    with namespaces.inside(world.namespace("host")):
        subprocess.run(["nft", "-f", "-"], input=mess, text=True, check=True)
    kube_proxy.apply(a_service(), a_slice(make_slice("b")))
    kube_proxy.start()
    eventually(lambda: answered(world) == "b")


def test_without_announcing_it_takes_no_addresses(
    world: Any, kube_proxy: KubeProxy, make_slice: Any
) -> None:
    balanced = a_service()
    balanced["spec"]["type"] = "LoadBalancer"
    kube_proxy.apply(balanced, a_slice(make_slice("b")))
    kube_proxy.start()
    eventually(lambda: answered(world) == "b")
    command = [
        "ip",
        "-n",
        world.namespace("host"),
        "route",
        "show",
        "table",
        "local",
        "proto",
        "112",
    ]
    assert subprocess.run(command, capture_output=True, check=True).stdout == b""


def test_without_ranges_it_serves_both_families(
    world: Any, kube_proxy: KubeProxy, make_slice: Any
) -> None:
    kube_proxy.apply(a_service(), a_slice(make_slice("b")))
    kube_proxy.start("--host-ports")
    eventually(lambda: answered(world) == "b")
    command = ["ip", "netns", "exec", world.namespace("host"), "nft", "list", "tables"]
    eventually(lambda: b"table ip6 pilotfish" in subprocess.check_output(command))
