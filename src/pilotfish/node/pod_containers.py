"""The containers of one Pod as they run: their views, probes, hooks, stops.

The worker decides; this keeps what it needs to know, and reacts where waiting for the worker
would cost time: a probe's verdict goes into the status at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Literal, Protocol

from pilotfish.node.container_run import ContainerRun
from pilotfish.node.container_stop import Deadline, stop_container
from pilotfish.node.context import NodeContext
from pilotfish.node.files.trees import try_remove_tree
from pilotfish.node.hooks import HookFailed, run_hook
from pilotfish.node.paths import ContainerPaths, PodPaths
from pilotfish.node.probes.actions import make_probe
from pilotfish.node.probes.container import ContainerProbes, ProbeListener
from pilotfish.node.probes.state import Kind, Result
from pilotfish.node.record import (
    ContainerRecord,
    all_containers,
    counted_containers,
    ephemeral_containers,
    init_containers,
    is_sidecar,
    new_view,
)
from pilotfish.node.status import container_is_ready
from pilotfish.node.unstarted import is_unstarted, undo_start
from pilotfish.objects.meta import Object

log = logging.getLogger(__name__)


class PodOfWorker(Protocol):
    """What this needs of the worker that it belongs to."""

    pod: Object
    paths: PodPaths

    @property
    def pod_ip(self) -> str: ...


class PodContainers:
    def __init__(
        self,
        node: NodeContext,
        worker: PodOfWorker,
        wake: Callable[[], None],
        publish: Callable[[], None],
    ) -> None:
        self.view = new_view(worker.pod)
        self.runs: dict[str, ContainerRun] = {}
        self._node = node
        self._worker = worker
        self._wake = wake
        self._publish = publish
        self._probes: dict[str, ContainerProbes] = {}
        self._verdicts: dict[str, bool] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping: dict[str, asyncio.Task[None]] = {}
        self._deadlines: set[Deadline] = set()
        self._unstarted: list[tuple[ContainerRecord, ContainerPaths]] = []
        self._adopt()

    @property
    def any_running(self) -> bool:
        return any(view.running for view in self.view.containers.values())

    def event(
        self, container: Object, type_: Literal["Normal", "Warning"], reason: str, message: str
    ) -> None:
        name = container["name"]
        kind = "containers"
        if container in init_containers(self._worker.pod):
            kind = "initContainers"
        elif container in ephemeral_containers(self._worker.pod):
            kind = "ephemeralContainers"
        path = f"spec.{kind}{{{name}}}"
        self._node.events.record(self._worker.pod, type_, reason, message, path)

    def _adopt(self) -> None:
        """Read the records of the kubelet before, and take over what runs."""
        for container in all_containers(self._worker.pod):
            name = container["name"]
            folder = self._worker.paths.container_dir(name)
            attempts = sorted(int(entry.name) for entry in folder.glob("[0-9]*"))
            view = self.view.containers[name]
            for attempt in attempts[-2:]:
                paths = self._worker.paths.container(name, attempt)
                try:
                    record = ContainerRecord.load(paths.record)
                except FileNotFoundError:
                    continue  # it was never started
                except ValueError as error:
                    log.warning("record of container %s is unreadable: %s", name, error)
                    continue
                if is_unstarted(record, paths):
                    self._unstarted.append((record, paths))
                    continue
                view.previous, view.current = view.current, record
                run = self._new_run(container, record, attempt)
                self.runs[name] = run
                run.adopt()
        self._remember_readiness()

    def _new_run(self, container: Object, record: ContainerRecord, attempt: int) -> ContainerRun:
        return ContainerRun(
            self._node.runc,
            self._node.config,
            record,
            self._worker.paths.container(container["name"], attempt),
            container,
            lambda: self.ended(container),
        )

    def _remember_readiness(self) -> None:
        """A Pod that was ready stays ready while the kubelet restarts, until a probe says no."""
        status = self._worker.pod.get("status") or {}
        entries = [
            *(status.get("initContainerStatuses") or []),
            *(status.get("containerStatuses") or []),
        ]
        for entry in entries:
            view = self.view.containers.get(entry["name"])
            if view is None or view.current is None or not view.running:
                continue
            if entry.get("containerID") == f"runc://{view.current.container_id}":
                self._verdicts[entry["name"]] = bool(entry.get("ready"))
        if any(view.current for view in self.view.containers.values()):
            self.view.start_time = status.get("startTime") or ""
        self._judge()

    async def undo_unstarted(self) -> None:
        """Undo what the kubelet before was starting when it was killed; to be done first."""
        while self._unstarted:
            record, paths = self._unstarted[0]
            await undo_start(self._node.runc, record, paths)
            self._unstarted.pop(0)

    def probe_adopted(self) -> None:
        """Begin the probes of adopted containers, once the Pod's address is known."""
        for container in all_containers(self._worker.pod):
            if self.view.of(container).running:
                self._begin_probes(container)

    def _judge(self) -> None:
        for container in counted_containers(self._worker.pod):
            view = self.view.of(container)
            verdict = self._verdicts.get(container["name"])
            view.ready = container_is_ready(container, view, verdict)

    def _judge_and_publish(self) -> None:
        self._judge()
        self._publish()

    def started(self, container: Object, run: ContainerRun) -> None:
        """A start has gone through (or runc refused it: then the run has ended already)."""
        name = container["name"]
        view = self.view.of(container)
        view.previous, view.current = view.current, run.record
        view.waiting_reason = view.waiting_message = ""
        self._verdicts.pop(name, None)
        self.runs[name] = run
        self._drop_old_runs(name, run.record.attempt)
        self.event(container, "Normal", "Created", f"Created container: {name}")
        if run.record.exited and run.record.reason == "StartError":
            self.event(container, "Warning", "Failed", f"Error: {run.record.message}")
            self._judge_and_publish()
            self._wake()
            return
        self.event(container, "Normal", "Started", f"Started container {name}")
        handler = (container.get("lifecycle") or {}).get("postStart")
        if handler and not run.record.exited:
            view.hook_running = True
            self._spawn(self._post_start(container, run, handler))
        else:
            self._begin_probes(container)
        self._judge_and_publish()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _post_start(self, container: Object, run: ContainerRun, handler: Object) -> None:
        view = self.view.of(container)
        try:
            await run_hook(self._node.runc, run, container, handler, self._worker.pod_ip)
        except HookFailed as error:
            message = f"PostStartHook failed: {error}"
            self.event(container, "Warning", "FailedPostStartHook", message)
            view.hook_running = False
            self.kill(container, "FailedPostStartHook", {})
            return
        view.hook_running = False
        if not run.record.exited:
            self._begin_probes(container)
        self._judge_and_publish()
        self._wake()

    def _drop_old_runs(self, name: str, attempt: int) -> None:
        """Keep this run and the one before, whose log `--previous` asks for."""
        for entry in self._worker.paths.container_dir(name).glob("[0-9]*"):
            if int(entry.name) < attempt - 1:
                log_file = self._worker.paths.container(name, int(entry.name)).log
                for file in log_file.parent.glob(log_file.name + "*"):
                    file.unlink(missing_ok=True)
                try_remove_tree(entry, log.warning)

    def _begin_probes(self, container: Object) -> None:
        name = container["name"]
        run = self.runs[name]
        if not any(container.get(kind.value) for kind in Kind) or run.record.exited:
            return
        if old := self._probes.pop(name, None):
            old.stop()
        self._probes[name] = ContainerProbes(
            container,
            run.record.started_s,
            run.record.startup_passed,
            lambda probe: make_probe(probe, container, self._worker.pod_ip, run, self._node.runc),
            ProbeListener(
                failed=lambda kind, result: self._probe_failed(container, kind, result),
                verdict=lambda kind, success: self._probe_verdict(container, kind, success),
            ),
        )

    def _probe_failed(self, container: Object, kind: Kind, result: Result) -> None:
        verb = "errored" if result.errored else "failed"
        message = f"{kind.title} probe {verb}: {result.output}"
        # After the verdict, which may follow from it: the status is not to queue behind an Event.
        asyncio.get_running_loop().call_soon(self.event, container, "Warning", "Unhealthy", message)

    def _probe_verdict(self, container: Object, kind: Kind, success: bool) -> None:
        name = container["name"]
        run = self.runs[name]
        if kind is Kind.READINESS:
            self._verdicts[name] = success
            self._judge_and_publish()
        elif kind is Kind.STARTUP and success:
            run.record.startup_passed = True
            run.record.save(run.paths.record)
            self._judge_and_publish()
            self._wake()
        elif not success:
            why = f"Container {name} failed {kind.title.lower()} probe"
            self.kill(container, why, container[kind.value])

    def kill(self, container: Object, why: str, probe: Object) -> None:
        """Stop a container that shall be restarted (or not, as its restartPolicy says).

        `probe` is the one that failed: it may have a grace period of its own.
        """
        run = self.runs[container["name"]]
        spec = self._worker.pod.get("spec", {})
        grace_s = probe.get("terminationGracePeriodSeconds")
        if grace_s is None:
            grace_s = spec.get("terminationGracePeriodSeconds", 30)
        message = f"{why}, will be restarted"
        self._stop(run, Deadline(float(grace_s)), message)

    def _stop(self, run: ContainerRun, deadline: Deadline, message: str) -> asyncio.Task[None]:
        container_id = run.record.container_id
        if container_id not in self._stopping:
            self.event(run.container, "Normal", "Killing", message)
            task = asyncio.create_task(self._stop_one(run, deadline))
            self._stopping[container_id] = task
            task.add_done_callback(lambda _: self._stopping.pop(container_id, None))
            self._deadlines.add(deadline)
        else:
            for other in self._deadlines:
                other.shorten(deadline.left_s)
        return self._stopping[container_id]

    async def _stop_one(self, run: ContainerRun, deadline: Deadline) -> None:
        try:
            failure = await stop_container(self._node.runc, run, self._worker.pod_ip, deadline)
        finally:
            self._deadlines.discard(deadline)
        if failure is not None:
            message = f"PreStopHook failed: {failure}"
            self.event(run.container, "Warning", "FailedPreStopHook", message)

    async def stop_all(self, grace_s: float) -> None:
        """Stop every container: the app's together, then sidecars, the last one first."""
        for probes in self._probes.values():
            probes.stop_restarting()
        deadline = Deadline(grace_s)
        sidecars = [one["name"] for one in init_containers(self._worker.pod) if is_sidecar(one)]
        first = [run for name, run in self.runs.items() if name not in sidecars]
        waves = [first, *([self.runs[name]] for name in reversed(sidecars) if name in self.runs)]
        for wave in waves:
            stops = [
                self._stop(run, deadline, f"Stopping container {run.record.name}")
                for run in wave
                if run.record.running
            ]
            if stops:
                await asyncio.gather(*stops)
            await asyncio.gather(*(run.wait_ended() for run in wave))

    def shorten_grace(self, grace_s: float) -> None:
        """Deletion with a shorter grace period while containers are being stopped."""
        for deadline in self._deadlines:
            deadline.shorten(grace_s)

    def ended(self, container: Object) -> None:
        """The container's process has ended; its record says how."""
        name = container["name"]
        if probes := self._probes.pop(name, None):
            probes.stop()
        self._verdicts.pop(name, None)
        self._judge_and_publish()
        self._wake()

    def back_off(self, name: str, message: str) -> None:
        view = self.view.containers[name]
        if view.waiting_message == message:
            return
        view.waiting_reason, view.waiting_message = "CrashLoopBackOff", message
        container = next(one for one in all_containers(self._worker.pod) if one["name"] == name)
        text = "Back-off restarting failed container " + message.partition("container=")[2].replace(
            " pod=", " in pod "
        )
        self.event(container, "Warning", "BackOff", text)

    async def cleaned(self) -> None:
        """Return when every run has given back its mounts and cgroups."""
        await asyncio.gather(*(run.wait_cleaned() for run in self.runs.values()))

    def detach(self) -> None:
        """Let go of everything; the containers run on."""
        for task in [*self._tasks, *self._stopping.values()]:
            task.cancel()
        for probes in self._probes.values():
            probes.stop()
        for run in self.runs.values():
            run.detach()
