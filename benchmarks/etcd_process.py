"""An etcd of one member for a measurement, and puts that go to it without any API server.

The puts are made by grpcio, the library under every client of etcd in Python.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

_START_LIMIT_S = 20.0


@contextlib.contextmanager
def etcd(folder: Path, port: int, peer_port: int) -> Iterator[None]:
    """An etcd that answers on a port of loopback, with its data in a folder."""
    clients, peers = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peer_port}"
    command = ["etcd", "--data-dir", str(folder), "--name", "one", "--logger", "zap"]
    command += ["--listen-client-urls", clients, "--advertise-client-urls", clients]
    command += ["--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers]
    command += ["--initial-cluster", f"one={peers}", "--log-level", "error"]
    running = subprocess.Popen(command)
    try:
        end = time.monotonic() + _START_LIMIT_S
        while not _answers(clients):
            if time.monotonic() > end:
                raise SystemExit(f"etcd does not answer on port {port}")
            time.sleep(0.05)
        yield
    finally:
        running.kill()
        running.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


async def put_rate(port: int, at_once: int, size: int, duration_s: float) -> float:
    """Puts a second of values of so many bytes, that many at a time."""
    import grpc.aio

    end = time.monotonic() + duration_s
    done = 0
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        put = channel.unary_unary("/etcdserverpb.KV/Put")

        async def work(worker: int) -> None:
            nonlocal done
            while time.monotonic() < end:
                key = f"/raw/{worker}-{done}".encode()
                await put(_field(1, key) + _field(2, bytes(size)))
                done += 1

        began = time.monotonic()
        await asyncio.gather(*(work(worker) for worker in range(at_once)))
        return done / (time.monotonic() - began)


def _field(number: int, value: bytes) -> bytes:
    """A field of bytes in protobuf's encoding."""
    length, rest = len(value), bytearray()
    while length > 0x7F:
        rest.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes((number << 3 | 2, *rest, length)) + value
