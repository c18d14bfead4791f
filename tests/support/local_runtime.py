"""A node's runtime whose containers are plain processes of this machine, with real terminals.

    runtime = LocalRuntime(netns)
    runtime.add_pod(pod)
    async with streaming_node(server, "node-1", runtime): await server.kubectl("exec", …)

For tests of the streams between kubectl and containers, where runc would only be in the way.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import struct
import subprocess
import termios
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from pilotfish.client.api import Client
from pilotfish.client.certificates import server_tls
from pilotfish.cluster import pki
from pilotfish.node.errors import LookupFailed, RuntimeFailed
from pilotfish.node.logs.reader import LogOptions
from pilotfish.node.runtime import Attachment, ContainerRef, ExecProcess, Runtime
from pilotfish.node.server import KubeletServer
from pilotfish.objects.meta import Object, key_of, name_of, namespace_of, uid_of
from support.apiserver import RunningApiServer


class LocalProcess(ExecProcess):
    """One process with pipes, or with a terminal of its own."""

    def __init__(self, command: Sequence[str], tty: bool, stdin: bool) -> None:
        self.stdin = self.stdout = self.stderr = self.pty = None
        if tty:
            self.pty, terminal = os.openpty()
            self._popen = subprocess.Popen(
                command,
                stdin=terminal,
                stdout=terminal,
                stderr=terminal,
                start_new_session=True,
                preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            )
            os.close(terminal)
            os.set_blocking(self.pty, False)
        else:
            self._popen = subprocess.Popen(
                command,
                stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            self.stdin, self.stdout, self.stderr = (
                _own(pipe) for pipe in (self._popen.stdin, self._popen.stdout, self._popen.stderr)
            )
        self.pid = self._popen.pid
        self._waiting: asyncio.Task[int] | None = None

    def resize(self, width: int, height: int) -> None:
        assert self.pty is not None
        fcntl.ioctl(self.pty, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    async def wait(self) -> int:
        if self._waiting is None:
            self._waiting = asyncio.create_task(asyncio.to_thread(self._popen.wait))
        code = await asyncio.shield(self._waiting)
        return code if code >= 0 else 128 - code

    def kill(self) -> None:
        if self._popen.poll() is None:
            os.killpg(self.pid, signal.SIGKILL)


class LocalAttachment(Attachment):
    """The streams of a LocalProcess that plays a container's first process."""

    def __init__(self, process: LocalProcess) -> None:
        self._process = process
        self.tty = process.pty is not None
        self.stdin_once = not self.tty
        # Duplicates: an attachment's end leaves the container's own descriptors open.
        original = process.pty if self.tty else process.stdin
        self.stdin = None if original is None else os.dup(original)

    async def output(self) -> AsyncIterator[tuple[str, bytes]]:
        source = self._process.pty if self.tty else self._process.stdout
        assert source is not None
        while True:
            try:
                data = os.read(source, 4096)
            except BlockingIOError:
                await asyncio.sleep(0.01)
                continue
            except OSError:
                return
            if not data:
                return
            yield "stdout", data

    def resize(self, width: int, height: int) -> None:
        self._process.resize(width, height)

    def end_stdin(self) -> None:
        self.close()
        if self._process.stdin is not None:
            os.close(self._process.stdin)
            self._process.stdin = None

    def close(self) -> None:
        if self.stdin is not None:
            os.close(self.stdin)
            self.stdin = None


