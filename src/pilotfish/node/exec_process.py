"""Processes that join a running container: `kubectl exec`, exec probes, lifecycle hooks."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import json
import logging
import os
import secrets
import signal
import struct
import termios
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pilotfish.node.files.trees import try_remove_tree
from pilotfish.node.processes import Process
from pilotfish.node.runc import Runc
from pilotfish.objects.meta import Object

log = logging.getLogger(__name__)

_READ_BYTES = 64 * 1024


def set_terminal_size(descriptor: int, width: int, height: int) -> None:
    """Set a terminal's size in characters; the kernel sends SIGWINCH to those on it."""
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))


class ExecProcess:
    """A process that runs inside a container.

    Without tty: `stdin` (None unless asked for), `stdout`, `stderr` are the parent's ends of
    pipes, non-blocking. With tty: `pty` is the terminal's master, non-blocking, and the three
    others are None. EIO on reading the master means the process has closed its terminal.
    """

    def __init__(
        self,
        process: Process,
        *,
        stdin: int | None = None,
        stdout: int | None = None,
        stderr: int | None = None,
        pty: int | None = None,
    ) -> None:
        self._process = process
        self.pid = process.pid
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self.pty = pty

    def resize(self, width: int, height: int) -> None:
        """Set the terminal's size in characters."""
        if self.pty is not None:
            set_terminal_size(self.pty, width, height)

    async def wait(self) -> int:
        """The exit code; 128 + N after signal N. May be awaited by several tasks."""
        return await self._process.wait()

    def kill(self) -> None:
        """Send SIGKILL; harmless when it has ended."""
        self._process.send_signal(signal.SIGKILL)


def process_document(
    config: Object, command: Sequence[str], tty: bool, env: Mapping[str, str]
) -> Object:
    """The OCI `process` of an exec: the container's own, with other arguments."""
    process: Object = dict(config["process"])
    process["args"] = list(command)
    process["terminal"] = tty
    variables = list(process["env"]) + [f"{name}={value}" for name, value in env.items()]
    if tty and not any(variable.startswith("TERM=") for variable in variables):
        variables.append("TERM=xterm")
    process["env"] = variables
    return process


async def start_exec(
    runc: Runc,
    container_id: str,
    bundle: Path,
    command: Sequence[str],
    *,
    tty: bool = False,
    stdin: bool = False,
    env: Mapping[str, str] | None = None,
) -> ExecProcess:
    """Start a command in a container. Raises RuntimeFailed with runc's words, OSError."""
    config = json.loads((bundle / "config.json").read_text())
    document = process_document(config, command, tty, env or {})
    folder = bundle / f"exec-{secrets.token_hex(4)}"
    folder.mkdir()
    try:
        if tty:
            pid, master = await runc.exec_with_terminal(container_id, folder, document)
            return ExecProcess(Process(pid), pty=master)
        return await _with_pipes(runc, container_id, folder, document, stdin)
    finally:
        try_remove_tree(folder, log.warning)


async def _with_pipes(
    runc: Runc, container_id: str, folder: Path, document: Object, stdin: bool
) -> ExecProcess:
    ours: dict[str, int] = {}
    theirs: dict[str, int] = {}
    for name in ("stdout", "stderr"):
        ours[name], theirs[name] = os.pipe2(os.O_CLOEXEC)
    if stdin:
        theirs["stdin"], ours["stdin"] = os.pipe2(os.O_CLOEXEC)
    else:
        theirs["stdin"] = runc.open_null()
    try:
        pid = await runc.exec(
            container_id, folder, document, theirs["stdin"], theirs["stdout"], theirs["stderr"]
        )
        process = Process(pid)
    except BaseException:
        for descriptor in ours.values():
            os.close(descriptor)
        raise
    finally:
        for descriptor in theirs.values():
            os.close(descriptor)
    for descriptor in ours.values():
        os.set_blocking(descriptor, False)
    return ExecProcess(
        process, stdin=ours.get("stdin"), stdout=ours["stdout"], stderr=ours["stderr"]
    )


@dataclass(frozen=True)
class ExecResult:
    code: int
    output: str  # stdout and stderr, each cut at the caller's limit


async def exec_output(
    runc: Runc, container_id: str, bundle: Path, command: Sequence[str], limit_bytes: int
) -> ExecResult:
    """Run a command to its end and keep the beginning of what it says.

    Cancelling (a timeout) kills the command.
    """
    running = await start_exec(runc, container_id, bundle, command)
    assert running.stdout is not None and running.stderr is not None
    readers = [
        asyncio.create_task(_read_all(descriptor, limit_bytes))
        for descriptor in (running.stdout, running.stderr)
    ]
    try:
        code = await running.wait()
        # A background child may keep the pipes open: what is there now is all that counts.
        await asyncio.wait(readers, timeout=0.1)
    finally:
        running.kill()
        for reader in readers:
            reader.cancel()  # it still returns what it has read
    output = b"".join(await asyncio.gather(*readers))
    return ExecResult(code, output.decode(errors="replace"))


async def _read_all(descriptor: int, limit_bytes: int) -> bytes:
    """Read a pipe to its end, keeping the first bytes; closes it."""
    loop = asyncio.get_running_loop()
    kept = b""
    try:
        while True:
            readable: asyncio.Future[None] = loop.create_future()
            loop.add_reader(descriptor, _resolve, readable)
            try:
                await readable
            finally:
                loop.remove_reader(descriptor)
            try:
                data = os.read(descriptor, _READ_BYTES)
            except OSError as error:
                if error.errno == errno.EAGAIN:
                    continue
                raise
            if not data:
                return kept
            kept = (kept + data)[:limit_bytes]
    except asyncio.CancelledError:
        return kept
    finally:
        os.close(descriptor)


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
