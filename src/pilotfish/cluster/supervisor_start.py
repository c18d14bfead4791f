"""Starting a supervisor: begun before anything is known, so that its launcher can import.

The first thing that `pilotfish up` does is to begin one, before it even parses its options. It
waits. `start` tells it which cluster to supervise; `abandon` ends it with nothing started.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from pilotfish.cluster import control, paths, preflight
from pilotfish.cluster.errors import ClusterError

if TYPE_CHECKING:
    from pathlib import Path

    from pilotfish.cluster.paths import Folders

_TIMEOUT_S = 10.0
_POLL_S = 0.002


class SupervisorStart:
    """One supervisor that waits to be told its cluster."""

    def __init__(self) -> None:
        paths.STATE_ROOT.mkdir(mode=0o755, parents=True, exist_ok=True)
        remove_abandoned_logs()
        # Its log's folder has no name yet.
        self._log = paths.STATE_ROOT / f".supervisor-{os.getpid()}.log"
        self._child = self._spawn(self._log)

    def _spawn(self, log: Path) -> subprocess.Popen[bytes]:
        # -P: whatever lies in the folder where the user typed is not ours to import.
        command = [sys.executable, "-P", "-m", "pilotfish.cluster.supervisor_process"]
        with log.open("ab") as output:
            # Held by us and by the supervisor, so the file is nobody's once both are dead.
            fcntl.flock(output, fcntl.LOCK_SH)
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,
                cwd="/",
                env={**os.environ, "PATH": preflight.program_path()},
                umask=0o022,
                bufsize=0,
            )

    def start(self, folders: Folders, log_format: str) -> None:
        """Let it supervise, and wait until it listens. Raises ClusterError."""
        log = folders.log(paths.SUPERVISOR)
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        try:
            self._log.replace(log)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            # The cluster's folder is a mount of its own: one that writes there from the start.
            self._end()
            self._child = self._spawn(log)
        assert self._child.stdin is not None, "the supervisor has a pipe for its input"
        self._child.stdin.write(f"{folders.name} {log_format}\n".encode())
        deadline = time.monotonic() + _TIMEOUT_S
        while control.status(folders.control_socket) is None:
            if self._child.poll() is not None or time.monotonic() > deadline:
                raise ClusterError(
                    "the supervisor does not start",
                    str(log),
                    f"see that log; remove what is left with: pilotfish down --name {folders.name}",
                )
            time.sleep(_POLL_S)

    def abandon(self) -> None:
        """End it, unless it has been started."""
        if not self._log.exists():
            return
        self._end()
        with contextlib.suppress(OSError):  # Clusters or images are there.
            paths.STATE_ROOT.rmdir()

    def _end(self) -> None:
        self._child.kill()
        self._child.wait()
        self._log.unlink()


def remove_abandoned_logs() -> None:
    """Remove the first logs of supervisors that died before they had a cluster."""
    for log in paths.STATE_ROOT.glob(".supervisor-*.log"):
        with contextlib.suppress(FileNotFoundError), log.open("rb") as content:
            try:
                fcntl.flock(content, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue  # Its start is under way.
            log.unlink()


_begun: list[SupervisorStart] = []


def begin() -> None:
    """Begin one ahead of time; `take` hands it out."""
    _begun.append(SupervisorStart())


def take() -> SupervisorStart:
    """The one that was begun ahead of time, or a new one."""
    return _begun.pop() if _begun else SupervisorStart()


def abandon_untaken() -> None:
    """End what was begun and is not needed."""
    while _begun:
        _begun.pop().abandon()