class LocalRuntime(Runtime):
    """Attributes:
    processes: what exec started, oldest first.
    logs: of each container, "namespace/pod/container" → lines; `log_grew` tells followers.
    no_log_readers: the last reader has gone.
    """

    def __init__(self, netns: str = "/proc/self/ns/net", pod_ip: str = "127.0.0.1") -> None:
        self._netns = netns
        self.pod_ip = pod_ip
        self._pods: dict[str, Object] = {}
        self.processes: list[LocalProcess] = []
        self.containers: dict[str, LocalProcess] = {}
        self.logs: dict[str, list[bytes]] = {}
        self.log_grew = asyncio.Event()
        self.no_log_readers = asyncio.Event()

    def add_pod(self, pod: Object) -> None:
        self._pods[key_of(pod)] = pod

    def run_container(
        self, pod: str, container: str, command: Sequence[str], tty: bool = False
    ) -> LocalProcess:
        process = LocalProcess(command, tty, stdin=True)
        self.containers[f"{pod}/{container}"] = process
        return process

    def close(self) -> None:
        """End every process and its descriptors."""
        for process in (*self.processes, *self.containers.values()):
            process.kill()

    def pods(self) -> list[Object]:
        return list(self._pods.values())

    def find(self, namespace: str, pod: str, container: str = "") -> ContainerRef:
        found = self._pods.get(f"{namespace}/{pod}")
        if found is None:
            raise LookupFailed(404, "pod does not exist")
        names = [entry["name"] for entry in found["spec"]["containers"]]
        name = container or names[0]
        if name not in names:
            raise LookupFailed(404, f'container not found ("{name}")')
        running = name != "stopped"
        return ContainerRef(found, uid_of(found), name, f"{namespace}/{pod}/{name}", running)

    def pod_netns(self, pod_uid: str) -> str:
        return self._netns

    async def exec(
        self,
        container_id: str,
        command: Sequence[str],
        *,
        tty: bool = False,
        stdin: bool = False,
        env: Mapping[str, str] | None = None,
    ) -> ExecProcess:
        try:
            process = LocalProcess(command, tty, stdin)
        except FileNotFoundError as error:
            raise RuntimeFailed(f'exec: "{command[0]}": executable file not found') from error
        self.processes.append(process)
        return process

    def attach(self, container_id: str) -> Attachment:
        process = self.containers.get(container_id)
        if process is None:
            raise LookupFailed(500, "the container does not run")
        return LocalAttachment(process)

    def read_logs(
        self, namespace: str, pod: str, container: str, options: LogOptions
    ) -> AsyncIterator[bytes]:
        ref = self.find(namespace, pod, container)
        if not ref.running:
            reason = f'container "{container}" in pod "{pod}" is waiting to start: PodInitializing'
            raise LookupFailed(400, reason)
        return self._read_logs(self.logs.setdefault(ref.container_id, []), options)

    async def _read_logs(self, lines: list[bytes], options: LogOptions) -> AsyncIterator[bytes]:
        position = 0 if options.tail_lines is None else max(0, len(lines) - options.tail_lines)
        self.no_log_readers.clear()
        try:
            while True:
                while position < len(lines):
                    yield lines[position]
                    position += 1
                if not options.follow:
                    return
                self.log_grew.clear()
                await self.log_grew.wait()
        finally:
            self.no_log_readers.set()


def _own(pipe: object) -> int | None:
    """The pipe's descriptor, non-blocking, and no longer the file object's."""
    if pipe is None:
        return None
    fd = os.dup(pipe.fileno())  # type: ignore[attr-defined]
    pipe.close()  # type: ignore[attr-defined]
    os.set_blocking(fd, False)
    return fd


@asynccontextmanager
async def streaming_node(
    server: RunningApiServer, name: str, runtime: LocalRuntime
) -> AsyncIterator[KubeletServer]:
    """A registered Node on loopback whose kubelet serves nothing but streams."""
    certificates = server.folder / "pki"
    pki.write_pki(certificates, "cluster.local", ["127.0.0.1"], {name: "127.0.0.1"})
    stem = f"kubelet-{name}-serving"
    tls = server_tls(
        pki.cert_file(certificates, stem),
        pki.key_file(certificates, stem),
        pki.cert_file(certificates, "ca"),
    )
    kubelet = KubeletServer(runtime, tls, "127.0.0.1", 0)
    task = asyncio.create_task(kubelet.run(), name=f"kubelet of {name}")
    await kubelet.listening.wait()
    try:
        async with Client(server.client_config()) as client:
            node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}}
            await client.create("nodes", node)
            status = {
                "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
                "daemonEndpoints": {"kubeletEndpoint": {"Port": kubelet.port}},
            }
            await client.patch("nodes", name, {"status": status}, subresource="status")
            for pod in runtime.pods():
                await create_running_pod(client, pod, runtime.pod_ip)
        yield kubelet
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        runtime.close()


async def create_running_pod(client: Client, pod: Object, pod_ip: str) -> None:
    """Create a Pod and say of it that its containers run."""
    created = await client.create("pods", pod)
    statuses = [
        {"name": entry["name"], "ready": True, "restartCount": 0, "state": {"running": {}}}
        for entry in pod["spec"]["containers"]
    ]
    ready = [{"type": "Ready", "status": "True"}]
    status = {
        "phase": "Running",
        "podIP": pod_ip,
        "conditions": ready,
        "containerStatuses": statuses,
    }
    await client.patch(
        "pods", name_of(created), {"status": status}, namespace_of(created), "merge", "status"
    )


def make_pod(name: str, *containers: str, node: str = "node-1", tty: bool = False) -> Object:
    """A Pod in namespace default that is bound to a node."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "default",
            "uid": f"uid-of-{name}",
        },
        "spec": {
            "nodeName": node,
            "containers": [
                {"name": container, "image": "host", "stdin": True, "tty": tty}
                for container in containers
            ],
        },
    }
