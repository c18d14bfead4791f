"""Processes by their pidfd: starting programs, waiting for containers, adopted ones too.

A container's first process is born as a grandchild (runc is its parent and leaves at once). The
node process is a child subreaper, so the kernel makes it the new parent and waiting works as for
any child. After the node process was killed the containers have another parent (the
supervisor): their end still shows on a pidfd, and the supervisor leaves the wait status in a
file of `exits_dir`.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

log = logging.getLogger(__name__)

_PR_SET_CHILD_SUBREAPER = 36
UNKNOWN_EXIT = 137
# The supervisor reaps an orphan in the moment it ends; it may be a little later than we are.
_EXIT_FILE_TIMEOUT_S = 1.0

_libc = ctypes.CDLL(None, use_errno=True)


def become_subreaper() -> None:
    if _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"prctl(PR_SET_CHILD_SUBREAPER): {os.strerror(code)}")


def exit_code(wait_status: int) -> int:
    """The code that containers report: the exit status, or 128 + the signal's number."""
    code = os.waitstatus_to_exitcode(wait_status)
    return code if code >= 0 else 128 - code


def start_ticks(pid: int) -> int:
    """When the process started, in clock ticks since boot: with the pid, it is unique.

    Raises ProcessLookupError. proc(5), /proc/pid/stat field 22.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError as error:
        raise ProcessLookupError(f"there is no process {pid}") from error
    return int(text.rpartition(")")[2].split()[19])


# Those whose end somebody here waits for.
_watched: set[int] = set()


class Process:
    """A process that is watched until its end. Raises ProcessLookupError when there is none."""

    def __init__(self, pid: int, exits_dir: Path | None = None) -> None:
        self.pid = pid
        self._exits_dir = exits_dir
        self._descriptor = os.pidfd_open(pid)
        loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[int] = loop.create_future()
        loop.add_reader(self._descriptor, self._reap)
        self._asking: asyncio.Task[None] | None = None
        _watched.add(pid)

    def _reap(self) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)
        _watched.discard(self.pid)
        try:
            result = os.waitid(os.P_PIDFD, self._descriptor, os.WEXITED | os.WNOHANG)
        except ChildProcessError:
            self._asking = asyncio.create_task(self._ask_supervisor())
            return
        os.close(self._descriptor)
        if result is None:
            self._ended.set_result(UNKNOWN_EXIT)
        elif result.si_code == os.CLD_EXITED:
            self._ended.set_result(result.si_status)
        else:
            self._ended.set_result(128 + result.si_status)

    async def _ask_supervisor(self) -> None:
        os.close(self._descriptor)
        self._ended.set_result(await wait_for_exit_file(self._exits_dir, self.pid))

    @property
    def ended(self) -> bool:
        return self._ended.done()

    async def wait(self) -> int:
        """The exit code; 128 + N after signal N."""
        return await asyncio.shield(self._ended)

    def send_signal(self, number: int) -> None:
        """Harmless when the process has ended."""
        if not self._ended.done():
            with contextlib.suppress(ProcessLookupError, OSError):
                signal.pidfd_send_signal(self._descriptor, number)

    def forget(self) -> None:
        """Stop watching, and leave the process alone."""
        if not self._ended.done() and self._asking is None:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._ended.cancel()


def read_exit_file(exits_dir: Path, pid: int) -> int | None:
    """The exit code that the supervisor noted for an orphan, once; then the note is removed."""
    file = exits_dir / str(pid)
    try:
        code = exit_code(int(file.read_text()))
    except (FileNotFoundError, ValueError):
        return None
    file.unlink(missing_ok=True)
    return code


async def wait_for_exit_file(exits_dir: Path | None, pid: int) -> int:
    if exits_dir is not None:
        deadline = asyncio.get_running_loop().time() + _EXIT_FILE_TIMEOUT_S
        while asyncio.get_running_loop().time() < deadline:
            code = read_exit_file(exits_dir, pid)
            if code is not None:
                return code
            await asyncio.sleep(0.02)
    log.warning("process %d ended, and nobody knows how: taken as %d", pid, UNKNOWN_EXIT)
    return UNKNOWN_EXIT


async def run_program(
    arguments: Sequence[str],
    *,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.DEVNULL,
    stderr: int = subprocess.DEVNULL,
    env: Mapping[str, str] | None = None,
) -> int:
    """Run a program to its end without a thread; returns its exit code.

    It gets a session of its own, so that a Ctrl-C at the terminal does not reach it.
    """
    # Popen returns as soon as the program is loaded (vfork); waiting is asyncio's part.
    started = subprocess.Popen(  # noqa: ASYNC220
        arguments, stdin=stdin, stdout=stdout, stderr=stderr, env=env, start_new_session=True
    )
    process = Process(started.pid)
    try:
        code = await process.wait()
    except asyncio.CancelledError:
        process.send_signal(signal.SIGKILL)
        await process.wait()
        raise
    finally:
        started.returncode = 0  # reaped above; keeps Popen from warning and from waiting itself
    return code


async def reap_strangers(period_s: float) -> None:
    """Reap orphans that nobody waits for, such as children of processes in hostPID Pods.

    The subreaper gets them all. Whoever starts processes by other means (asyncio, subprocess)
    reaps them within a period, so only what was dead twice in a row is taken.
    """
    suspect = 0
    while True:
        await asyncio.sleep(period_s)
        pid = _first_dead_child()
        if pid and pid == suspect and pid not in _watched:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)  # noqa: ASYNC222
        suspect = pid


def _first_dead_child() -> int:
    """The pid of a child that has ended and was not reaped, 0 when there is none."""
    try:
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return 0
    return found.si_pid if found else 0
