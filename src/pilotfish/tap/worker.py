"""The tap on a node, for as long as nobody looks: a listening socket.

The first viewer's connection starts the session process, which inherits the socket, accepts that
connection and all others, captures, and ends a while after its last viewer has gone. So the node
process is not burdened, neither by capturing nor by TLS nor by sending.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from pilotfish.client import liveness
from pilotfish.tap.config import TapConfig

log = logging.getLogger(__name__)

_COMMAND = (sys.executable, "-P", "-m", "pilotfish.tap.session_process")
_BACKLOG = 64
# What fails at once is not tried again at once.
_PAUSE_S = 1.0


class TapWorker:
    """Starts sessions when viewers come. Runs in the node's network namespace."""

    def __init__(self, config: TapConfig) -> None:
        self._config = config

    async def run(self) -> None:
        """Serve until cancelled; a session that runs then is ended."""
        with await self._listen() as listener:
            log.info("tap waits for viewers on %s:%d", self._config.address, self._config.port)
            while True:
                await _readable(listener)
                code = await self._session(listener)
                if code:
                    log.warning("the tap session ended with %d", code)
                    await asyncio.sleep(_PAUSE_S)

    async def _listen(self) -> socket.socket:
        address, port = self._config.address, self._config.port
        while True:
            try:
                listener = socket.create_server(
                    (address, port),
                    family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                    backlog=_BACKLOG,
                )
            except OSError as error:
                # Nothing else on the node shall suffer from it.
                log.warning("the tap cannot listen on %s:%d: %s", address, port, error)
                await asyncio.sleep(_PAUSE_S)
                continue
            listener.setblocking(False)
            return listener

    async def _session(self, listener: socket.socket) -> int:
        # vfork: the node process is held up for a millisecond, whatever its size.
        process = subprocess.Popen(  # noqa: ASYNC220
            [*_COMMAND, str(listener.fileno()), str(os.getpid())],
            stdin=subprocess.PIPE,
            pass_fds=(listener.fileno(),),
            start_new_session=True,
        )
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError), process.stdin:
            process.stdin.write(self._config.to_json().encode())
        try:
            return await _ended(process, Path(self._config.beat_file))
        except asyncio.CancelledError:
            process.send_signal(signal.SIGTERM)
            raise


async def _readable(listener: socket.socket) -> None:
    """Return when a connection waits to be accepted."""
    loop = asyncio.get_running_loop()
    waits = asyncio.Event()
    loop.add_reader(listener.fileno(), waits.set)
    try:
        await waits.wait()
    finally:
        loop.remove_reader(listener.fileno())


async def _ended(process: subprocess.Popen[bytes], beat_file: Path) -> int:
    """The exit code of a process, once it has ended; it is killed when its loop does not turn."""
    loop = asyncio.get_running_loop()
    descriptor = os.pidfd_open(process.pid)
    gone = asyncio.Event()
    loop.add_reader(descriptor, gone.set)
    watch = liveness.Watch()
    try:
        while not await _happens(gone, liveness.LOOK_PERIOD_S):
            seen = liveness.look(process.pid, beat_file)
            reason = watch.hung(seen) if seen is not None else None
            if reason is not None:
                log.error("the tap session (pid %d): %s; it is ended", process.pid, reason)
                process.send_signal(liveness.STACKS_SIGNAL)
                await _happens(gone, liveness.STACKS_GRACE_S)
                process.kill()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
    return process.wait()


async def _happens(event: asyncio.Event, timeout_s: float) -> bool:
    """Wait for an event; False when the time is over first."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), timeout_s)
    return event.is_set()
