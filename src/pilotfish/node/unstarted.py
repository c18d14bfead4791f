"""A start that the kubelet before did not see through: undone, as if it had never been.

It had written the record and was killed before runc said that the container runs. runc itself
may still be at work, for it outlives who started it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from pathlib import Path

from pilotfish.node import cgroups, mounts
from pilotfish.node.files.trees import remove_tree
from pilotfish.node.paths import ContainerPaths
from pilotfish.node.record import ContainerRecord
from pilotfish.node.runc import Runc
from pilotfish.node.volumes import bound

log = logging.getLogger(__name__)


def is_unstarted(record: ContainerRecord, paths: ContainerPaths) -> bool:
    """Whether nobody knows of a process of this run: runc writes the pid file last."""
    return not record.exited and record.pid == 0 and not (paths.bundle / "pid").exists()


async def undo_start(runc: Runc, record: ContainerRecord, paths: ContainerPaths) -> None:
    """Remove what there is of the run, so that its number is free again."""
    log.info("container %s: undoing a start that was cut short", record.name)
    for pid in _processes_naming(record.container_id):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    await runc.delete(record.container_id, paths.bundle)
    cgroups.remove(record.container_id)
    mounts.unmount(paths.rootfs)
    bound.release(paths.bound)
    for folder in (paths.run, paths.bundle):
        await asyncio.to_thread(remove_tree, folder)


def _processes_naming(container_id: str) -> list[int]:
    """The runc processes that were started for a container."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (folder / "cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if arguments[0].endswith(b"runc") and container_id.encode() in arguments:
            found.append(int(folder.name))
    return found
