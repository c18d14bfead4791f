"""The API server under the fuzzer: a process of its own, over a folder."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.apiserver import api_server_config, free_port

_STARTS_WITHIN_S = 30.0


@contextmanager
def fuzzed_server(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A running server: its process, and the Unix socket where it is asked. Logs to `log`."""
    tests = Path(__file__).parents[1]
    command = [sys.executable, "-m", "fuzz.server", str(folder)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, stderr=log, env={**os.environ, "PYTHONPATH": str(tests)}
        )
    path = folder / "api.sock"
    try:
        deadline = time.monotonic() + _STARTS_WITHIN_S
        while not path.exists():
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, "the server does not start"
            time.sleep(0.05)
        yield process, path
    finally:
        process.kill()
        process.wait()


async def _serve(folder: Path) -> None:
    from pilotfish.apiserver.server import ApiServer

    await ApiServer(api_server_config(folder, free_port())).run()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("pilotfish.apiserver.access").setLevel(logging.CRITICAL)
    asyncio.run(_serve(Path(sys.argv[1])))
