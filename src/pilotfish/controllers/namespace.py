"""Namespace: a namespace that is being deleted takes everything in it along.

The API server keeps a deleted namespace, as Terminating, until this controller
has emptied it and removed the finalizer `kubernetes`.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Mapping

from pilotfish.client.errors import ApiError, Conflict, NotFound
from pilotfish.controllers.controller import Context, Controller
from pilotfish.controllers.custom_resources import DEFINITIONS, resources_of
from pilotfish.objects.conditions import set_condition
from pilotfish.objects.meta import Object, is_deleting, name_of, namespace_of
from pilotfish.objects.resources import RESOURCES, Resource

log = logging.getLogger(__name__)

FINALIZER = "kubernetes"
# What holds an object that is not gone at once is seldom in one of our caches.
RETRY_S = 1.0


def namespaced_resources() -> list[Resource]:
    """The resources whose objects live in a namespace, each in its preferred version."""
    found: dict[str, Resource] = {}
    for resource in RESOURCES:
        if resource.namespaced and {"list", "deletecollection"} <= set(resource.verbs):
            found.setdefault(resource.full_name, resource)
    # Events are the same objects in both groups.
    found.pop("events.k8s.io", None)
    found.pop("events.events.k8s.io", None)
    return list(found.values())


def remaining_status(
    namespace: Object, remaining: Mapping[str, int], finalizers: Mapping[str, int], failure: str
) -> Object:
    """The status of a namespace that is not empty yet.

    Args:
        namespace: the Namespace.
        remaining: number of objects left, by resource.
        finalizers: number of objects held, by finalizer.
        failure: what a deletion was refused with; "" when none was.
    """
    status = dict(namespace.get("status") or {})
    conditions = [dict(entry) for entry in status.get("conditions") or ()]
    left = ", ".join(f"{name} has {count} resource instances" for name, count in remaining.items())
    held = ", ".join(f"{name} in {count} resource instances" for name, count in finalizers.items())
    _say(
        conditions,
        "NamespaceDeletionContentFailure",
        failure,
        "ContentDeletionFailed",
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    )
    _say(
        conditions,
        "NamespaceContentRemaining",
        f"Some resources are remaining: {left}" if left else "",
        "SomeResourcesRemain",
        "ContentRemoved",
        "All content successfully removed",
    )
    _say(
        conditions,
        "NamespaceFinalizersRemaining",
        f"Some content in the namespace has finalizers remaining: {held}" if held else "",
        "SomeFinalizersRemain",
        "ContentHasNoFinalizers",
        "All content-preserving finalizers finished",
    )
    return status | {"phase": "Terminating", "conditions": conditions}


def _say(
    conditions: list[Object], type_: str, problem: str, bad: str, good: str, fine: str
) -> None:
    if problem:
        set_condition(conditions, type_, "True", bad, problem)
    else:
        set_condition(conditions, type_, "False", good, fine)


def held_by(objects: Iterable[Object]) -> Counter[str]:
    """How many of the objects each finalizer holds."""
    return Counter(
        finalizer for obj in objects for finalizer in obj["metadata"].get("finalizers") or ()
    )


class NamespaceController(Controller):
    """Empties namespaces that are being deleted."""

    name = "namespace-controller"
    workers = 4

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._namespaces = self.informer("namespaces")
        self._namespaces.on_change(self._namespace_changed)
        # Pods take their grace period; the others are gone as soon as they are deleted.
        self.informer("pods").on_change(self._pod_changed)

    def _namespace_changed(self, _old: Object | None, new: Object | None) -> None:
        if new is not None and is_deleting(new):
            self.enqueue(new)

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        if new is not None or old is None:
            return
        namespace = self._namespaces.get(namespace_of(old))
        if namespace is not None and is_deleting(namespace):
            self.enqueue(namespace)

    async def sync(self, key: str) -> None:
        namespace = self._namespaces.get(key)
        if namespace is None or not is_deleting(namespace):
            return
        finalizers = (namespace.get("spec") or {}).get("finalizers") or []
        if FINALIZER not in finalizers:
            return
        resources = namespaced_resources() + await self._custom_resources()
        left = await asyncio.gather(
            *(self._empty(resource, key) for resource in resources),
            return_exceptions=True,
        )
        remaining: Counter[str] = Counter()
        held: Counter[str] = Counter()
        failures = []
        for resource, result in zip(resources, left, strict=True):
            if isinstance(result, ApiError):
                failures.append(f"{resource.full_name}: {result.message}")
            elif isinstance(result, BaseException):
                raise result
            elif result:
                remaining[resource.full_name] = len(result)
                held += held_by(result)
        try:
            if not remaining and not failures:
                await self._finalize(namespace, finalizers)
                return
            status = remaining_status(namespace, remaining, held, "; ".join(failures))
            await self.write_status("namespaces", namespace, status)
        except NotFound:
            return
        self.queue.add_after(key, RETRY_S)

    async def _custom_resources(self) -> list[Resource]:
        """The custom resources whose objects live in a namespace, as they are now."""
        listed = await self.client.list(DEFINITIONS)
        found = (resources_of(definition)[-1:] for definition in listed["items"])
        return [resource for each in found for resource in each if resource.namespaced]

    async def _empty(self, resource: Resource, namespace: str) -> list[Object]:
        """Delete all objects of a resource in the namespace; returns those that are still there."""
        path = resource.path(namespace)
        listed = await self.client.request("GET", path)
        if not listed["items"]:
            return []
        if not all(is_deleting(obj) for obj in listed["items"]):
            body = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
            await self.client.request("DELETE", path, body=body)
            listed = await self.client.request("GET", path)
        return list(listed["items"])

    async def _finalize(self, namespace: Object, finalizers: list[str]) -> None:
        spec = {
            **namespace["spec"],
            "finalizers": [entry for entry in finalizers if entry != FINALIZER],
        }
        try:
            await self.client.update("namespaces", {**namespace, "spec": spec}, "finalize")
        except Conflict:
            self.queue.add(name_of(namespace))
            return
        log.info("namespace %s is empty and was released", name_of(namespace))
