"""What was acknowledged survives the sudden death of the server."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from pilotfish.client.api import Client
from pilotfish.client.errors import Unreachable
from support.apiserver import (
    api_server_config,
    client_config,
    free_port,
    running_api_server,
)
from support.objects import config_map

SERVE = """
import asyncio, pathlib, sys
from pilotfish.apiserver.server import ApiServer
from support.apiserver import api_server_config
asyncio.run(ApiServer(api_server_config(pathlib.Path(sys.argv[1]), int(sys.argv[2]))).run())
"""


async def test_no_acknowledged_write_is_lost_when_the_server_is_killed(tmp_path: Path) -> None:
    port = free_port()
    api_server_config(tmp_path, port)
    tests = Path(__file__).parents[2]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        SERVE,
        str(tmp_path),
        str(port),
        env=os.environ | {"PYTHONPATH": str(tests)},
    )
    acknowledged: set[str] = set()
    enough = asyncio.Event()

    async def write(client: Client, writer: int) -> None:
        for count in range(10_000):
            name = f"w{writer}-{count}"
            try:
                await client.create("configmaps", config_map(name))
            except Unreachable:
                return
            acknowledged.add(name)
            if len(acknowledged) == 100:
                enough.set()

    async with Client(client_config(tmp_path, f"https://127.0.0.1:{port}")) as client:
        await _until_it_answers(client)
        writers = [asyncio.create_task(write(client, writer)) for writer in range(8)]
        await enough.wait()
        process.send_signal(signal.SIGKILL)
        await process.wait()
        await asyncio.gather(*writers)
    async with running_api_server(tmp_path) as server, Client(server.client_config()) as client:
        listed = await client.list("configmaps", "default")
    assert {item["metadata"]["name"] for item in listed["items"]} >= acknowledged


async def _until_it_answers(client: Client) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                await client.request("GET", "/version")
            except Unreachable:
                await asyncio.sleep(0.05)
            else:
                return
