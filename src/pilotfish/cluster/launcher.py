"""The launcher: imports what the components need once, forks them, and goes away.

Importing takes far longer than anything else in a start-up. So this process starts at the very
beginning, while certificates and namespaces are still being made; it imports, waits on its standard
input for the cluster's name and the components' names, and forks one process for each component.
The forked processes share the imported pages. When the launcher ends, they become children of the
supervisor (the nearest subreaper), which itself stays as small as a Python can be.
"""

from __future__ import annotations

import gc
import importlib
import os
import select
import sys
import time
from typing import NoReturn

from pilotfish.cluster import processes
from pilotfish.cluster.paths import CONTROL_PLANE, Folders
from pilotfish.cluster.timeline import Timeline

# Names, not imports: a component that restarts alone does not load the others' code.
_CONTROL_PLANE_MODULE = "pilotfish.cluster.control_plane"
_NODE_MODULE = "pilotfish.cluster.node_process"


def module_of(component: str) -> str:
    """The module whose `run(cluster, component)` is the component's process."""
    return _CONTROL_PLANE_MODULE if component == CONTROL_PLANE else _NODE_MODULE


def main() -> NoReturn:
    """`launcher control-plane|node …`: preload those kinds, then fork what standard input names.

    Its first line is the cluster's name, each further one a component's.
    """
    started_s = time.monotonic()
    _import_without_system_certificates()
    for kind in sys.argv[1:]:
        # Once the work is there, the first component need not wait for the others' imports.
        if select.select([0], [], [], 0)[0]:
            break
        importlib.import_module(module_of(kind))
    preloaded_s = time.monotonic()
    folders = Folders(sys.stdin.readline().strip())
    if not folders.name:
        os._exit(0)  # The start was given up.
    timeline = Timeline(folders.timeline, "launcher")
    timeline.mark("started", started_s)
    timeline.mark("preloaded", preloaded_s)
    for line in sys.stdin:
        component = line.strip()
        importlib.import_module(module_of(component))
        # Objects that live for ever need no visit by the collector: its marks would unshare pages.
        gc.collect()
        gc.freeze()
        timeline.mark(f"modules of {component} imported")
        if os.fork() == 0:
            _become(folders, component)
    # Its end hands the children over to the supervisor; taking the modules down would delay that.
    os._exit(0)


def _import_without_system_certificates() -> None:
    """Import aiohttp without its TLS context for strangers.

    On import it loads every authority that this machine trusts: a tenth of a start-up's time and
    some megabytes. Components speak to their own cluster only, with its authority.
    """
    variable = "SSL_CERT_FILE"
    before = os.environ.get(variable)
    os.environ[variable] = os.devnull
    importlib.import_module("aiohttp")
    if before is None:
        del os.environ[variable]
    else:
        os.environ[variable] = before


def _become(folders: Folders, component: str) -> NoReturn:
    """In the forked child: turn into the component."""
    status = 1
    try:
        os.setsid()
        log = os.open(folders.log(component), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        processes.write_pid_file(folders.pids / component)
        _set_name(component)
        run = importlib.import_module(module_of(component)).run
        status = run(folders.name, component)
    except SystemExit as request:
        status = request.code if isinstance(request.code, int) else 1
    except BaseException:
        # The log is this process' standard error; the supervisor restarts it.
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _set_name(component: str) -> None:
    """What ps and top show (15 bytes at most)."""
    with open("/proc/self/comm", "w") as comm:  # noqa: PTH123 pathlib is not needed for procfs
        comm.write(f"pf-{component}"[:15])


if __name__ == "__main__":
    main()
