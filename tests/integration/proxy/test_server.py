"""The proxy's server: what the kernel holds, for those who may ask."""

from __future__ import annotations

import asyncio
import http.client
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pilotfish.client.certificates import server_tls
from pilotfish.cluster import pki
from pilotfish.network import namespaces
from pilotfish.proxy.metrics import Metrics
from pilotfish.proxy.server import PORT, ProxyServer
from pilotfish.proxy.table_list import Written

ADDRESS = "192.168.64.2"
VIP = "10.96.0.99"


@pytest.fixture
def asked(world: Any, tmp_path: Path) -> Iterator[Callable[..., http.client.HTTPResponse]]:
    """Asks the server on node-1 from the host, as one of the cluster's identities."""
    pki.write_pki(tmp_path, "cluster.local", ["127.0.0.1"], {"node-1": ADDRESS})
    stem = pki.kubelet_serving("node-1")
    tls = server_tls(
        pki.cert_file(tmp_path, stem), pki.key_file(tmp_path, stem), pki.cert_file(tmp_path, "ca")
    )
    stop: list[Callable[[], object]] = []
    listening = threading.Event()

    def written() -> Written:
        found = world.proxies["node-1"].tables.written()
        return {front: (f"Service default/{name}", to) for front, (name, to) in found.items()}

    def run() -> None:
        namespaces.enter(world.namespace("node-1"))

        async def serve() -> None:
            server = ProxyServer("node-1", written, Metrics().text, tls, ADDRESS)
            task = asyncio.create_task(server.run())
            loop = asyncio.get_running_loop()
            stop.append(lambda: loop.call_soon_threadsafe(task.cancel))
            await server.listening.wait()
            listening.set()
            await asyncio.gather(task, return_exceptions=True)

        asyncio.run(serve())

    def ask(path: str, identity: pki.Identity = pki.API_TO_KUBELET) -> http.client.HTTPResponse:
        context = ssl.create_default_context(cafile=str(pki.cert_file(tmp_path, "ca")))
        context.load_cert_chain(
            pki.cert_file(tmp_path, identity.stem), pki.key_file(tmp_path, identity.stem)
        )
        connection = http.client.HTTPConnection(ADDRESS, PORT)
        opened = world.connect("host", ADDRESS, PORT)
        connection.sock = context.wrap_socket(opened, server_hostname=ADDRESS)
        connection.request("GET", path)
        return connection.getresponse()

    thread = threading.Thread(target=run)
    thread.start()
    assert listening.wait(10)
    yield ask
    stop[0]()
    thread.join(5)
    assert not thread.is_alive()


def fronts(answer: http.client.HTTPResponse) -> dict[str, Any]:
    """By address; those that the node's tables have."""
    told = json.loads(answer.read())
    assert told["node"] == "node-1"
    return {row["front"]: row for row in told["fronts"]}


def test_the_tables_are_told_as_the_kernel_has_them(
    world: Any, asked: Any, make_service: Any, make_slice: Any
) -> None:
    world.apply(
        (make_service("web", VIP), [make_slice("abd")]),
        (make_service("nobody", "10.96.0.98"), []),
    )
    told = fronts(asked("/v1/tables"))
    web = told[f"{VIP}:80/TCP"]
    assert web["rule"] == "random"
    assert web["service"] == "default/web"
    assert sorted(web["slots"]) == ["10.244.0.2:8080", "10.244.0.3:8080", "10.244.1.2:8080"]
    assert told["10.96.0.98:80/TCP"]["rule"] == "reject"
    assert not any("drift" in row for row in told.values())


def test_what_somebody_else_has_changed_is_told_as_drift(
    world: Any, asked: Any, make_service: Any, make_slice: Any
) -> None:
    world.apply((make_service("web", VIP), [make_slice("ab")]))
    proxy = world.proxies["node-1"]
    known = proxy.tables.written()
    proxy.apply({})  # the kernel loses it; what follows remembers it
    proxy.tables.written = lambda: known
    row = fronts(asked("/v1/tables"))[f"{VIP}:80/TCP"]
    assert row["rule"] == "none"
    assert row["drift"] == "missing in the kernel; it should choose among 2 endpoints"
    del proxy.tables.written


def test_health_and_metrics_are_there_and_nothing_else(asked: Any) -> None:
    assert asked("/healthz").read() == b"ok"
    assert b"kubeproxy_sync_proxy_rules_duration_seconds_count 0" in asked("/metrics").read()
    assert asked("/v1/other").status == 404


def test_only_the_api_server_and_administrators_are_answered(asked: Any) -> None:
    assert asked("/v1/tables", pki.PROXY).status == 403
    assert asked("/v1/tables", pki.ADMIN).status == 200
