"""What runs on this node, as the kubelet's HTTP server sees it: look-ups, exec, attach, logs.

The Pod workers own the containers; this is the face they show to streaming requests.
Every file descriptor that leaves this module belongs to the caller from then on (it closes it),
unless its docstring says otherwise.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pilotfish.node.attachment import Attachment
from pilotfish.node.container_run import ContainerRun
from pilotfish.node.errors import LookupFailed, RuntimeFailed
from pilotfish.node.exec_process import ExecProcess, start_exec
from pilotfish.node.logs.reader import LogOptions, read_log
from pilotfish.node.pod_worker import PodWorker
from pilotfish.node.record import all_containers, app_containers
from pilotfish.node.runc import Runc
from pilotfish.objects.meta import Object, annotations_of, name_of, namespace_of

__all__ = ["Attachment", "ContainerRef", "ExecProcess", "Runtime"]

# The kubelet's words for two of the reasons why a container has no log yet.
_WAITING_WORDS = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}
_DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"


@dataclass(frozen=True)
class ContainerRef:
    """One container of one Pod on this node; `container_id` is "" before it ever started."""

    pod: Object
    pod_uid: str
    container: str
    container_id: str
    running: bool


class Runtime:
    """`workers` is the kubelet's own table of workers by Pod uid."""

    def __init__(self, workers: Mapping[str, PodWorker]) -> None:
        self.runc: Runc | None = None
        self._workers = workers

    def pods(self) -> list[Object]:
        """Every Pod of this node, with its newest status."""
        return [
            {**worker.pod, "status": worker.status.latest or worker.pod.get("status") or {}}
            for worker in self._workers.values()
        ]

    def _worker(self, namespace: str, pod: str) -> PodWorker:
        for worker in self._workers.values():
            if name_of(worker.pod) == pod and namespace_of(worker.pod) == namespace:
                return worker
        raise LookupFailed(404, "pod does not exist")

    def find(self, namespace: str, pod: str, container: str = "") -> ContainerRef:
        """Raise LookupFailed (404, "pod does not exist") or (404, 'container not found ("x")').

        An empty container name is the Pod's default container (annotation
        kubectl.kubernetes.io/default-container, else the first).
        """
        worker = self._worker(namespace, pod)
        name = container or annotations_of(worker.pod).get(_DEFAULT_CONTAINER, "")
        name = name or app_containers(worker.pod)[0]["name"]
        view = worker.containers.view.containers.get(name)
        if view is None:
            raise LookupFailed(404, f'container not found ("{name}")')
        container_id = view.current.container_id if view.current else ""
        return ContainerRef(worker.pod, worker.uid, name, container_id, view.running)

    def pod_netns(self, pod_uid: str) -> str:
        """Path of the Pod's network namespace (the node's own for hostNetwork Pods).

        Raises LookupFailed when the Pod has no sandbox.
        """
        worker = self._workers.get(pod_uid)
        if worker is None:
            raise LookupFailed(404, "pod does not exist")
        if worker.sandbox is None:
            raise LookupFailed(400, f"pod {name_of(worker.pod)} is not running")
        return worker.sandbox.netns

    def _run(self, container_id: str) -> ContainerRun:
        for worker in self._workers.values():
            for run in worker.containers.runs.values():
                if run.record.container_id == container_id and run.record.running:
                    return run
        raise LookupFailed(404, f'container not found ("{container_id}")')

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
        run = self._run(container_id)
        if self.runc is None:
            raise RuntimeFailed("the kubelet has not started yet")
        return await start_exec(
            self.runc, container_id, run.paths.bundle, command, tty=tty, stdin=stdin, env=env
        )

    def attach(self, container_id: str) -> Attachment:
        """Raises LookupFailed when the container does not run."""
        return Attachment(self._run(container_id))

    def read_logs(
        self, namespace: str, pod: str, container: str, options: LogOptions
    ) -> AsyncIterator[bytes]:
        """A container's log as the query asks; chunks of whole lines.

        Raises LookupFailed (400/404) at the call itself, before the first chunk:
        'container "x" in pod "y" is waiting to start: ContainerCreating',
        'previous terminated container "x" in pod "y" not found'.
        """
        worker = self._worker(namespace, pod)
        containers: list[dict[str, Any]] = all_containers(worker.pod)
        if container not in [one["name"] for one in containers]:
            raise LookupFailed(404, f"container {container} is not valid for pod {pod}")
        view = worker.containers.view.containers[container]
        which = f'container "{container}" in pod "{pod}"'
        if options.previous:
            # A container that waits in back-off has its last run as the current one.
            record = view.current if view.waiting_reason and view.current else view.previous
            if record is None:
                raise LookupFailed(400, f"previous terminated {which} not found")
        else:
            record = view.current
            if record is None:
                reason = view.waiting_reason or "ContainerCreating"
                reason = _WAITING_WORDS.get(reason, reason)
                raise LookupFailed(400, f"{which} is waiting to start: {reason}")
        path = worker.paths.container(container, record.attempt).log
        run = worker.containers.runs.get(container)
        followed = None
        if run is not None and run.record is record and run.pump is not None:
            followed = run.pump.log_file
        return read_log(path, options, followed)
