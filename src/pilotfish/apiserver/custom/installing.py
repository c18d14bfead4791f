"""Installing: the catalog kept in step with the CustomResourceDefinitions, and their end.

A definition that is committed is served before its writer hears of it. One that is deleted
stays, by its finalizer, until its objects are gone.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import Final

from pilotfish.apiserver.collection import Change, Watcher
from pilotfish.apiserver.core import Core
from pilotfish.apiserver.custom.definitions import FINALIZER, is_named, settle
from pilotfish.apiserver.custom.resource import (
    DEFINITIONS,
    CustomResource,
    is_established,
    resources_of,
)
from pilotfish.apiserver.deleting import DeleteOptions, delete_object, is_finished, remove
from pilotfish.apiserver.errors import StatusError
from pilotfish.apiserver.selection import Selection
from pilotfish.objects.conditions import set_condition
from pilotfish.objects.meta import Object, name_of
from pilotfish.objects.resources import resource

log = logging.getLogger(__name__)

_RETRY_S: Final = 1.0


def definitions_of_group(core: Core, group: str, but: str = "") -> list[Object]:
    """The committed definitions of a group, without the one of that name."""
    # A definition is named PLURAL.GROUP. Decoding those of other groups takes long.
    of_group = [
        entry
        for entry in core.registry.collection(DEFINITIONS).select(Selection())
        if entry.key.partition(".")[2] == group and entry.key != but
    ]
    return [entry.decode() for entry in of_group]


class CustomResources(Watcher):
    """What the definitions add to one server."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._served: dict[str, list[CustomResource]] = {}
        self._wake = asyncio.Event()
        # The definitions that changed, and those that wait for names of others in their group.
        self._changed: set[str] = set()
        self._nameless: set[str] = set()
        collection = core.registry.collection(DEFINITIONS)
        for entry in collection.select(Selection()):
            self._install(entry.decode())
            self._changed.add(entry.key)
        collection.watchers.add(self)

    def offer(self, change: Change) -> None:
        """Take note of a committed definition."""
        try:
            definition = change.entry.decode()
            if change.removed:
                for each in self._uninstall(name_of(definition)):
                    for watcher in self._core.registry.collection(each.full_name).watchers:
                        watcher.end()
            else:
                self._install(definition)
        except Exception:
            log.exception("CustomResourceDefinition %s is not served", change.entry.key)
        self._changed.add(change.entry.key)
        self._wake.set()

    def _install(self, definition: Object) -> None:
        name = name_of(definition)
        wanted = resources_of(definition) if is_established(definition) else []
        self._uninstall(name)
        for each in wanted:
            self._core.catalog.add(each)
        self._served[name] = wanted
        if wanted:
            paths = {path for each in wanted for path in each.selectable}
            self._core.registry.collection(wanted[0].full_name).make_selectable(paths)

    def _uninstall(self, name: str) -> list[CustomResource]:
        """Serve a definition's resources no more; what they were."""
        served = self._served.pop(name, [])
        for each in served:
            self._core.catalog.remove(each)
        return served

    async def run(self) -> None:
        """Finish deleted definitions, and give free names to those that wait; until cancelled.

        Only definitions that changed are looked after, and those that wait for a name: with
        hundreds of others there, a change costs what it costs with none.
        """
        while True:
            self._wake.clear()
            keys = self._changed | self._nameless
            self._changed = set()
            for key in sorted(keys):
                look = partial(self._look_after_latest, key)
                try:
                    if await self._core.registry.attempt(look):
                        self._changed.add(key)
                except StatusError as error:
                    log.warning("CustomResourceDefinition %s: %s", key, error)
                    self._changed.add(key)
            try:
                await asyncio.wait_for(self._wake.wait(), _RETRY_S if self._changed else None)
            except TimeoutError:
                continue

    async def _look_after_latest(self, key: str) -> bool:
        latest = self._core.registry.latest(DEFINITIONS, key)
        if latest is None:
            self._nameless.discard(key)
            return False
        return await self._look_after(latest.decode())

    async def _look_after(self, definition: Object) -> bool:
        """Do what a definition needs; whether it has to be looked at again."""
        metadata = definition["metadata"]
        if "deletionTimestamp" not in metadata:
            before = definition.get("status")
            others = definitions_of_group(
                self._core, definition["spec"]["group"], but=name_of(definition)
            )
            settled = {**definition, "status": dict(before or {})}
            settle(settled, others)
            if is_named(settled):
                self._nameless.discard(name_of(definition))
            else:
                self._nameless.add(name_of(definition))
            if settled["status"] != before:
                await self._core.registry.put(DEFINITIONS, settled)
            return False
        if FINALIZER not in (metadata.get("finalizers") or ()):
            return False
        return await self._finish(definition)

    async def _finish(self, definition: Object) -> bool:
        """Delete the objects of a deleted definition, then let it go; whether some are left."""
        core, name = self._core, name_of(definition)
        served = self._served.get(name)
        left = 0
        if served:
            collection = core.registry.collection(served[0].full_name)
            for entry in collection.select(Selection()):
                try:
                    await delete_object(core, served[0], entry.key, DeleteOptions())
                except StatusError as error:
                    if error.code != 404:
                        raise
            left = len(collection)
        # It may have been written meanwhile: begin with what is the latest now.
        latest = core.registry.latest(DEFINITIONS, name)
        if latest is None:
            return False
        definition = latest.decode()
        before = latest.decode()
        conditions = definition.setdefault("status", {}).setdefault("conditions", [])
        if left:
            message = f"{left} instances are being deleted"
            set_condition(conditions, "Terminating", "True", "InstanceDeletionInProgress", message)
        else:
            message = "removed all instances"
            reason = "InstanceDeletionCompleted"
            set_condition(conditions, "Terminating", "False", reason, message)
            finalizers = definition["metadata"].get("finalizers") or []
            definition["metadata"]["finalizers"] = [f for f in finalizers if f != FINALIZER]
        kind = resource(DEFINITIONS)
        if is_finished(kind, definition):
            await remove(core, kind, definition)
        elif definition != before:
            await core.registry.put(DEFINITIONS, definition)
        return bool(left)
