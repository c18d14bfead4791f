"""One run of one container: from its bundle to its end, also across restarts of the kubelet."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import time
from collections.abc import Callable

from pilotfish.node import cgroups, mounts
from pilotfish.node.config import KubeletConfig
from pilotfish.node.errors import RuntimeFailed
from pilotfish.node.files.trees import try_remove_tree
from pilotfish.node.logs.file import LogFile
from pilotfish.node.logs.pump import LogPump
from pilotfish.node.paths import ContainerPaths
from pilotfish.node.processes import Process, read_exit_file, start_ticks
from pilotfish.node.record import ContainerRecord
from pilotfish.node.runc import Runc
from pilotfish.node.terminal_keeper import TerminalKeeper
from pilotfish.node.termination_message import read_termination_message
from pilotfish.node.volumes import bound
from pilotfish.objects.meta import Object

log = logging.getLogger(__name__)

# All writers are in the container's pid namespace and gone; what is left is in the pipes.
_DRAIN_TIMEOUT_S = 2.0

_SIGNALS = {name: number.value for name, number in signal.Signals.__members__.items()}


def signal_number(name: str) -> int:
    """The number of "SIGTERM", "TERM" or "15"; SIGTERM for what Linux does not know."""
    if name.isdigit():
        return int(name)
    full = name if name.startswith("SIG") else f"SIG{name}"
    return _SIGNALS.get(full, signal.SIGTERM)


class ContainerRun:
    """Owns the process, the pipes and the log of a run. `on_exit` is called once, when it ends."""

    def __init__(
        self,
        runc: Runc,
        config: KubeletConfig,
        record: ContainerRecord,
        paths: ContainerPaths,
        container: Object,
        on_exit: Callable[[], None],
    ) -> None:
        self.record = record
        self.paths = paths
        self.container = container
        self.pump: LogPump | None = None
        self.terminal: int | None = None
        self._stdin_writer: int | None = None
        self.stop_signal = signal.SIGTERM.value
        self._runc = runc
        self._exits_dir = config.exits_dir
        self._terminals = TerminalKeeper(config.terminals_socket)
        self._on_exit = on_exit
        self._process: Process | None = None
        self._watching: asyncio.Task[None] | None = None
        self._told = asyncio.Event()

    async def start(self, spec: Object) -> None:
        """Start the container of a bundle whose root is mounted.

        When runc refuses, the run has ended: code 128, reason StartError, runc's words.
        """
        paths, record = self.paths, self.record
        (paths.bundle / "config.json").write_text(json.dumps(spec))
        paths.run.mkdir(parents=True, exist_ok=True)
        self.pump = LogPump(LogFile(paths.log))
        record.created_s = time.time()
        record.save(paths.record)
        try:
            if spec["process"]["terminal"]:
                pid, master = await self._runc.run_with_terminal(record.container_id, paths.bundle)
                self._terminals.keep(record.container_id, master)
                self._open_terminal(self.pump, master)
            else:
                pid = await self._run_with_pipes()
        except RuntimeFailed as error:
            record.reason, record.message = "StartError", str(error)
            record.started_s = record.finished_s = time.time()
            record.exit_code = 128
            record.save(paths.record)
            self.pump.close()
            await self.clean()
            return
        except BaseException:
            self.pump.close()
            await asyncio.shield(self.clean())
            raise
        record.pid, record.started_s = pid, time.time()
        with contextlib.suppress(ProcessLookupError):
            record.start_ticks = start_ticks(pid)
        record.startup_passed = "startupProbe" not in self.container
        record.save(paths.record)
        self._watch(Process(pid, self._exits_dir))

    def _open_terminal(self, pump: LogPump, master: int) -> None:
        self.terminal = master
        pump.read_from("stdout", os.dup(master))

    async def _run_with_pipes(self) -> int:
        assert self.pump is not None
        names = ["stdout", "stderr"] + (["stdin"] if self.container.get("stdin") else [])
        opened: dict[str, int] = {}
        try:
            for name in names:
                path = self.paths.stream(name)
                path.unlink(missing_ok=True)
                os.mkfifo(path, 0o600)
                opened[name] = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            if self.stdin_once:
                # A container that could write to its own stdin would never see its end.
                self._stdin_writer = opened["stdin"]
                opened["stdin"] = os.open(self.paths.stream("stdin"), os.O_RDONLY | os.O_CLOEXEC)
            for name in ("stdout", "stderr"):
                self.pump.read_fifo(name, self.paths.stream(name))
            if "stdin" not in opened:
                opened["stdin"] = self._runc.open_null()
            return await self._runc.run(
                self.record.container_id,
                self.paths.bundle,
                opened["stdin"],
                opened["stdout"],
                opened["stderr"],
            )
        finally:
            for descriptor in opened.values():
                os.close(descriptor)

    @property
    def stdin_once(self) -> bool:
        """Whether the first attached client's end of input is the container's (`stdinOnce`)."""
        wanted = self.container.get("stdin") and self.container.get("stdinOnce")
        return bool(wanted) and not self.container.get("tty")

    def close_stdin(self) -> None:
        """End the input of a `stdinOnce` container; harmless when it has ended."""
        if self._stdin_writer is not None:
            os.close(self._stdin_writer)
            self._stdin_writer = None

    def adopt(self) -> None:
        """Take over a run of the kubelet before: alive, or ended while nobody looked."""
        record = self.record
        if record.exited:  # the kubelet may have died before it had cleaned up
            self._told.set()
            self._watching = asyncio.create_task(self.clean())
            return
        if record.pid == 0:
            self._recover_pid()
        self.pump = LogPump(LogFile(self.paths.log))
        if self.container.get("tty"):
            master = self._terminals.take(record.container_id)
            if master is not None:
                self._open_terminal(self.pump, master)
        for name in ("stdout", "stderr"):
            if self.paths.stream(name).exists():
                self.pump.read_fifo(name, self.paths.stream(name))
        try:
            if record.pid == 0 or start_ticks(record.pid) != record.start_ticks:
                raise ProcessLookupError
            process = Process(record.pid, self._exits_dir)
        except ProcessLookupError:
            code = read_exit_file(self._exits_dir, record.pid) if record.pid else None
            self._watching = asyncio.create_task(self._ended(code))
            return
        self._watch(process)

    def _recover_pid(self) -> None:
        """The kubelet died between runc's success and writing it down: the pid file knows."""
        try:
            self.record.pid = int((self.paths.bundle / "pid").read_text())
            self.record.start_ticks = start_ticks(self.record.pid)
        except (FileNotFoundError, ValueError, ProcessLookupError):
            return
        self.record.started_s = self.record.created_s
        self.record.startup_passed = "startupProbe" not in self.container
        self.record.save(self.paths.record)

    def _watch(self, process: Process) -> None:
        self._process = process
        self._watching = asyncio.create_task(self._wait(process))

    async def _wait(self, process: Process) -> None:
        await self._ended(await process.wait())

    async def _ended(self, code: int | None) -> None:
        record = self.record
        record.finished_s = time.time()
        if not record.started_s:
            record.started_s = record.created_s or record.finished_s
        if self.pump is not None:
            await self.pump.drain(_DRAIN_TIMEOUT_S)
        if code is None:
            record.exit_code, record.reason = 137, "ContainerStatusUnknown"
            record.message = "The container could not be located when the kubelet came back"
        else:
            record.exit_code = code
            killed_by_oom = code == 137 and cgroups.oom_killed(record.container_id)
            record.reason = "OOMKilled" if killed_by_oom else ""
            record.message = read_termination_message(
                self.paths.termination_log, self.paths.log, self.container, code
            )
        record.save(self.paths.record)
        if self.terminal is not None:
            os.close(self.terminal)
            self.terminal = None
        self._told.set()
        self._on_exit()
        await self.clean()

    def send_signal(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    async def wait_ended(self) -> None:
        """Return when the run has ended and its record says how."""
        if not self.record.exited:
            await self._told.wait()

    async def wait_cleaned(self) -> None:
        """Return when it has also given back its mounts and cgroups."""
        if self._watching is not None:
            await asyncio.shield(self._watching)

    async def clean(self) -> None:
        """Give back cgroups, mounts and the writable layer; the record and the log stay."""
        self.close_stdin()
        if self.container.get("tty"):
            self._terminals.drop(self.record.container_id)
        await self._runc.delete(self.record.container_id, self.paths.bundle)
        cgroups.remove(self.record.container_id)
        mounts.unmount(self.paths.rootfs)
        bound.release(self.paths.bound)
        for path in (
            self.paths.upper,
            self.paths.work,
            self.paths.run,
            self.paths.termination_log,  # its message is in the record
        ):
            await asyncio.to_thread(try_remove_tree, path, log.warning)

    def detach(self) -> None:
        """Let go without touching the container: the kubelet ends, the container does not."""
        if self._watching is not None:
            self._watching.cancel()
        if self._process is not None:
            self._process.forget()
        if self.pump is not None:
            self.pump.pause()
