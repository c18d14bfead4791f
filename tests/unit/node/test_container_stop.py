"""The patience with a container that shall end."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from pilotfish.node.container_run import signal_number
from pilotfish.node.container_stop import Deadline
from pilotfish.node.paths import NodePaths
from pilotfish.node.record import ContainerRecord
from pilotfish.node.unstarted import is_unstarted

FOREVER_S = 100_000.0


async def test_what_ends_in_time_is_not_waited_for_any_longer() -> None:
    task = asyncio.ensure_future(asyncio.sleep(0))
    assert await Deadline(FOREVER_S).wait_for(task)


async def test_a_shorter_grace_period_counts_at_once_for_those_who_wait() -> None:
    deadline = Deadline(FOREVER_S)
    never: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(deadline.wait_for(never))
    await asyncio.sleep(0)
    deadline.shorten(0)
    assert await waiting is False


async def test_a_grace_period_is_never_made_longer() -> None:
    deadline = Deadline(0)
    deadline.shorten(FOREVER_S)
    assert deadline.left_s == 0


async def test_after_a_hook_there_is_still_time_for_the_signal() -> None:
    deadline = Deadline(0)
    deadline.extend_to(FOREVER_S)
    assert deadline.left_s > 0


def test_signals_are_known_by_name_and_number() -> None:
    assert signal_number("SIGINT") == signal_number("INT") == signal.SIGINT
    assert signal_number("9") == signal.SIGKILL
    assert signal_number("SIGWHAT") == signal.SIGTERM


def test_a_run_of_which_nobody_knows_a_process_was_never_started(tmp_path: Path) -> None:
    paths = NodePaths(tmp_path, tmp_path / "run").pod("uid").container("app", 0)
    paths.bundle.mkdir(parents=True)
    record = ContainerRecord("id", "app", 0, "host", "sha256:1")
    assert is_unstarted(record, paths)
    (paths.bundle / "pid").write_text("42")
    assert not is_unstarted(record, paths)
    record.save(paths.record)
    assert ContainerRecord.load(paths.record) == record
