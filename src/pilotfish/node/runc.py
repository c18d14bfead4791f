"""The runc program: run, exec, delete. Containers' ids are ours, its state is in `root`."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
import socket
from collections.abc import Callable
from pathlib import Path

from pilotfish.node.errors import RuntimeFailed
from pilotfish.node.processes import run_program
from pilotfish.objects.meta import Object

log = logging.getLogger(__name__)

# Starting a container is work for the CPU: more at once than this only makes all of them later.
_MAX_STARTS = max(2, os.cpu_count() or 1)
_CONSOLE_TIMEOUT_S = 10.0


def _last_error(log_file: Path) -> str:
    """The last message of runc's JSON log: the error that made it give up."""
    message = ""
    try:
        lines = log_file.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return message
    for line in lines:
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            continue
        if entry.get("level") in ("error", "fatal"):
            message = str(entry.get("msg", ""))
    return message


class Runc:
    def __init__(self, root: Path, sockets: Path, null: Path) -> None:
        self._root = root
        self._sockets = sockets
        self._null = null
        self._starts = asyncio.Semaphore(_MAX_STARTS)

    def open_null(self) -> int:
        """An input that is none, for a process that is given no other; the caller closes it."""
        return os.open(self._null, os.O_RDONLY | os.O_CLOEXEC)

    def _command(self, log_file: Path, *arguments: str) -> list[str]:
        head = ["runc", "--root", str(self._root), "--log", str(log_file), "--log-format", "json"]
        return [*head, *arguments]

    async def run(
        self, container_id: str, bundle: Path, stdin: int, stdout: int, stderr: int
    ) -> int:
        """Create and start a container that outlives runc; returns its first process' pid.

        Raises RuntimeFailed with runc's words.
        """
        pid_file, log_file = bundle / "pid", bundle / "runc.log"
        command = self._command(log_file, "run", "--detach", "--bundle", str(bundle))
        command += ["--pid-file", str(pid_file), container_id]
        async with self._starts:
            code = await run_program(command, stdin=stdin, stdout=stdout, stderr=stderr)
        if code != 0:
            raise RuntimeFailed(_last_error(log_file) or f"runc run failed with code {code}")
        return int(pid_file.read_text())

    async def run_with_terminal(self, container_id: str, bundle: Path) -> tuple[int, int]:
        """As `run`, for a container with a terminal: (pid, descriptor of the master)."""
        pid_file, log_file = bundle / "pid", bundle / "runc.log"
        command = self._command(log_file, "run", "--detach", "--bundle", str(bundle))
        command += ["--pid-file", str(pid_file)]
        async with self._starts:
            return await self._with_console(
                lambda path: [*command, "--console-socket", path, container_id],
                pid_file,
                log_file,
            )

    async def exec(
        self, container_id: str, folder: Path, process: Object, stdin: int, stdout: int, stderr: int
    ) -> int:
        """Start a process (OCI `process` document) in a container; returns its pid."""
        command, pid_file, log_file = self._exec_command(folder, process)
        code = await run_program(
            [*command, container_id], stdin=stdin, stdout=stdout, stderr=stderr
        )
        if code != 0:
            raise RuntimeFailed(_last_error(log_file) or f"runc exec failed with code {code}")
        return int(pid_file.read_text())

    async def exec_with_terminal(
        self, container_id: str, folder: Path, process: Object
    ) -> tuple[int, int]:
        command, pid_file, log_file = self._exec_command(folder, process)
        return await self._with_console(
            lambda path: [*command, "--console-socket", path, container_id], pid_file, log_file
        )

    def _exec_command(self, folder: Path, process: Object) -> tuple[list[str], Path, Path]:
        document, pid_file, log_file = folder / "process.json", folder / "pid", folder / "runc.log"
        document.write_text(json.dumps(process))
        command = self._command(log_file, "exec", "--detach", "--process", str(document))
        return [*command, "--pid-file", str(pid_file)], pid_file, log_file

    async def _with_console(
        self, command: Callable[[str], list[str]], pid_file: Path, log_file: Path
    ) -> tuple[int, int]:
        """Run a command that hands over a terminal's master through a socket (SCM_RIGHTS)."""
        path = self._sockets / f"tty-{secrets.token_hex(4)}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(str(path))
            listener.listen(1)
            listener.setblocking(False)
            accepting = asyncio.ensure_future(_receive_descriptor(listener))
            try:
                code = await run_program(command(str(path)))
                if code != 0:
                    raise RuntimeFailed(_last_error(log_file) or f"runc failed with code {code}")
                async with asyncio.timeout(_CONSOLE_TIMEOUT_S):
                    return int(pid_file.read_text()), await accepting
            except TimeoutError as error:
                raise RuntimeFailed("runc did not hand over the terminal") from error
            finally:
                accepting.cancel()
                path.unlink(missing_ok=True)

    async def delete(self, container_id: str, folder: Path) -> None:
        """Remove a container's cgroups and state, killing it if it runs; fine when unknown."""
        if not (self._root / container_id).exists():
            return
        log_file = folder / "runc-delete.log"
        command = self._command(log_file, "delete", "--force", container_id)
        code = await run_program(command)
        if code != 0:
            log.warning("container %s: runc delete: %s", container_id, _last_error(log_file))


async def _receive_descriptor(listener: socket.socket) -> int:
    loop = asyncio.get_running_loop()
    connection, _ = await loop.sock_accept(listener)
    with connection:
        readable: asyncio.Future[None] = loop.create_future()
        loop.add_reader(connection, _resolve, readable)
        try:
            await readable
        finally:
            loop.remove_reader(connection)
        _data, descriptors, _flags, _address = socket.recv_fds(connection, 4096, 1)
    if not descriptors:
        raise RuntimeFailed("runc's console socket brought no terminal")
    os.set_blocking(descriptors[0], False)
    return descriptors[0]


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
