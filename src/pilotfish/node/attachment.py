"""`kubectl attach`: a running container's own standard streams, from now on."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

from pilotfish.node.container_run import ContainerRun
from pilotfish.node.exec_process import set_terminal_size


class Attachment:
    """`stdin` is a non-blocking descriptor for writing, None when the container has no stdin.

    `stdin_once`: the container's input ends with this client's; call `end_stdin` then.
    """

    def __init__(self, run: ContainerRun) -> None:
        self.tty = run.terminal is not None
        self.stdin_once = run.stdin_once
        self.stdin: int | None = None
        self._run = run
        if run.terminal is not None:
            self.stdin = os.dup(run.terminal)
        elif run.paths.stream("stdin").exists():
            flags = os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC
            self.stdin = os.open(run.paths.stream("stdin"), flags)

    def output(self) -> AsyncIterator[tuple[str, bytes]]:
        """("stdout" | "stderr", bytes) as they come; ends when the container ends."""
        assert self._run.pump is not None
        return self._run.pump.listen()

    def resize(self, width: int, height: int) -> None:
        """Set the terminal's size in characters."""
        if self._run.terminal is not None:
            set_terminal_size(self._run.terminal, width, height)

    def end_stdin(self) -> None:
        """Let the container read the end of its input, and close `stdin`."""
        self._run.close_stdin()
        self.close()

    def close(self) -> None:
        """Close `stdin`; harmless when it is closed."""
        if self.stdin is not None:
            os.close(self.stdin)
            self.stdin = None
