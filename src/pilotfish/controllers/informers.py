"""The informers that all controllers share: one list and watch per resource.

Controllers ask for a resource while they are being built; the manager runs
what was asked for. The indices that several controllers need are defined here,
so that each object is indexed once:

- `namespace`: the object's namespace.
- `owner`: the uid of every owner reference.
- `orphan`: the namespace, for objects without a managing controller.
- `label`: `namespace/key=value` for every label.
- `node`: the node that a Pod is bound to.
- `selector`: `namespace/key=value` for the first label of a Service's selector.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from pilotfish.client.api import Client
from pilotfish.client.informer import Informer
from pilotfish.objects.meta import Object, controller_of, labels_of, namespace_of
from pilotfish.objects.pods import host_node

# Resources whose objects are looked up by selector.
_LABEL_INDEXED = frozenset({"pods", "endpointslices.discovery.k8s.io"})

# A cluster that starts has better to do than to list what is still empty.
_LATER_S = 2.0


class Informers:
    """Informers by resource name, made on first use."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._informers: dict[str, Informer] = {}
        self._eager: set[str] = set()

    def get(self, resource: str, eager: bool = True) -> Informer:
        """The informer of a resource such as `pods` or `replicasets.apps`.

        Informers that nobody asked for eagerly start when the eager ones have
        synced, one after the other, so that they hold up nothing.
        """
        if eager:
            self._eager.add(resource)
        informer = self._informers.get(resource)
        if informer is None:
            informer = self._informers[resource] = self._make(resource)
        return informer

    def _make(self, resource: str) -> Informer:
        # Only the namespace of heartbeats is of interest to the controllers.
        namespace = "kube-node-lease" if resource == "leases.coordination.k8s.io" else ""
        informer = Informer(self._client, resource, namespace=namespace)
        informer.index("namespace", lambda obj: (namespace_of(obj),))
        informer.index("owner", owner_uids)
        informer.index("orphan", _orphan_namespace)
        if resource in _LABEL_INDEXED:
            informer.index("label", label_pairs)
        if resource == "pods":
            informer.index("node", lambda pod: (host_node(pod),))
        if resource == "services":
            informer.index("selector", _first_selector_pair)
        return informer

    async def run(self) -> None:
        """Keep every informer that was asked for up to date until cancelled."""
        first = [self._informers[resource] for resource in self._eager]
        later = [
            informer
            for resource, informer in self._informers.items()
            if resource not in self._eager
        ]
        async with asyncio.TaskGroup() as group:
            for informer in first:
                group.create_task(informer.run(), name=f"informer {informer.resource}")
            for informer in first:
                await informer.synced.wait()
            await asyncio.sleep(_LATER_S)
            for informer in later:
                group.create_task(informer.run(), name=f"informer {informer.resource}")
                await informer.synced.wait()


def owner_uids(obj: Object) -> list[str]:
    """The uids that an object's owner references name."""
    references = obj.get("metadata", {}).get("ownerReferences") or ()
    return [reference["uid"] for reference in references]


def _orphan_namespace(obj: Object) -> Iterable[str]:
    return () if controller_of(obj) else (namespace_of(obj),)


def label_pairs(obj: Object) -> list[str]:
    """Keys of the `label` index: `namespace/key=value` for each label."""
    namespace = namespace_of(obj)
    return [f"{namespace}/{key}={value}" for key, value in labels_of(obj).items()]


def objects_labelled(informer: Informer, namespace: str, wanted: Mapping[str, str]) -> list[Object]:
    """Objects of a namespace that carry all the wanted labels (of which there must be one).

    The index answers for each label; the shortest answer is filtered by the others.
    """
    candidates = min(
        (informer.by_index("label", f"{namespace}/{key}={value}") for key, value in wanted.items()),
        key=len,
    )
    return [obj for obj in candidates if wanted.items() <= labels_of(obj).items()]


def _first_selector_pair(service: Object) -> Iterable[str]:
    selector = service["spec"].get("selector")
    if not selector:
        return ()
    key = min(selector)
    return (f"{namespace_of(service)}/{key}={selector[key]}",)


def services_selecting(services: Informer, pod: Object) -> list[Object]:
    """The Services whose selector matches the Pod's labels."""
    labels = labels_of(pod)
    return [
        service
        for pair in label_pairs(pod)
        for service in services.by_index("selector", pair)
        if service["spec"]["selector"].items() <= labels.items()
    ]
