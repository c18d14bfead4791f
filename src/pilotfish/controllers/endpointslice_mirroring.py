"""EndpointSlice mirroring: hand-made Endpoints as EndpointSlices.

A Service without a selector may have its Endpoints written by a person or an
older program. Those who route traffic read EndpointSlices alone, so what is
written there is copied ("EndpointSlices: EndpointSlice mirroring" in the
Kubernetes documentation).
"""

from __future__ import annotations

from collections.abc import Iterator

from pilotfish.controllers.controller import Context, Controller
from pilotfish.controllers.endpoints_of_pods import Ports
from pilotfish.controllers.endpointslice import SLICES, owned_by, write_slices
from pilotfish.controllers.informers import objects_labelled
from pilotfish.controllers.slice_plan import MANAGED_BY, SERVICE_NAME, SlicePlan, plan_slices
from pilotfish.controllers.written import Written
from pilotfish.objects.meta import (
    Object,
    annotations_of,
    is_deleting,
    labels_of,
    name_of,
    namespace_of,
    uid_of,
)

MANAGER = "endpointslicemirroring-controller.k8s.io"
SKIP_LABEL = "endpointslice.kubernetes.io/skip-mirror"
LEADER_ANNOTATION = "control-plane.alpha.kubernetes.io/leader"
MAX_PER_SUBSET = 1000


def is_mirrored(endpoints: Object, service: Object | None) -> bool:
    """Whether these Endpoints are copied: hand-made ones of an existing Service."""
    return (
        service is not None
        and not service["spec"].get("selector")
        and not is_deleting(endpoints)
        and labels_of(endpoints).get(SKIP_LABEL) != "true"
        and LEADER_ANNOTATION not in annotations_of(endpoints)
    )


def mirrored(endpoints: Object, address_type: str) -> dict[Ports, dict[str, Object]]:
    """The endpoints of one address family, by identity, grouped by ports."""
    groups: dict[Ports, dict[str, Object]] = {}
    for subset in endpoints.get("subsets") or ():
        ports = tuple(
            (
                port.get("name", ""),
                port.get("protocol", "TCP"),
                port["port"],
                port.get("appProtocol"),
            )
            for port in subset.get("ports") or ()
        )
        group = groups.setdefault(ports, {})
        for address, ready in _addresses(subset):
            if (":" in address["ip"]) == (address_type == "IPv6") and len(group) < MAX_PER_SUBSET:
                entry = _endpoint(address, ready)
                group[(entry.get("targetRef") or {}).get("uid", "") or address["ip"]] = entry
    return {ports: group for ports, group in groups.items() if group}


def _addresses(subset: Object) -> Iterator[tuple[Object, bool]]:
    for address in subset.get("addresses") or ():
        yield address, True
    for address in subset.get("notReadyAddresses") or ():
        yield address, False


def _endpoint(address: Object, ready: bool) -> Object:
    result: Object = {"addresses": [address["ip"]], "conditions": {"ready": ready}}
    for field in ("hostname", "nodeName", "targetRef"):
        if address.get(field):
            result[field] = address[field]
    return result


class EndpointSliceMirroringController(Controller):
    """Keeps the slices that mirror hand-made Endpoints."""

    name = "endpointslicemirroring-controller"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._services = self.informer("services")
        self._endpoints = self.informer("endpoints")
        self._slices = self.informer(SLICES)
        self._written = Written(self._slices)
        self._services.on_change(self._changed)
        self._endpoints.on_change(self._changed)
        self._slices.on_change(self._slice_changed)

    def _changed(self, old: Object | None, new: Object | None) -> None:
        obj = new or old
        if obj is not None:
            self.enqueue(obj)

    def _slice_changed(self, old: Object | None, new: Object | None) -> None:
        if new is not None and self._written.is_echo(new):
            return
        for endpoint_slice in (old, new):
            labels = labels_of(endpoint_slice) if endpoint_slice else {}
            if endpoint_slice and labels.get(MANAGED_BY) == MANAGER and SERVICE_NAME in labels:
                self.queue.add(f"{namespace_of(endpoint_slice)}/{labels[SERVICE_NAME]}")

    async def sync(self, key: str) -> None:
        endpoints = self._endpoints.get(key)
        if endpoints is None:
            return  # the slices of deleted Endpoints go with them, by their owner reference
        namespace, name = namespace_of(endpoints), name_of(endpoints)
        mine = {SERVICE_NAME: name, MANAGED_BY: MANAGER}
        cached = objects_labelled(self._slices, namespace, mine)
        present = self._written.over(cached, uid_of(endpoints))
        existing, strays = owned_by(endpoints, present)
        plan = SlicePlan(delete=strays)
        if not is_mirrored(endpoints, self._services.get(key)):
            plan.delete += existing
        else:
            labels = {**labels_of(endpoints), **mine}
            for family in ("IPv4", "IPv6"):
                wanted = mirrored(endpoints, family)
                of_family = [entry for entry in existing if entry["addressType"] == family]
                if not wanted:
                    plan.delete += of_family
                    continue
                part = plan_slices(endpoints, labels, family, wanted, of_family)
                plan.create += part.create
                plan.update += part.update
                plan.delete += part.delete
        await write_slices(self.client, self._written, plan)
