"""What runs on this node, as the kubelet's HTTP server sees it: look-ups, exec, attach, logs.

The Pod workers own the containers; this is the face they show to streaming requests.
Every file descriptor that leaves this module belongs to the caller from then on (it closes it),
unless its docstring says otherwise.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from pilotfish.node.logs.reader import LogOptions
from pilotfish.objects.meta import Object


@dataclass(frozen=True)
class ContainerRef:
    """One container of one Pod on this node; `container_id` is "" before it ever started."""

    pod: Object
    pod_uid: str
    container: str
    container_id: str
    running: bool


class ExecProcess:
    """A process that runs inside a container.

    Without tty: `stdin` (None unless asked for), `stdout`, `stderr` are the parent's ends of
    pipes, non-blocking. With tty: `pty` is the terminal's master, non-blocking, and the three
    others are None. EIO on reading the master means the process has closed its terminal.
    """

    pid: int
    stdin: int | None
    stdout: int | None
    stderr: int | None
    pty: int | None

    def resize(self, width: int, height: int) -> None:
        """Set the terminal's size in characters."""
        raise NotImplementedError

    async def wait(self) -> int:
        """The exit code; 128 + N after signal N. May be awaited by several tasks."""
        raise NotImplementedError

    def kill(self) -> None:
        """Send SIGKILL; harmless when it has ended."""
        raise NotImplementedError


class Attachment:
    """A running container's own standard streams, from now on.

    `stdin` is a non-blocking descriptor for writing, or None when the container has no stdin.
    """

    stdin: int | None
    tty: bool

    def output(self) -> AsyncIterator[tuple[str, bytes]]:
        """("stdout" | "stderr", bytes) as they come; ends when the container ends."""
        raise NotImplementedError

    def resize(self, width: int, height: int) -> None:
        raise NotImplementedError

    def close(self) -> None:
        """Stop listening and close `stdin`."""
        raise NotImplementedError


class Runtime:
    def pods(self) -> list[Object]:
        """Every Pod of this node, with its newest status."""
        raise NotImplementedError

    def find(self, namespace: str, pod: str, container: str = "") -> ContainerRef:
        """Raise LookupFailed (404, "pod does not exist") or (404, 'container not found ("x")').

        An empty container name is the Pod's default container (annotation
        kubectl.kubernetes.io/default-container, else the first).
        """
        raise NotImplementedError

    def pod_netns(self, pod_uid: str) -> str:
        """Path of the Pod's network namespace (the node's own for hostNetwork Pods)."""
        raise NotImplementedError

    async def exec(
        self,
        container_id: str,
        command: Sequence[str],
        *,
        tty: bool = False,
        stdin: bool = False,
        env: Mapping[str, str] | None = None,
    ) -> ExecProcess:
        """Start `command` in a container with its user, folder and environment.

        Raises LookupFailed when it does not run, RuntimeFailed with runc's words
        when the command cannot be started.
        """
        raise NotImplementedError

    def attach(self, container_id: str) -> Attachment:
        """Raises LookupFailed when the container does not run."""
        raise NotImplementedError

    def read_logs(
        self, namespace: str, pod: str, container: str, options: LogOptions
    ) -> AsyncIterator[bytes]:
        """A container's log as the query asks; chunks of whole lines.

        Raises LookupFailed (400/404) at the call itself, before the first chunk:
        'container "x" in pod "y" is waiting to start: ContainerCreating',
        'previous terminated container "x" in pod "y" not found'.
        """
        raise NotImplementedError
