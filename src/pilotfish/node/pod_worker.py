"""One Pod's worker: brings its containers to where the Pod's spec wants them.

A worker lives from the moment the kubelet hears of the Pod until the Pod is gone from the API
server and everything of it from the node. It sleeps until something happens (a new version of
the Pod, a container's end, a probe's verdict, a back-off that is over), then asks
`lifecycle.make_plan` what to do and does it. Cancelling it leaves the containers running: the
next kubelet adopts them from the records on disk.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time

from pilotfish.client.errors import ApiError, NotFound, Unreachable
from pilotfish.node import sandbox
from pilotfish.node.admission import Rejection
from pilotfish.node.container_start import StartRequest, start_container
from pilotfish.node.context import NodeContext
from pilotfish.node.errors import ContainerConfigError, ImageError, MountFailed
from pilotfish.node.image_pull import find_image
from pilotfish.node.isolation import ungiven_isolation
from pilotfish.node.lifecycle import Plan, make_plan
from pilotfish.node.pod_containers import PodContainers
from pilotfish.node.pod_removal import remove_pod
from pilotfish.node.record import ephemeral_containers
from pilotfish.node.runtime_class import check_runtime
from pilotfish.node.sandbox import PodSandbox, SandboxFailed
from pilotfish.node.status import pod_status, previous_conditions
from pilotfish.node.status_writer import StatusWriter
from pilotfish.node.volumes.pod_volumes import PodVolumes
from pilotfish.objects.meta import Object, is_deleting, key_of, name_of, namespace_of, uid_of
from pilotfish.objects.pods import is_terminal
from pilotfish.objects.times import age_s, now

log = logging.getLogger(__name__)

_FIRST_RETRY_S = 0.25
_MAX_RETRY_S = 10.0
_CONFIG_RETRY_S = 5.0
# A look into the store is cheap, and somebody may just be loading the image.
_IMAGE_RETRY_S = 3.0
_VOLUME_REFRESH_S = 45.0
# The kubelet's immediateEvictionGracePeriodSeconds.
_EVICTION_GRACE_S = 1.0
_NO_SANDBOX = "FailedCreatePodSandBox"
_DEADLINE_MESSAGE = "Pod was active on the node longer than the specified deadline"


class PodWorker:
    def __init__(self, node: NodeContext, pod: Object) -> None:
        self.pod = pod
        self.uid = uid_of(pod)
        self.paths = node.paths.pod(self.uid)
        self.sandbox: PodSandbox | None = None
        self.status = StatusWriter(node.client, pod)
        self._node = node
        self._gone = False
        self._released = False
        self._done = False
        self._wake = asyncio.Event()
        self._volumes = PodVolumes(node, self.paths)
        self._volumes_ready = False
        self._in_manifest: list[Object] = []
        self._refreshed_s = time.monotonic()
        self._image_failures: dict[str, int] = {}
        self.containers = PodContainers(node, self, self._wake.set, self.publish)
        # A Pod that has ended before this kubelet began is only waiting to be deleted.
        self._ended = is_terminal(pod) and not self.containers.any_running

    @property
    def pod_ip(self) -> str:
        return self.sandbox.pod_ips[0] if self.sandbox else ""

    @property
    def is_known(self) -> bool:
        """Whether a kubelet before this one has begun with the Pod, or the Pod has ended."""
        return self._ended or self.paths.manifest.exists()

    @property
    def is_released(self) -> bool:
        """Whether the Pod holds nothing of the node any more that another one could want."""
        return self._gone or self._released

    def reject(self, rejected: Rejection) -> None:
        """Let the Pod fail: this node does not take it."""
        view = self.containers.view
        view.rejected = True
        view.failed_reason, view.failed_message = rejected.reason, rejected.message
        view.start_time = now()
        self._node.events.record(self.pod, "Warning", rejected.reason, rejected.message)
        self._wake.set()

    @property
    def can_be_evicted(self) -> bool:
        """Whether the Pod runs, and is not on its way out."""
        leaving = self._ended or self._gone or self.containers.view.failed_reason
        return self.sandbox is not None and not leaving and not is_deleting(self.pod)

    def evict(self, why: str) -> None:
        """End the Pod for good, at once: it took more of the node than it may."""
        view = self.containers.view
        view.failed_reason, view.failed_message, view.evicted = "Evicted", why, True
        self._node.events.record(self.pod, "Warning", "Evicted", why)
        self._wake.set()

    def update(self, pod: Object) -> None:
        """The API server has a new version of the Pod."""
        self.pod = pod
        self.containers.view.add_new(pod)
        self.status.observe(pod)
        if is_deleting(pod):
            self.containers.shorten_grace(self._grace_s())
        self._wake.set()

    def remove(self, last: Object) -> None:
        """The Pod is gone from the API server; `last` is its last version."""
        self.pod = last
        self.containers.view.add_new(last)
        self._gone = True
        self.containers.shorten_grace(self._grace_s())
        self._wake.set()

    async def run(self) -> None:
        """Return when nothing of the Pod is left."""
        writing = asyncio.create_task(self.status.run(), name=f"status {key_of(self.pod)}")
        retry_s = _FIRST_RETRY_S
        try:
            while not self._done:
                self._wake.clear()
                try:
                    delay_s = await self._sync()
                    retry_s = _FIRST_RETRY_S
                except (MountFailed, SandboxFailed) as error:
                    reason = "FailedMount" if isinstance(error, MountFailed) else _NO_SANDBOX
                    self._node.events.record(self.pod, "Warning", reason, str(error))
                    delay_s, retry_s = retry_s, min(retry_s * 2, _MAX_RETRY_S)
                except (ApiError, Unreachable) as error:
                    log.warning("pod %s: %s; trying again", key_of(self.pod), error)
                    delay_s, retry_s = retry_s, min(retry_s * 2, _MAX_RETRY_S)
                except Exception:
                    log.exception("pod %s: sync failed; trying again", key_of(self.pod))
                    delay_s, retry_s = retry_s, min(retry_s * 2, _MAX_RETRY_S)
                if not self._done:
                    await self._sleep(delay_s)
        finally:
            writing.cancel()
            self.containers.detach()

    async def _sleep(self, delay_s: float | None) -> None:
        try:
            async with asyncio.timeout(delay_s):
                await self._wake.wait()
        except TimeoutError:
            pass

    def publish(self) -> None:
        """Compute the status and have it written, if it is another one than before."""
        view = self.containers.view
        conditions = previous_conditions(self.pod, self.status.latest)
        status = pod_status(self.pod, view, self._node.config.node_ips, conditions)
        self.status.publish(status)

    async def _sync(self) -> float | None:
        """One step; returns when to take the next one at the latest."""
        await self.containers.undo_unstarted()
        view = self.containers.view
        deadline_s = self._deadline_s()
        if deadline_s is not None and deadline_s <= 0 and not self._ended:
            view.failed_reason, view.failed_message = "DeadlineExceeded", _DEADLINE_MESSAGE
        if self._gone or is_deleting(self.pod):
            await self._terminate()
            return None
        if self._ended:
            self._release()
            return None
        if view.failed_reason:
            await self.containers.stop_all(self._grace_s())
            self._finish()
            return None
        await self._prepare()
        plan = make_plan(self.pod, view, time.time())
        await self._carry_out(plan)
        self.publish()
        for delay_s in (deadline_s, await self._refresh_volumes()):
            if delay_s is not None:
                plan.wake_at_most(delay_s)
        return plan.wake_after_s

    async def _prepare(self) -> None:
        """Manifest on disk, sandbox and volumes: what has to be there before any container."""
        view = self.containers.view
        if self.sandbox is None:
            if not view.start_time:
                view.start_time = (self.pod.get("status") or {}).get("startTime") or now()
            self.paths.state.mkdir(parents=True, exist_ok=True)
            self._write_manifest()
            self.publish()
            await check_runtime(self._node.client, self.pod)
            self.sandbox = sandbox.ensure(self._node, self.pod, self.paths)
            view.sandbox_ready, view.pod_ips = True, self.sandbox.pod_ips
            self.containers.probe_adopted()
            if not any(one.current for one in view.containers.values()):
                for text in ungiven_isolation(self.pod):
                    self._node.events.record(self.pod, "Warning", "NotSupported", text)
        if ephemeral_containers(self.pod) != self._in_manifest:
            self._write_manifest()
        if not self._volumes_ready:
            await self._volumes.set_up(self.pod, view.pod_ips)
            self._volumes_ready = True

    def _write_manifest(self) -> None:
        """The next kubelet needs it to end containers of a Pod that is deleted meanwhile."""
        draft = self.paths.manifest.with_suffix(".tmp")
        draft.write_text(json.dumps(self.pod))
        draft.replace(self.paths.manifest)
        self._in_manifest = ephemeral_containers(self.pod)

    async def _refresh_volumes(self) -> float | None:
        if not self._volumes.needs_refresh(self.pod):
            return None
        left_s = self._refreshed_s + _VOLUME_REFRESH_S - time.monotonic()
        if left_s > 0:
            return left_s
        await self._volumes.refresh(self.pod, self.containers.view.pod_ips)
        self._refreshed_s = time.monotonic()
        return _VOLUME_REFRESH_S

    async def _carry_out(self, plan: Plan) -> None:
        if plan.stop_rest:
            await self.containers.stop_all(self._grace_s())
        if plan.finished:
            self._finish()
            return
        for name, message in plan.waiting.items():
            self.containers.back_off(name, message)
        for container in plan.start:
            await self._start(container, plan)
            if self.containers.view.of(container).hook_running:
                break  # the next one starts when this one's postStart hook is done

    async def _start(self, container: Object, plan: Plan) -> None:
        assert self.sandbox is not None
        view = self.containers.view.of(container)
        try:
            image = find_image(self._node.images, container)
            self.containers.event(
                container,
                "Normal",
                "Pulled",
                f'Container image "{container["image"]}" already present on machine',
            )
            request = StartRequest(
                pod=self.pod,
                container=container,
                image=image,
                sandbox=self.sandbox,
                paths=self.paths,
                volume_mounts=lambda env, folder: self._volumes.mounts_of(
                    self.pod, container, env, folder
                ),
                previous=view.current,
                on_exit=lambda: self.containers.ended(container),
                target_pid=self._target_pid(container),
            )
            run = await start_container(self._node, request)
        except ImageError as error:
            self._image_missing(container, error)
            plan.wake_at_most(_IMAGE_RETRY_S)
        except (ContainerConfigError, OSError) as error:
            reason = getattr(error, "reason", "CreateContainerError")
            view.waiting_reason, view.waiting_message = reason, str(error)
            self.containers.event(container, "Warning", "Failed", f"Error: {error}")
            plan.wake_at_most(_CONFIG_RETRY_S)
        else:
            self._image_failures.pop(container["name"], None)
            self.containers.started(container, run)

    def _target_pid(self, container: Object) -> int:
        """The process whose pid namespace an ephemeral container asks for, 0 for none."""
        target = container.get("targetContainerName")
        if not target:
            return 0
        view = self.containers.view.containers.get(target)
        if view is None or view.current is None or not view.running:
            raise ContainerConfigError(f'unable to find target container "{target}"')
        return view.current.pid

    def _image_missing(self, container: Object, error: ImageError) -> None:
        """ErrImagePull first, ImagePullBackOff from the second look on, as the kubelet says it."""
        view = self.containers.view.of(container)
        failures = self._image_failures.get(container["name"], 0)
        self._image_failures[container["name"]] = failures + 1
        image = container["image"]
        if error.reason != "ErrImagePull":
            view.waiting_reason, view.waiting_message = error.reason, str(error)
            if failures == 0:
                self.containers.event(container, "Warning", error.reason, str(error))
            return
        if failures == 0:
            view.waiting_reason, view.waiting_message = "ErrImagePull", str(error)
            message = f'Failed to pull image "{image}": {error}'
            self.containers.event(container, "Warning", "Failed", message)
            self.containers.event(container, "Warning", "Failed", "Error: ErrImagePull")
            return
        view.waiting_reason = "ImagePullBackOff"
        view.waiting_message = f'Back-off pulling image "{image}": ErrImagePull: {error}'
        if failures == 1:
            message = f'Back-off pulling image "{image}"'
            self.containers.event(container, "Normal", "BackOff", message)
            self.containers.event(container, "Warning", "Failed", "Error: ImagePullBackOff")

    def _deadline_s(self) -> float | None:
        limit_s = self.pod.get("spec", {}).get("activeDeadlineSeconds")
        start = self.containers.view.start_time
        if limit_s is None or not start:
            return None
        return float(limit_s) - age_s(start)

    def _grace_s(self) -> float:
        """How long the containers may take to end; deletion's own word counts most."""
        meta, spec = self.pod["metadata"], self.pod.get("spec", {})
        grace_s = meta.get("deletionGracePeriodSeconds")
        if grace_s is None:
            grace_s = spec.get("terminationGracePeriodSeconds", 30)
        if self.containers.view.evicted:
            grace_s = min(float(grace_s), _EVICTION_GRACE_S)
        return max(float(grace_s), 1.0 if self._gone else 0.0)

    def _finish(self) -> None:
        """The Pod has run to its end: say so, and give back its network; logs stay."""
        self._ended = True
        self.containers.view.sandbox_ready = False
        self.publish()
        self._release()

    def _release(self) -> None:
        if not self._released:
            sandbox.remove(self._node, self.uid, self.paths)
            self.sandbox = None
            self._released = True

    async def _terminate(self) -> None:
        """Stop everything, tell the last status, remove everything, let the API server know."""
        view = self.containers.view
        view.terminating = True
        await self.containers.stop_all(self._grace_s())
        self._release()
        if not self._gone:
            if view.start_time and not is_terminal(self.pod):
                view.sandbox_ready = False
                self.publish()
                await self.status.flush()
            await self._delete()
        await self.containers.cleaned()
        await asyncio.to_thread(remove_pod, self.paths)
        self._done = True

    async def _delete(self) -> None:
        name, namespace = name_of(self.pod), namespace_of(self.pod)
        try:
            await self._node.client.delete("pods", name, namespace, 0, self.uid)
        except NotFound:
            return
        except ApiError as error:
            # Another Pod has that name by now (409), on another node maybe (403).
            if error.code not in (403, 409):
                raise
