"""A process to put load on: the API server alone, or the library under it answering a constant.

`python -m benchmarks.api_process server|constant FOLDER PORT STORE`; it runs until it is killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import uvloop

from pilotfish.apiserver.config import ApiServerConfig
from pilotfish.cluster import pki
from pilotfish.cluster.garbage import collect_by_growth

ADDRESS = "127.0.0.1"
STORE = "store.db"
# A Service as it is answered, in size.
_CONSTANT = b'{"kind":"Service","apiVersion":"v1","data":"%b"}' % (b"x" * 1000)
_START_LIMIT_S = 60.0


def certificates(folder: Path) -> None:
    """Make what servers and clients in this folder identify themselves with."""
    pki.write_pki(folder / "pki", "cluster.local", [ADDRESS], {})


def client_context(folder: Path) -> ssl.SSLContext:
    """TLS of the administrator."""
    keys = folder / "pki"
    context = ssl.create_default_context(cafile=str(pki.cert_file(keys, "ca")))
    stem = pki.ADMIN.stem
    context.load_cert_chain(pki.cert_file(keys, stem), pki.key_file(keys, stem))
    return context


@contextlib.contextmanager
def process(kind: str, folder: Path, port: int, store: str = "") -> Iterator[tuple[int, float]]:
    """A process of that kind, ready; its pid, and how many seconds that took.

    store: the address of an etcd; "" for a file in the folder.
    """
    began = time.monotonic()
    command = [sys.executable, "-m", "benchmarks.api_process", kind, str(folder), str(port), store]
    running = subprocess.Popen(command)
    try:
        _wait(folder, port)
        yield running.pid, time.monotonic() - began
    finally:
        running.kill()
        running.wait()


def _wait(folder: Path, port: int) -> None:
    context = client_context(folder)
    end = time.monotonic() + _START_LIMIT_S
    while time.monotonic() < end:
        connection = http.client.HTTPSConnection(ADDRESS, port, context=context, timeout=5)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.01)
        finally:
            connection.close()
    raise SystemExit(f"nothing answers on port {port}")


def _server_config(folder: Path, port: int, store: str) -> ApiServerConfig:
    keys = folder / "pki"
    return ApiServerConfig(
        listen=((ADDRESS, port),),
        cert_file=pki.cert_file(keys, "apiserver"),
        key_file=pki.key_file(keys, "apiserver"),
        client_ca_file=pki.cert_file(keys, "ca"),
        service_account_key_file=keys / "sa.key",
        store_path=folder / STORE,
        store_address=store,
        advertise_address="192.0.2.1",
    )


async def _serve_constant(folder: Path, port: int) -> None:
    from aiohttp import web

    async def answer(request: web.BaseRequest) -> web.Response:
        await request.read()
        return web.Response(body=_CONSTANT, headers={"Content-Type": "application/json"})

    runner = web.ServerRunner(web.Server(answer, access_log=None))
    await runner.setup()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    keys = folder / "pki"
    context.load_cert_chain(pki.cert_file(keys, "apiserver"), pki.key_file(keys, "apiserver"))
    context.load_verify_locations(pki.cert_file(keys, "ca"))
    context.verify_mode = ssl.CERT_OPTIONAL
    await web.TCPSite(runner, ADDRESS, port, ssl_context=context).start()
    await asyncio.Event().wait()


async def _serve(kind: str, folder: Path, port: int, store: str) -> None:
    if kind == "constant":
        await _serve_constant(folder, port)
        return
    from pilotfish.apiserver.server import ApiServer

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(collect_by_growth())
        tasks.create_task(ApiServer(_server_config(folder, port, store)).run())


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
