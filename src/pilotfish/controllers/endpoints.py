"""Endpoints: the older form of a Service's addresses, for clients that still read it.

`kubectl get ep` and tutorials use them. One object per Service, with the
Service's name.
"""

from __future__ import annotations

import logging

from pilotfish.client.errors import AlreadyExists, NotFound
from pilotfish.controllers.controller import Context, Controller
from pilotfish.controllers.endpoints_of_pods import (
    endpoint_facts,
    endpoint_subsets,
    has_managed_endpoints,
    service_labels,
)
from pilotfish.controllers.informers import objects_labelled, services_selecting
from pilotfish.controllers.written import Written
from pilotfish.objects.meta import (
    Object,
    annotations_of,
    is_deleting,
    key_of,
    labels_of,
    name_of,
    namespace_of,
)

log = logging.getLogger(__name__)

MANAGED_BY = "endpoints.kubernetes.io/managed-by"
MANAGER = "endpoint-controller"
OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"
MAX_ADDRESSES = 1000
# The same change goes out as an EndpointSlice, on which traffic waits; this one gives way to it
# and takes several changes together.
POD_CHANGE_DELAY_S = 0.02


def wanted_endpoints_object(service: Object, pods: list[Object], present: Object | None) -> Object:
    """The Endpoints object of a Service, with what others annotated the present one with."""
    subsets = endpoint_subsets(service, pods)
    annotations = dict(annotations_of(present)) if present else {}
    annotations.pop(OVER_CAPACITY, None)
    if truncate(subsets, MAX_ADDRESSES):
        annotations[OVER_CAPACITY] = "truncated"
    metadata: Object = {
        "name": name_of(service),
        "namespace": namespace_of(service),
        "labels": {**service_labels(service), MANAGED_BY: MANAGER},
    }
    if annotations:
        metadata["annotations"] = annotations
    wanted: Object = {"apiVersion": "v1", "kind": "Endpoints", "metadata": metadata}
    if subsets:
        wanted["subsets"] = subsets
    return wanted


def truncate(subsets: list[Object], limit: int) -> bool:
    """Cut subsets, in place, to that many addresses, ready ones first; whether it had to."""
    cut = False
    for field in ("addresses", "notReadyAddresses"):
        for subset in subsets:
            addresses = subset.get(field) or []
            if len(addresses) > limit:
                cut = True
                subset[field] = addresses[:limit]
            limit -= len(subset.get(field) or [])
            if field in subset and not subset[field]:
                del subset[field]
    return cut


def same_endpoints(present: Object, wanted: Object) -> bool:
    """Whether writing `wanted` over `present` would change nothing."""
    return (
        (present.get("subsets") or []) == (wanted.get("subsets") or [])
        and labels_of(present) == labels_of(wanted)
        and annotations_of(present) == annotations_of(wanted)
    )


class EndpointsController(Controller):
    """Keeps the Endpoints of every Service with a selector."""

    name = "endpoint-controller"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._services = self.informer("services")
        self._pods = self.informer("pods")
        self._endpoints = self.informer("endpoints")
        self._written = Written(self._endpoints)
        self._services.on_change(self._service_changed)
        self._pods.on_change(self._pod_changed)
        self._endpoints.on_change(self._endpoints_changed)

    def _service_changed(self, old: Object | None, new: Object | None) -> None:
        service = new or old
        if service is not None:
            self.enqueue(service)

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        if old is not None and new is not None and endpoint_facts(old) == endpoint_facts(new):
            return
        for pod in (new, old):
            if pod is not None:
                for service in services_selecting(self._services, pod):
                    self.queue.add_after(key_of(service), POD_CHANGE_DELAY_S)

    def _endpoints_changed(self, old: Object | None, new: Object | None) -> None:
        endpoints = new or old
        if endpoints is not None and not (new is not None and self._written.is_echo(new)):
            self.enqueue(endpoints)

    async def sync(self, key: str) -> None:
        service = self._services.get(key)
        present = self._written.latest(key)
        if service is None or is_deleting(service):
            # What was written by hand for a Service that is yet to come stays.
            if present is not None and labels_of(present).get(MANAGED_BY) == MANAGER:
                await self._delete(present)
            return
        if not has_managed_endpoints(service):
            return
        selector = service["spec"]["selector"]
        pods = objects_labelled(self._pods, namespace_of(service), selector)
        wanted = wanted_endpoints_object(service, pods, present)
        if present is None:
            self._written.sending(wanted)
            try:
                self._written.note(await self.client.create("endpoints", wanted))
            except AlreadyExists:
                self.queue.add_after(key, 0.1)  # the watch is about to show it
        elif not same_endpoints(present, wanted):
            wanted["metadata"]["resourceVersion"] = present["metadata"]["resourceVersion"]
            self._written.sending(wanted)
            try:
                self._written.note(await self.client.update("endpoints", wanted))
            except NotFound:
                self._written.forget(present)
                raise

    async def _delete(self, present: Object) -> None:
        try:
            await self.client.delete("endpoints", name_of(present), namespace_of(present))
        except NotFound:
            log.debug("Endpoints %s were gone already", key_of(present))
        self._written.note_deleted(present)
