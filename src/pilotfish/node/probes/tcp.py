"""The TCP probe: can a connection be opened?"""

from __future__ import annotations

import asyncio

from pilotfish.node.probes.http import connection_error
from pilotfish.node.probes.state import Result


async def probe_tcp(address: str, port: int, timeout_s: float) -> Result:
    try:
        async with asyncio.timeout(timeout_s):
            _reader, writer = await asyncio.open_connection(address, port)
    except TimeoutError:
        return Result(False, f"dial tcp {address}:{port}: i/o timeout")
    except OSError as error:
        return Result(False, connection_error(error, address, port))
    writer.close()
    return Result(True)
