"""A client is told which CAs' certificates the server takes, as curl and browsers want it."""

from __future__ import annotations

import asyncio

from support.apiserver import RunningApiServer


async def test_the_certificate_request_names_the_client_ca(server: RunningApiServer) -> None:
    address = server.url.removeprefix("https://")
    process = await asyncio.create_subprocess_exec(
        "openssl",
        "s_client",
        "-connect",
        address,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 20)
    lines = output.decode().splitlines()
    names = lines[lines.index("Acceptable client certificate CA names") + 1]
    assert names.startswith("CN = "), names
