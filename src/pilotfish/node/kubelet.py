"""The kubelet: registers the node and gives every Pod that is bound to it a worker."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from pilotfish.client.api import Client
from pilotfish.client.events import EventRecorder
from pilotfish.client.informer import Informer
from pilotfish.client.log_fields import log_fields
from pilotfish.network import links
from pilotfish.network.netlink import Netlink
from pilotfish.node import mounts
from pilotfish.node.admission import rejection
from pilotfish.node.config import KubeletConfig
from pilotfish.node.context import NodeContext
from pilotfish.node.disk_limits import watch_limits
from pilotfish.node.downward import NodeFacts
from pilotfish.node.images.host_view import HostView
from pilotfish.node.images.store import ImageStore
from pilotfish.node.ipam import AddressPool
from pilotfish.node.isolation import missing_isolation
from pilotfish.node.machine import disk_bytes, memory_bytes, read_machine
from pilotfish.node.oci.capabilities import bounding_set
from pilotfish.node.oom_score import lowest_oom_score_adj
from pilotfish.node.paths import NodePaths, PodPaths
from pilotfish.node.pod_worker import PodWorker
from pilotfish.node.processes import become_subreaper, reap_strangers
from pilotfish.node.registration import Registration
from pilotfish.node.runc import Runc
from pilotfish.node.runtime import Runtime
from pilotfish.node.volumes import bound
from pilotfish.objects.meta import Object, is_deleting, key_of, uid_of

log = logging.getLogger(__name__)

_REAP_PERIOD_S = 10.0


class Kubelet:
    """Runs in the node's network namespace, in the main thread's event loop.

    `runtime` is the face for the kubelet's HTTP server. `ready` is set when Pods can start.
    """

    def __init__(self, client: Client, config: KubeletConfig) -> None:
        self._client = client
        self._config = config
        self._paths = NodePaths.of(config.state_dir, config.run_dir, config.node_name)
        self._events = EventRecorder(client, "kubelet", config.node_name)
        own = f"metadata.name={config.node_name}"
        self._node = Informer(client, "nodes", field_selector=own)
        self._services = Informer(client, "services")
        selector = f"spec.nodeName={config.node_name}"
        self._pods = Informer(client, "pods", field_selector=selector)
        self._workers: dict[str, PodWorker] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._context: NodeContext | None = None
        self._pod_cidr = asyncio.Event()
        self.ready = asyncio.Event()
        self.runtime = Runtime(self._workers)

    async def run(self) -> None:
        """Until cancelled; containers then go on without a kubelet."""
        become_subreaper()
        self._context = self._prepare()
        self.runtime.runc = self._context.runc
        self._node.on_change(self._node_changed)
        machine = await asyncio.to_thread(read_machine, self._paths.state)
        registration = Registration(self._client, self._config, machine)
        self._node.on_change(registration.observe)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(registration.run())
                group.create_task(self._events.run())
                group.create_task(self._node.run())
                group.create_task(self._services.run())
                group.create_task(reap_strangers(_REAP_PERIOD_S))
                group.create_task(self._run_pods())
                group.create_task(watch_limits(self._evictable, self._config.disk_check_s))
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _prepare(self) -> NodeContext:
        config, paths = self._config, self._paths
        for folder in (paths.pods, paths.run, paths.runc_root, config.exits_dir):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if mounts.type_of(paths.pods.resolve(), mounts.mount_points()) == "overlay":
            # As inside of a container. overlayfs refuses a writable layer that is on overlayfs.
            log.warning("%s is on overlayfs: Pods' writable layers are kept in memory", paths.pods)
            mounts.mount("tmpfs", paths.pods, "tmpfs", mounts.MS_NODEV, "mode=700")
        host_view = HostView(paths.host_view)
        host_view.prepare()
        bound.prepare(paths.bound)
        memory = memory_bytes(Path("/proc/meminfo").read_text())
        return NodeContext(
            config=config,
            client=self._client,
            events=self._events,
            paths=paths,
            runc=Runc(paths.runc_root, paths.run, paths.bound / bound.NULL),
            images=ImageStore(config.images_dir),
            host_view=host_view,
            facts=NodeFacts(
                config.node_name,
                config.node_ip,
                Decimal(os.cpu_count() or 1),
                memory,
                disk_bytes(paths.state),
                ips=config.node_ips,
            ),
            oom_score_floor=lowest_oom_score_adj(),
            capabilities=bounding_set(Path("/proc/self/status").read_text()),
            services=lambda: list(self._services.values()),
        )

    def _node_changed(self, _old: Object | None, new: Object | None) -> None:
        if new is None or key_of(new) != self._config.node_name or self._context is None:
            return
        spec = new.get("spec", {})
        pod_cidrs = spec.get("podCIDRs") or [cidr for cidr in (spec.get("podCIDR"),) if cidr]
        if pod_cidrs and not self._context.addresses:
            files = (self._paths.ipam, self._paths.second_ipam)
            self._context.addresses = tuple(
                AddressPool(file, pod_cidr)
                for file, pod_cidr in zip(files, pod_cidrs, strict=False)
            )
            with Netlink() as nl:
                for pool in self._context.addresses:
                    links.add_address(nl, "lo", pool.own_address)
            self._pod_cidr.set()

    async def _run_pods(self) -> None:
        """Wait for what every Pod needs, adopt what runs, then follow the API server."""
        await self._pod_cidr.wait()
        await self._services.synced.wait()
        self._pods.on_change(self._pod_changed)
        async with self._pods.running():
            self._remove_orphans()
            self.ready.set()
            await asyncio.Event().wait()

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        """A Pod that was deleted and made anew under its name is two Pods: uids tell them."""
        if old is not None and (new is None or uid_of(new) != uid_of(old)):
            worker = self._workers.get(uid_of(old))
            if worker is not None:
                worker.remove(old)
        if new is None:
            return
        worker = self._workers.get(uid_of(new))
        if worker is not None:
            worker.update(new)
        else:
            self._add_worker(new)

    def _add_worker(self, pod: Object) -> PodWorker:
        assert self._context is not None
        uid = uid_of(pod)
        worker = PodWorker(self._context, pod)
        others = [other.pod for other in self._workers.values() if not other.is_released]
        self._workers[uid] = worker
        node = self._node.get(self._config.node_name)
        if node is not None and not worker.is_known and not is_deleting(pod):
            rejected = rejection(pod, others, node) or missing_isolation(pod)
            if rejected is not None:
                worker.reject(rejected)
        with log_fields(kind="Pod", object=key_of(pod)):
            task = asyncio.create_task(worker.run(), name=f"pod {key_of(pod)}")
        self._tasks[uid] = task
        task.add_done_callback(lambda task: self._worker_ended(uid, task))
        return worker

    def _evictable(self) -> list[tuple[Object, PodPaths, Callable[[str], None]]]:
        return [
            (worker.pod, worker.paths, worker.evict)
            for worker in self._workers.values()
            if worker.can_be_evicted
        ]

    def _worker_ended(self, uid: str, task: asyncio.Task[None]) -> None:
        self._workers.pop(uid, None)
        self._tasks.pop(uid, None)
        if not task.cancelled() and (error := task.exception()):
            log.error("the worker of pod %s ended with an error", uid, exc_info=error)

    def _remove_orphans(self) -> None:
        """Pods on disk that the API server does not know any more: end them."""
        for folder in self._paths.pods.iterdir():
            if folder.name in self._workers:
                continue
            try:
                pod = json.loads((folder / "pod.json").read_text())
            except (FileNotFoundError, json.JSONDecodeError) as error:
                log.warning("leftover pod %s has no manifest (%s)", folder.name, error)
                pod = {"metadata": {"name": folder.name, "uid": folder.name}, "spec": {}}
            log.info("pod %s is gone from the API server: removing it", key_of(pod))
            self._add_worker(pod).remove(pod)
