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
import sys
import time
from typing import NoReturn

from pilotfish.cluster import marks, processes
from pilotfish.cluster.paths import CONTROL_PLANE, NODE, Folders, kind_of
from pilotfish.cluster.timeline import Timeline

# Names, not imports: a component that restarts alone does not load the others' code.
_MODULES = {
    CONTROL_PLANE: "pilotfish.cluster.control_plane",
    NODE: "pilotfish.cluster.node_process",
}
_COMMON_MODULE = "pilotfish.cluster.components"


def main() -> NoReturn:
    """`launcher control-plane|node …`: import those kinds, then fork what standard input names.

    Its first line is the cluster's name, each further one a component's.
    """
    started_s = time.monotonic()
    # What is imported stays. Collections would walk it again and again, and unshare its pages.
    gc.disable()
    _import_without_system_certificates()
    importlib.import_module(_COMMON_MODULE)
    kinds = sys.argv[1:]
    # What all share is imported. The rest goes on in two processes, one for each kind: a machine
    # has more than one core, and this is the longest part of a start.
    helpers = [_Helper(kind) for kind in kinds[1:]]
    importlib.import_module(_MODULES[kinds[0]])
    name = sys.stdin.readline().strip()
    if not name:
        os._exit(0)  # The start was given up; so do the helpers, whose input ends with us.
    # What it forks inherits the mark, so that `down` finds them from their first moment on.
    marks.set_own(name, "launcher")
    components = [line.strip() for line in sys.stdin]
    for helper in helpers:
        helper.send(name, [one for one in components if kind_of(one) == helper.kind])
    Timeline(Folders(name).timeline, "launcher").mark("started", started_s)
    _launch(name, [one for one in components if kind_of(one) == kinds[0]])
    for helper in helpers:
        helper.wait()
    # Its end hands the children over to the supervisor; taking the modules down would delay that.
    os._exit(0)


class _Helper:
    """A forked copy of the launcher for the components of one kind."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        reader, self._writer = os.pipe()
        self._pid = os.fork()
        if self._pid:
            os.close(reader)
            return
        os.close(self._writer)
        importlib.import_module(_MODULES[kind])
        with os.fdopen(reader) as lines:
            name, *components = lines.read().splitlines() or [""]
        if components:
            marks.set_own(name, "launcher")
        _launch(name, components)
        os._exit(0)

    def send(self, name: str, components: list[str]) -> None:
        """Tell it what to fork."""
        os.write(self._writer, "".join(f"{line}\n" for line in [name, *components]).encode())
        os.close(self._writer)

    def wait(self) -> None:
        """Wait until it has forked all."""
        os.waitpid(self._pid, 0)


def _launch(name: str, components: list[str]) -> None:
    """Fork a process for each component."""
    if not components:
        return
    folders = Folders(name)
    Timeline(folders.timeline, "launcher").mark(f"modules of {components[0]} imported")
    gc.freeze()
    for component in components:
        if os.fork() == 0:
            gc.enable()
            _become(folders, component)


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
        marks.set_own(folders.name, component)
        processes.write_pid_file(folders.pids / component)
        run = importlib.import_module(_MODULES[kind_of(component)]).run
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


if __name__ == "__main__":
    main()
