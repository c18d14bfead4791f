"""The supervisor: keeps a cluster's components running.

It starts a launcher for what is down, takes in the processes that the launcher forks (it is a child
subreaper, prctl(2)), and starts again what dies, waiting longer each time it dies young. Components
outlive it: a new supervisor finds them by their pid files and watches them through pidfds
(pidfd_open(2)), since they are no longer its children. One that lives, but whose event loop does
not turn, is killed (client.liveness), and so started again.

Containers whose node process was killed become its children too. Nobody else can learn how such a
process ends, so it writes the wait status into the exits folder, where the kubelet looks. And it
holds the terminals of containers while their node process is down (descriptor_store).

It stays small on purpose: no event loop, no client, no logging configuration of the components.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import selectors
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pilotfish.client import liveness
from pilotfish.client.liveness import LOOK_PERIOD_S, Watch
from pilotfish.cluster import control, marks, processes
from pilotfish.cluster.descriptor_store import DescriptorStore
from pilotfish.cluster.paths import Folders, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pilotfish.cluster.processes import Process

logger = logging.getLogger(__name__)

_FIRST_BACKOFF_S = 0.1
_LONGEST_BACKOFF_S = 10.0
# A component that ran this long was healthy: its next restart is immediate again.
_HEALTHY_AFTER_S = 10.0
# The launcher's children note their pids within milliseconds of their fork.
_LAUNCH_GRACE_S = 5.0
_STOP_GRACE_S = 2.0
_EXITS_KEPT_S = 3600.0


@dataclass
class Component:
    """A process that should run."""

    name: str
    process: Process | None = None
    pidfd: int = -1
    restarts: int = 0
    backoff_s: float = 0.0
    start_at_s: float = 0.0
    launched_at_s: float | None = None
    last_exit: str = ""
    watch: Watch = field(default_factory=Watch)
    # Why it was killed, where its loop did not turn.
    hung: str | None = None

    def status(self) -> control.ComponentStatus:
        return {
            "name": self.name,
            "pid": self.process.pid if self.process else 0,
            "restarts": self.restarts,
            "last_exit": self.last_exit,
        }


@dataclass
class Launcher:
    """A launcher under way."""

    child: subprocess.Popen[bytes]
    waits_for: list[str] = field(default_factory=list)


class Supervisor:
    """Runs until it is told to stop."""

    def __init__(
        self,
        folders: Folders,
        begun: subprocess.Popen[bytes] | None,
        launcher_command: Sequence[str],
        make_watch: Callable[[], Watch] = Watch,
    ) -> None:
        """begun: a launcher that is importing already. make_watch: how patient it is."""
        self._make_watch = make_watch
        self._next_look_s = 0.0
        self._folders = folders
        self._launcher_command = launcher_command
        self._components: dict[str, Component] = {}
        self._launcher = Launcher(begun) if begun else None
        self._selector = selectors.DefaultSelector()
        self._stopping = False

    def run(self) -> None:
        """Start what is down and keep it up until a stop is asked for."""
        self._components = {name: Component(name) for name in self._folders.components()}
        # Who can connect must be answered, so the socket comes after the components are known.
        listener = control.listen(self._folders.control_socket)
        wakeup = self._wake_on_signals()
        self._selector.register(listener, selectors.EVENT_READ, lambda: self._accept(listener))
        store = DescriptorStore(self._folders.terminals_socket)
        self._selector.register(store.listener, selectors.EVENT_READ, store.serve)
        self._selector.register(wakeup, selectors.EVENT_READ, lambda: _drain(wakeup))
        for component in self._components.values():
            self._adopt(component)
        self._launch_due()
        while not self._stopping:
            for key, _ in self._selector.select(self._next_wait_s()):
                key.data()
            self._reap()
            self._find_launched()
            self._look_at_loops()
            self._launch_due()
        self._folders.control_socket.unlink(missing_ok=True)
        self._folders.terminals_socket.unlink(missing_ok=True)

    def _adopt(self, component: Component) -> bool:
        """Watch the component's process if it runs."""
        # The pid file may be damaged: a stranger is neither watched nor stopped.
        found = marks.noted(self._folders, component.name)
        if found is None:
            return False
        try:
            pidfd = os.pidfd_open(found.pid)
        except ProcessLookupError:
            return False
        component.process = found
        component.pidfd = pidfd
        component.launched_at_s = None
        component.watch, component.hung = self._make_watch(), None
        self._selector.register(pidfd, selectors.EVENT_READ, lambda: self._pidfd_ready(component))
        logger.info("%s runs with pid %d", component.name, found.pid)
        return True

    def _pidfd_ready(self, component: Component) -> None:
        """It has ended: our child's status tells how, an adopted process' status is lost."""
        self._reap()
        if component.process is not None and not component.process.alive():
            self._ended(component, "ended, nobody knows how")

    def _ended(self, component: Component, how: str) -> None:
        """The component's process is gone: plan its restart."""
        if component.process is None:
            return
        age_s = component.process.age_s()
        if component.hung is not None:
            how = f"was killed: {component.hung}"
        logger.warning("%s (pid %d) %s", component.name, component.process.pid, how)
        self._selector.unregister(component.pidfd)
        os.close(component.pidfd)
        component.process, component.pidfd = None, -1
        component.last_exit = how
        self._plan_restart(component, age_s)

    def _look_at_loops(self) -> None:
        """Kill a component whose event loop does not turn; its restart follows as for any death."""
        if time.monotonic() < self._next_look_s:
            return
        self._next_look_s = time.monotonic() + LOOK_PERIOD_S
        for component in self._components.values():
            if component.process is None or component.hung is not None:
                continue
            seen = liveness.look(component.process.pid, self._folders.beats / component.name)
            component.hung = component.watch.hung(seen) if seen is not None else None
            if component.hung is not None:
                logger.error(
                    "%s (pid %d): %s; it writes its stacks to its log and is started again",
                    component.name,
                    component.process.pid,
                    component.hung,
                )
                component.process.kill(liveness.STACKS_SIGNAL)
                processes.wait_gone([component.process], liveness.STACKS_GRACE_S)
                component.process.kill(signal.SIGKILL)

    def _plan_restart(self, component: Component, age_s: float) -> None:
        component.restarts += 1
        component.launched_at_s = None
        if age_s >= _HEALTHY_AFTER_S:
            component.backoff_s = 0.0
        component.start_at_s = time.monotonic() + component.backoff_s
        component.backoff_s = min(
            max(component.backoff_s * 2, _FIRST_BACKOFF_S), _LONGEST_BACKOFF_S
        )

    def _launch_due(self) -> None:
        """Hand what is down, and due, to a launcher."""
        if self._stopping:
            return
        now = time.monotonic()
        due = [
            component
            for component in self._components.values()
            if component.process is None
            and component.launched_at_s is None
            and component.start_at_s <= now
        ]
        if not due:
            return
        if self._launcher is None:
            kinds = {kind_of(component.name) for component in due}
            self._launcher = self._start_launcher(sorted(kinds))
        elif self._launcher.waits_for:
            return  # One at a time; its end wakes us.
        names = [component.name for component in due]
        self._launcher.waits_for = names
        for component in due:
            component.launched_at_s = now
        stdin = self._launcher.child.stdin
        assert stdin is not None, "the launcher has a pipe for its input"
        with contextlib.suppress(BrokenPipeError):  # Its death is seen by _reap, which retries.
            stdin.write("".join(f"{line}\n" for line in [self._folders.name, *names]).encode())
            stdin.close()

    def _start_launcher(self, kinds: list[str]) -> Launcher:
        command = [*self._launcher_command, *kinds]
        return Launcher(subprocess.Popen(command, stdin=subprocess.PIPE, bufsize=0))

    def _find_launched(self) -> None:
        """Adopt what the launcher forked; what it failed to fork is planned again.

        Not before the launcher has ended: until then its children are not ours to wait for.
        """
        if self._launcher is not None:
            return
        now = time.monotonic()
        for component in self._components.values():
            if component.launched_at_s is None or component.process is not None:
                continue
            if self._adopt(component):
                continue
            if now - component.launched_at_s > _LAUNCH_GRACE_S:
                component.last_exit = "could not be started"
                logger.error("%s could not be started", component.name)
                self._plan_restart(component, 0.0)

    def _reap(self) -> None:
        """Collect every child that ended: components, launchers, orphaned containers."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._reaped(pid, status)

    def _reaped(self, pid: int, status: int) -> None:
        if self._launcher is not None and pid == self._launcher.child.pid:
            self._launcher.child.returncode = os.waitstatus_to_exitcode(status)
            if self._launcher.child.returncode:
                logger.error("the launcher %s", describe_exit(status))
            self._launcher = None
            return
        for component in self._components.values():
            if component.process is not None and component.process.pid == pid:
                self._ended(component, describe_exit(status))
                return
            if component.launched_at_s is not None and self._noted_pid(component) == pid:
                # It died before we had looked at its pid file.
                component.last_exit = describe_exit(status)
                logger.warning("%s (pid %d) %s", component.name, pid, component.last_exit)
                self._plan_restart(component, 0.0)
                return
        self._note_exit(pid, status)

    def _noted_pid(self, component: Component) -> int:
        try:
            return int((self._folders.pids / component.name).read_text().split()[0])
        except (FileNotFoundError, IndexError, ValueError):
            return 0

    def _note_exit(self, pid: int, status: int) -> None:
        """Write an orphan's wait status for the kubelet, and drop notes nobody came for."""
        folder = self._folders.exits
        temporary = folder / f".{pid}"
        temporary.write_text(f"{status}\n")
        temporary.replace(folder / str(pid))
        oldest = time.time() - _EXITS_KEPT_S
        for note in folder.iterdir():
            with contextlib.suppress(FileNotFoundError):  # The kubelet has just taken it.
                if note.stat().st_mtime < oldest:
                    note.unlink()

    def _next_wait_s(self) -> float | None:
        """Until the next restart or look is due; None to wait for something to happen."""
        if any(c.launched_at_s is not None for c in self._components.values()):
            return 0.01
        now = time.monotonic()
        waits = [
            (component.start_at_s if component.process is None else self._next_look_s) - now
            for component in self._components.values()
        ]
        return max(0.0, min(waits)) if waits else None

    def _accept(self, listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rwb") as stream:
            connection.settimeout(1.0)
            try:
                command = json.loads(stream.readline()).get("command")
                answer = self._stop() if command == "stop" else self._status()
                stream.write(json.dumps(answer).encode() + b"\n")
                stream.flush()
            except (OSError, ValueError) as error:
                logger.warning("a control connection failed: %s", error)

    def _status(self) -> control.SupervisorStatus:
        return {
            "pid": os.getpid(),
            "components": [component.status() for component in self._components.values()],
        }

    def _stop(self) -> dict[str, list[str]]:
        self._stopping = True
        if self._launcher is not None:
            self._launcher.child.kill()
        running = {c.process: c.name for c in self._components.values() if c.process is not None}
        stopped = self._stop_children(running)
        logger.info("stopped %s", ", ".join(stopped) or "nothing")
        return {"stopped": stopped}

    def _stop_children(self, running: dict[Process, str]) -> list[str]:
        # Our children stay zombies until _reap; `alive` already counts those as gone.
        return [running[one] for one in processes.stop(running, _STOP_GRACE_S)]

    def _wake_on_signals(self) -> socket.socket:
        """Let SIGCHLD and SIGTERM interrupt the selector through a socket."""
        reader, writer = socket.socketpair()
        reader.setblocking(False)
        writer.setblocking(False)
        signal.set_wakeup_fd(writer.detach(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._on_terminate)
        return reader

    def _on_terminate(self, *_: object) -> None:
        self._stop()


def describe_exit(status: int) -> str:
    """A wait status in words."""
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"ended with exit code {code}"
    return f"was killed by {signal.Signals(-code).name}"


def _drain(wakeup: socket.socket) -> None:
    with contextlib.suppress(BlockingIOError):
        while wakeup.recv(512):
            pass
