"""Garbage collector: what an owner leaves behind goes with it.

It follows every resource that can be deleted. A deletion sends the dependents
(found by the index over owner uids) through the question of `ownership`; so
does an object that appears with owners, because its owner may have gone before
it came. An owner that is not in a cache is asked for at the API server before
it counts as absent: caches lag, and deleting is for ever.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from functools import partial

from pilotfish.client.errors import Conflict, NotFound
from pilotfish.client.informer import Informer
from pilotfish.controllers.controller import Context, Controller, together
from pilotfish.controllers.custom_resources import DEFINITIONS, resources_of
from pilotfish.controllers.informers import owner_uids
from pilotfish.controllers.ownership import (
    FOREGROUND,
    ORPHAN,
    Owner,
    blocks,
    orphans_dependents,
    owner_references,
    state_of_owner,
    unblocking,
    verdict,
    waits_for_dependents,
    without_finalizer,
    without_owners,
)
from pilotfish.objects.meta import Object, key_of, name_of, namespace_of, split_key, uid_of
from pilotfish.objects.resources import RESOURCES, learn, resource_of_kind

log = logging.getLogger(__name__)

# Events are many, own nothing and expire by themselves; the others are no stored objects
# or the same ones under another version.
_IGNORED = frozenset({"events", "events.k8s.io", "componentstatuses"})
_REMEMBERED_UIDS = 10_000


def collected_resources() -> list[str]:
    """The resources whose objects can own or be owned."""
    names = (
        resource.full_name
        for resource in RESOURCES
        if {"list", "watch", "delete"} <= set(resource.verbs)
        and resource.full_name not in _IGNORED
        and resource.plural != "events"
    )
    return list(dict.fromkeys(names))


class GarbageCollector(Controller):
    """Deletes dependents of deleted owners; carries out foreground and orphaning deletion."""

    name = "garbage-collector-controller"
    workers = 16

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._caches: dict[str, Informer] = {}
        self._gone: OrderedDict[str, None] = OrderedDict()
        for resource in collected_resources():
            informer = self.informer(resource, eager=False)
            self._caches[resource] = informer
            informer.on_change(partial(self._changed, resource))
        self._custom: dict[str, asyncio.Task[None]] = {}
        self._caches[DEFINITIONS].on_change(self._definition_changed)

    async def run(self) -> None:
        try:
            await super().run()
        finally:
            for task in self._custom.values():
                task.cancel()

    def _definition_changed(self, old: Object | None, new: Object | None) -> None:
        """Follow a custom resource as long as its definition is there."""
        if new is None:
            name = name_of(old or {})
            task = self._custom.pop(name, None)
            if task is not None:
                task.cancel()
                for obj in list(self._caches.pop(name).values()):
                    self._deleted(obj)  # the two watches are not ordered
            return
        name, found = name_of(new), resources_of(new)
        for resource in found:
            learn(resource)
        if not found or name in self._custom:
            return
        informer = self._caches[name] = Informer(self.client, name)
        informer.index("owner", owner_uids)
        informer.on_change(partial(self._changed, name))
        task = asyncio.create_task(informer.run(), name=f"informer {name}")
        self._custom[name] = task
        self._judge_again({(resource.api_version, resource.kind) for resource in found})

    def _judge_again(self, kinds: set[tuple[str, str]]) -> None:
        """Ask anew for the owners of kinds that could not be asked for until now."""
        for resource, informer in self._caches.items():
            for obj in informer.values():
                if any((r["apiVersion"], r["kind"]) in kinds for r in owner_references(obj)):
                    self._add(resource, obj)

    def _changed(self, resource: str, old: Object | None, new: Object | None) -> None:
        if new is None:
            if old is not None:
                self._deleted(old)
            return
        if waits_for_dependents(new) or orphans_dependents(new):
            self._add(resource, new)
        references, before = owner_references(new), owner_references(old) if old else []
        if references == before:
            return
        if references:
            self._add(resource, new)
        if old is not None:
            self._wake_owners(old)  # one may have waited for this object to let go of it

    def _deleted(self, obj: Object) -> None:
        self._gone[uid_of(obj)] = None
        if len(self._gone) > _REMEMBERED_UIDS:
            self._gone.popitem(last=False)
        for resource, dependent in self._dependents(uid_of(obj)):
            self._add(resource, dependent)
        self._wake_owners(obj)

    def _wake_owners(self, obj: Object) -> None:
        for reference in owner_references(obj):
            found = self._cached_owner(reference, namespace_of(obj))
            if found is not None and waits_for_dependents(found[1]):
                self._add(*found)

    def _add(self, resource: str, obj: Object) -> None:
        self.queue.add(f"{resource}|{key_of(obj)}")

    def _dependents(self, uid: str) -> list[tuple[str, Object]]:
        return [
            (resource, obj)
            for resource, informer in self._caches.items()
            for obj in informer.by_index("owner", uid)
        ]

    def _cached_owner(self, reference: Object, namespace: str) -> tuple[str, Object] | None:
        described = resource_of_kind(reference["apiVersion"], reference["kind"])
        if described is None or described.full_name not in self._caches:
            return None
        name = reference["name"]
        key = f"{namespace}/{name}" if described.namespaced else name
        owner = self._caches[described.full_name].get(key)
        if owner is None or uid_of(owner) != reference["uid"]:
            return None
        return described.full_name, owner

    async def sync(self, key: str) -> None:
        resource, _, object_key = key.partition("|")
        cache = self._caches.get(resource)
        obj = cache.get(object_key) if cache is not None else None
        if obj is None:
            return
        try:
            if orphans_dependents(obj):
                await self._orphan(resource, obj)
            elif waits_for_dependents(obj):
                await self._foreground(resource, obj)
            await self._judge(resource, obj)
        except NotFound:
            log.debug("%s %s went by itself", resource, object_key)

    async def _orphan(self, resource: str, obj: Object) -> None:
        """Release the dependents, then let the owner go."""
        await together(
            self._patch(
                kind, dependent, without_owners(dependent, [uid_of(obj)]), gone_is_fine=True
            )
            for kind, dependent in self._dependents(uid_of(obj))
        )
        await self._patch(resource, obj, without_finalizer(obj, ORPHAN))

    async def _foreground(self, resource: str, obj: Object) -> None:
        """Let the owner go when no dependent holds it up; else send those after it."""
        dependents = self._dependents(uid_of(obj))
        if not any(blocks(dependent, uid_of(obj)) for _, dependent in dependents):
            await self._patch(resource, obj, without_finalizer(obj, FOREGROUND))
            return
        for kind, dependent in dependents:
            self._add(kind, dependent)

    async def _judge(self, resource: str, obj: Object) -> None:
        """Delete the object if its owners say so, or tidy its owner references."""
        references = owner_references(obj)
        if not references:
            return
        owners = {
            reference["uid"]: await self._state(reference, namespace_of(obj))
            for reference in references
        }
        dependents = [dependent for _, dependent in self._dependents(uid_of(obj))]
        decided = verdict(obj, owners, dependents)
        if decided.drop_owners:
            await self._patch(resource, obj, without_owners(obj, decided.drop_owners))
        if decided.unblock:
            await self._patch(resource, obj, unblocking(obj))
        if decided.delete:
            log.debug("deleting %s %s: its owners are gone", resource, key_of(obj))
            try:
                await self.client.delete(
                    resource,
                    name_of(obj),
                    namespace_of(obj),
                    uid=uid_of(obj),
                    propagation=decided.delete,
                )
            except Conflict:
                log.debug("%s %s was replaced by a namesake", resource, key_of(obj))

    async def _state(self, reference: Object, namespace: str) -> Owner:
        described = resource_of_kind(reference["apiVersion"], reference["kind"])
        if described is None:
            return Owner.SOLID  # a kind we cannot ask for: nothing is deleted on a guess
        found = self._cached_owner(reference, namespace)
        if found is not None:
            return state_of_owner(found[1], reference)
        if reference["uid"] in self._gone:
            return Owner.ABSENT
        try:
            owner = await self.client.get(
                described.full_name,
                reference["name"],
                namespace if described.namespaced else "",
            )
        except NotFound:
            return Owner.ABSENT
        return state_of_owner(owner, reference)

    async def _patch(
        self, resource: str, obj: Object, patch: Object, gone_is_fine: bool = False
    ) -> None:
        namespace, name = split_key(key_of(obj))
        try:
            await self.client.patch(resource, name, patch, namespace)
        except NotFound:
            if not gone_is_fine:
                raise
