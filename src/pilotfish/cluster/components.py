"""What every component's process does around its work: an event loop, a log, a clean end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from typing import TYPE_CHECKING

import uvloop

from pilotfish.client import heartbeat
from pilotfish.client.api import Client
from pilotfish.client.config import ClientConfig
from pilotfish.client.log_lines import configure
from pilotfish.cluster import pki

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from pilotfish.cluster.paths import Folders
    from pilotfish.cluster.pki import Identity
    from pilotfish.cluster.state import ClusterState

logger = logging.getLogger(__name__)

_LISTEN_POLL_S = 0.005
_TELL_PERIOD_S = 10.0


def run_until_terminated(
    work: Coroutine[None, None, None],
    log_format: str = "text",
    component: str = "",
    folders: Folders | None = None,
) -> int:
    """Run `work` on a fresh loop until it ends or SIGTERM or SIGINT comes. Returns the exit code.

    A component has no natural end: one that returns or raises has failed, and the supervisor
    starts it again, as it does when the loop does not turn.

    Args:
        folders: where its log is, and where it shows that the loop turns; None for a process that
            the supervisor does not know, which writes to standard error.
    """
    heartbeat.stacks_on_signal()
    log = folders.log(component) if folders else None
    tell_left_out = configure(log_format, component, log)
    beat_file = folders.beats / component if folders else None
    # A restart must find Pods as they were left: what a component has under way is cancelled, and
    # nothing is undone.
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_terminable(work, beat_file, tell_left_out))


def client_for(cluster: ClusterState, identity: Identity, server: str) -> Client:
    """A client that speaks for `identity`. server: the API server's base URL."""
    folder = cluster.folders.pki
    config = ClientConfig(
        server=server,
        ca=pki.cert_file(folder, "ca"),
        cert=pki.cert_file(folder, identity.stem),
        key=pki.key_file(folder, identity.stem),
    )
    return Client(config, user_agent=f"pilotfish/{identity.stem}")


async def wait_listening(host: str, port: int) -> None:
    """Return as soon as somebody accepts connections there.

    Informers that find no server back off for longer than a whole start-up takes.
    """
    while True:
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            await asyncio.sleep(_LISTEN_POLL_S)
            continue
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return


async def _terminable(
    work: Coroutine[None, None, None], beat_file: Path | None, tell_left_out: Callable[[], None]
) -> int:
    beside = [asyncio.ensure_future(_every(_TELL_PERIOD_S, tell_left_out))]
    if beat_file is not None:
        beside.append(asyncio.ensure_future(heartbeat.beat(beat_file)))
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    terminated = False

    def terminate() -> None:
        nonlocal terminated
        terminated = True
        task.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, terminate)
    try:
        await task
    except asyncio.CancelledError:
        if terminated:
            logger.info("terminated")
            return 0
        raise
    except BaseException as error:
        # The last line of the log is what `pilotfish up` shows.
        logger.exception("a component failed")
        for one in _leaves(error):
            logger.error("%s: %s", type(one).__name__, one)
        return 1
    finally:
        for task_beside in beside:
            task_beside.cancel()
    logger.error("the component ended by itself")
    return 1


async def _every(period_s: float, work: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(period_s)
        work()


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for inner in error.exceptions for leaf in _leaves(inner)]
    return [error]
