"""The cluster's objects as the dashboard needs them, followed through the API.

What is worked out of them is elsewhere and pure (`services`, `graph`); this is the shell.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pilotfish.client.informer import Informer
from pilotfish.dashboard.events import EventsPoller
from pilotfish.dashboard.readiness import Readiness
from pilotfish.dashboard.slots import Kernel, SlotsPoller
from pilotfish.objects.meta import Object, labels_of, namespace_of
from pilotfish.objects.pods import is_ready

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pilotfish.client.api import Client
    from pilotfish.dashboard.tally import Ready
    from pilotfish.tap.entry import Entry

EVERY_S = 1.0
_REST = 5.0  # times as long as reading took
SERVICE_NAME = "kubernetes.io/service-name"


@dataclass(frozen=True)
class Cluster:
    """Objects as they are at a moment; not to be changed.

    Attributes:
        services, pods, nodes: all of them.
        slices: EndpointSlices by (namespace, name) of their Service.
        kernels: what each node's kernel holds, by node; {} while nobody looks.
        warnings: what Events last said of Pods that are not ready, by uid; likewise.
    """

    services: Iterable[Object] = ()
    pods: Iterable[Object] = ()
    nodes: Iterable[Object] = ()
    slices: dict[tuple[str, str], list[Object]] = field(default_factory=dict)
    kernels: dict[str, Kernel] = field(default_factory=dict)
    warnings: dict[str, str] = field(default_factory=dict)


class Catalog:
    """Follows a cluster; `run()` must be running.

    Attributes:
        follows_slots: whether somebody looks at Services, so that kernels are to be read.
    """

    def __init__(self, client: Client) -> None:
        self._services = Informer(client, "services")
        self._slices = Informer(client, "endpointslices.discovery.k8s.io")
        self._pods = Informer(client, "pods")
        self._nodes = Informer(client, "nodes")
        self._runs = False
        self._wanted = asyncio.Event()
        self._looking = asyncio.Lock()
        self._looked_s = -EVERY_S
        self._readiness = Readiness()
        self._slots = SlotsPoller(client)
        self._events = EventsPoller(client)
        self._services.on_change(self._readiness.service_changed)
        self._slices.on_change(self._readiness.slice_changed)
        self._nodes.on_change(self._readiness.node_changed)

    @property
    def follows_slots(self) -> bool:
        return self._wanted.is_set()

    @follows_slots.setter
    def follows_slots(self, wanted: bool) -> None:
        if wanted:
            self._wanted.set()
        else:
            self._wanted.clear()

    async def look(self) -> None:
        """Read kernels and Events, unless that was done just now, or the cluster is lost."""
        loop = asyncio.get_running_loop()
        async with self._looking:
            if not self._runs or loop.time() - self._looked_s < EVERY_S / 2:
                return
            await asyncio.gather(self._slots.look(self._nodes.values()), self._look_at_events())
            self._looked_s = loop.time()

    async def run(self) -> None:
        """Follow the API server until cancelled."""
        self._runs = True
        try:
            async with asyncio.TaskGroup() as tasks:
                for informer in (self._services, self._slices, self._pods, self._nodes):
                    tasks.create_task(informer.run(), name=f"dashboard {informer.resource}")
                tasks.create_task(self._keep_looking(), name="dashboard kernels")
        finally:
            self._runs = False

    async def _keep_looking(self) -> None:
        """Kernels and Events are asked for again and again, so only while somebody looks."""
        loop = asyncio.get_running_loop()
        while True:
            await self._wanted.wait()
            begun_s = loop.time()
            await self.look()
            # A large cluster's kernels take time to read: they shall not do little else.
            await asyncio.sleep(max(EVERY_S, _REST * (loop.time() - begun_s)))

    async def _look_at_events(self) -> None:
        if any(not is_ready(pod) for pod in self._pods.values()):
            await self._events.look()

    async def wait_synced(self) -> None:
        """Return once everything there is is known."""
        for informer in (self._services, self._slices, self._pods, self._nodes):
            await informer.synced.wait()

    def ready(self, entry: Entry) -> Ready | None:
        """The endpoints that could have been chosen for an entry, as far as we know now.

        None for what did not go to a Service.
        """
        return self._readiness.of(entry)

    def cluster(self) -> Cluster:
        """All objects as they are now."""
        slices: dict[tuple[str, str], list[Object]] = {}
        for each in self._slices.values():
            name = labels_of(each).get(SERVICE_NAME)
            if name:
                slices.setdefault((namespace_of(each), name), []).append(each)
        return Cluster(
            self._services.values(),
            self._pods.values(),
            self._nodes.values(),
            slices,
            self._slots.kernels,
            self._events.warnings,
        )
