"""EndpointSlice: the addresses behind each Service, as its Pods come, turn unready and go.

This is the path on which a Pod's readiness becomes the kernel's tables, so it
waits for nothing: a change of a Pod puts the key of its Services on the queue,
and the write is on its way in the same turn of the event loop. While one write
of a Service is under way, further changes gather and go out with the next one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from pilotfish.client.api import Client
from pilotfish.client.errors import NotFound
from pilotfish.controllers.controller import Context, Controller, together
from pilotfish.controllers.endpoints_of_pods import (
    ZONE_LABEL,
    EndpointsByPorts,
    address_types,
    endpoint_facts,
    has_managed_endpoints,
    service_labels,
)
from pilotfish.controllers.informers import objects_labelled, owner_uids, services_selecting
from pilotfish.controllers.slice_plan import MANAGED_BY, SERVICE_NAME, SlicePlan, plan_slices
from pilotfish.controllers.written import Written
from pilotfish.objects.meta import (
    Object,
    is_deleting,
    key_of,
    labels_of,
    name_of,
    namespace_of,
    uid_of,
)

log = logging.getLogger(__name__)

MANAGER = "endpointslice-controller.k8s.io"
SLICES = "endpointslices.discovery.k8s.io"


class EndpointSliceController(Controller):
    """Keeps the EndpointSlices of every Service with a selector."""

    name = "endpoint-slice-controller"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._urgent = context.urgent
        self._services = self.informer("services")
        self._pods = self.informer("pods")
        self._slices = self.informer(SLICES)
        self._nodes = self.informer("nodes")
        self._written = Written(self._slices)
        self._zones: dict[str, str] = {}
        self._made: dict[tuple[str, str], EndpointsByPorts] = {}
        self._services.on_change(self._service_changed)
        self._pods.on_change(self._pod_changed)
        self._slices.on_change(self._slice_changed)
        self._nodes.on_change(self._node_changed)

    def _service_changed(self, old: Object | None, new: Object | None) -> None:
        if new is not None:
            self.enqueue(new)
        elif old is not None:
            for family in ("IPv4", "IPv6"):
                self._made.pop((key_of(old), family), None)

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        if old is not None and new is not None and endpoint_facts(old) == endpoint_facts(new):
            return
        for pod in (new, old):
            if pod is not None:
                for service in services_selecting(self._services, pod):
                    self.enqueue(service)

    def _slice_changed(self, old: Object | None, new: Object | None) -> None:
        if new is not None and self._written.is_echo(new):
            return
        for endpoint_slice in (old, new):
            labels = labels_of(endpoint_slice) if endpoint_slice else {}
            if endpoint_slice and labels.get(MANAGED_BY) == MANAGER and SERVICE_NAME in labels:
                self.queue.add(f"{namespace_of(endpoint_slice)}/{labels[SERVICE_NAME]}")

    def _node_changed(self, old: Object | None, new: Object | None) -> None:
        node = new or old
        zone = labels_of(new).get(ZONE_LABEL, "") if new else ""
        if node is None or self._zones.get(name_of(node), "") == zone:
            return
        self._zones[name_of(node)] = zone
        self._made.clear()
        for service in self._services.values():
            self.enqueue(service)

    async def sync(self, key: str) -> None:
        service = self._services.get(key)
        if service is None or is_deleting(service) or not has_managed_endpoints(service):
            return  # the slices of a deleted Service go with it, by their owner reference
        namespace = namespace_of(service)
        pods = objects_labelled(self._pods, namespace, service["spec"]["selector"])
        labels = {
            **service_labels(service),
            SERVICE_NAME: name_of(service),
            MANAGED_BY: MANAGER,
        }
        mine = {SERVICE_NAME: name_of(service), MANAGED_BY: MANAGER}
        cached = objects_labelled(self._slices, namespace, mine)
        present = self._written.over(cached, uid_of(service))
        existing, strays = owned_by(service, present)
        families = address_types(service, pods)
        plan = SlicePlan(delete=strays)
        for family in families:
            made = self._made.get((key, family))
            if made is None:
                made = self._made[key, family] = EndpointsByPorts(family)
            wanted = made.wanted(service, pods, self._zones)
            of_family = [present for present in existing if present["addressType"] == family]
            part = plan_slices(service, labels, family, wanted, of_family)
            plan.create += part.create
            plan.update += part.update
            plan.delete += part.delete
        plan.delete += (present for present in existing if present["addressType"] not in families)
        await write_slices(self._urgent, self._written, plan)


def owned_by(owner: Object, slices: Iterable[Object]) -> tuple[list[Object], list[Object]]:
    """The slices of this very owner, and those of a former one of the same name.

    The latter are about to be collected as garbage, so nothing may be put into them.
    """
    mine: list[Object] = []
    strays: list[Object] = []
    for entry in slices:
        (mine if uid_of(owner) in owner_uids(entry) else strays).append(entry)
    return mine, strays


async def write_slices(client: Client, written: Written, plan: SlicePlan) -> None:
    """Send a plan's writes at once, noting what they led to."""

    async def create(wanted: Object) -> None:
        written.note(await client.create(SLICES, wanted))

    async def update(wanted: Object) -> None:
        written.sending(wanted)
        try:
            written.note(await client.update(SLICES, wanted))
        except NotFound:
            written.forget(wanted)
            raise

    async def delete(present: Object) -> None:
        try:
            await client.delete(SLICES, name_of(present), namespace_of(present))
        except NotFound:
            log.debug("EndpointSlice %s was gone already", key_of(present))
        written.note_deleted(present)

    await together(
        [
            *(create(wanted) for wanted in plan.create),
            *(update(wanted) for wanted in plan.update),
            *(delete(present) for present in plan.delete),
        ]
    )
