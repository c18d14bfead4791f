"""The supervisor's process: lets a launcher begin before it imports anything itself."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from pilotfish.cluster.paths import CONTROL_PLANE, NODE, SUPERVISOR, Folders

_PR_SET_CHILD_SUBREAPER = 36
# -P: whatever lies in the folder where the user typed `pilotfish up` is not ours to import.
_LAUNCHER = (sys.executable, "-P", "-m", "pilotfish.cluster.launcher")


def main() -> int:
    """Wait for a cluster's name and log format on standard input, then supervise that cluster."""
    started_s = time.monotonic()
    become_subreaper()
    launcher = subprocess.Popen([*_LAUNCHER, CONTROL_PLANE, NODE], stdin=subprocess.PIPE, bufsize=0)
    from pilotfish.client import log_lines
    from pilotfish.cluster import marks, processes
    from pilotfish.cluster.supervisor import Supervisor
    from pilotfish.cluster.timeline import Timeline

    name, _, log_format = sys.stdin.readline().strip().partition(" ")
    # Without a name the one who started us has given up: so do we, before anything runs.
    if not name:
        launcher.kill()
        return 1
    marks.set_own(name, SUPERVISOR)
    folders = Folders(name)
    log_lines.configure(log_format, SUPERVISOR, folders.log(SUPERVISOR))
    Timeline(folders.timeline, SUPERVISOR).mark("started", started_s)
    processes.write_pid_file(folders.pids / SUPERVISOR)
    Supervisor(folders, launcher, _LAUNCHER).run()
    return 0


def become_subreaper() -> None:
    """Make the calling process the parent of its descendants' orphans."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), "prctl PR_SET_CHILD_SUBREAPER")


if __name__ == "__main__":
    sys.exit(main())
