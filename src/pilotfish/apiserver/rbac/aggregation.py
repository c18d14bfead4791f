"""Aggregation: ClusterRoles whose rules are those of others, chosen by label.

kube-controller-manager does this in Kubernetes; here the API server keeps it, so that a new
role counts as soon as it can be read.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial

import orjson

from pilotfish.apiserver.collection import Change, Watcher
from pilotfish.apiserver.core import Core
from pilotfish.apiserver.errors import StatusError
from pilotfish.apiserver.rbac.authorizer import CLUSTER_ROLES
from pilotfish.apiserver.rbac.rules import Rule
from pilotfish.apiserver.selection import Selection
from pilotfish.apiserver.updating import replace
from pilotfish.objects.meta import Object, labels_of, name_of
from pilotfish.objects.resources import resource
from pilotfish.objects.selectors import SelectorError, label_selector

log = logging.getLogger(__name__)

_MANAGER = "clusterrole-aggregation-controller"
_RETRY_S = 1.0


class _Changes(Watcher):
    """Tells that some ClusterRole has changed."""

    def __init__(self) -> None:
        self.event = asyncio.Event()

    def offer(self, change: Change) -> None:  # noqa: ARG002 - all are looked at again
        """Take note of a change."""
        self.event.set()


def aggregated_rules(role: Object, roles: list[Object]) -> list[Rule]:
    """The rules of an aggregating role: those of the roles it selects, by name, each once."""
    selectors = [
        label_selector(selector)
        for selector in role["aggregationRule"].get("clusterRoleSelectors") or ()
    ]
    rules: dict[bytes, Rule] = {}
    for other in sorted(roles, key=name_of):
        if name_of(other) == name_of(role):
            continue
        if any(selector.matches(labels_of(other)) for selector in selectors):
            for rule in other.get("rules") or ():
                rules.setdefault(orjson.dumps(rule, option=orjson.OPT_SORT_KEYS), rule)
    return [*rules.values()]


async def aggregate(core: Core) -> None:
    """Keep the rules of aggregating ClusterRoles right, until cancelled."""
    collection = core.registry.collection(CLUSTER_ROLES)
    changes = _Changes()
    collection.watchers.add(changes)
    try:
        while True:
            await changes.event.wait()
            changes.event.clear()
            try:
                await core.registry.attempt(partial(aggregate_once, core))
            except StatusError as error:
                log.warning("ClusterRoles could not be aggregated: %s", error)
                await asyncio.sleep(_RETRY_S)
                changes.event.set()
    finally:
        collection.watchers.discard(changes)


async def aggregate_once(core: Core) -> None:
    """Write every aggregating ClusterRole whose rules are not those of the roles it selects.

    Raises:
        StatusError: when one of them cannot be written.
    """
    kind = resource(CLUSTER_ROLES)
    roles = [
        entry.decode() for entry in core.registry.collection(CLUSTER_ROLES).select(Selection())
    ]
    for role in roles:
        if not role.get("aggregationRule"):
            continue
        try:
            rules = aggregated_rules(role, roles)
        except SelectorError as error:  # stored before selectors were validated
            log.warning("ClusterRole %s is not aggregated: %s", name_of(role), error)
            continue
        if rules != (role.get("rules") or []):
            change = partial(_with_rules, rules)
            await replace(core, kind, name_of(role), change, manager=_MANAGER)


def _with_rules(rules: list[Rule], role: Object) -> Object:
    return {**role, "rules": rules}
