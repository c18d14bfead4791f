"""The process of a tap session: `session_process FD PARENT`, its configuration on standard input.

FD is the listening socket that it inherits, PARENT the process that starts it; see `worker`.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
import os
import signal
import socket
import sys
from pathlib import Path

import uvloop

from pilotfish.client import heartbeat, log_lines
from pilotfish.client.api import Client
from pilotfish.client.config import ClientConfig
from pilotfish.tap.config import TapConfig
from pilotfish.tap.server import TapServer
from pilotfish.tap.session import Session

log = logging.getLogger(__name__)

_PR_SET_PDEATHSIG = 1


def main() -> int:
    """Serve viewers until a while after the last one has gone."""
    # The node process that started us holds the socket too: when it is killed, its successor
    # could not listen.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    heartbeat.stacks_on_signal()
    config = TapConfig.from_json(sys.stdin.read())
    log_lines.configure(
        config.log_format, config.node_name, Path(config.log_file) if config.log_file else None
    )
    if os.getppid() != int(sys.argv[2]):
        return 1  # it died before we asked to be told
    # Bursts make objects by the hundred thousand, and few are ever garbage in a cycle.
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    listener = socket.socket(fileno=int(sys.argv[1]))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(config, listener))
    return 0


async def _run(config: TapConfig, listener: socket.socket) -> None:
    client_config = ClientConfig(
        server=config.server,
        ca=Path(config.ca),
        cert=Path(config.client_cert),
        key=Path(config.client_key),
    )
    async with Client(client_config, user_agent="pilotfish/tap") as client:
        session = Session(client, config.node_name, config.host_addresses)
        beating = (
            asyncio.create_task(heartbeat.beat(Path(config.beat_file)))
            if config.beat_file
            else None
        )
        try:
            await TapServer(config, session, listener).run()
        finally:
            if beating is not None:
                beating.cancel()


if __name__ == "__main__":
    sys.exit(main())
