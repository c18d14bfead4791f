"""Bootstrapping: the default roles and bindings, written when they are missing.

As kube-apiserver does at its start: a default that somebody narrowed is widened again, unless its
annotation `autoupdate` says "false".
"""

from __future__ import annotations

import asyncio
from copy import deepcopy
from functools import partial

from pilotfish.apiserver.core import Core
from pilotfish.apiserver.creating import create_object
from pilotfish.apiserver.rbac.aggregation import aggregated_rules
from pilotfish.apiserver.rbac.authorizer import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    ROLE_BINDINGS,
    ROLES,
)
from pilotfish.apiserver.rbac.policy import (
    AUTOUPDATE,
    cluster_role_bindings,
    cluster_roles,
    role_bindings,
)
from pilotfish.apiserver.rbac.policy import roles as namespaced_roles
from pilotfish.apiserver.rbac.rules import uncovered
from pilotfish.apiserver.updating import replace
from pilotfish.objects.meta import Object, annotations_of, key_of
from pilotfish.objects.resources import resource


async def bootstrap_policy(core: Core) -> None:
    """Write what is missing of the default roles and bindings.

    Raises:
        StatusError: when one of them cannot be written.
    """
    roles = cluster_roles()
    # Roles are aggregated from the innermost out, so that they are complete at once.
    for role in reversed(roles):
        if "aggregationRule" in role:
            role["rules"] = aggregated_rules(role, roles)
    await asyncio.gather(
        *(
            core.registry.attempt(partial(_ensure, core, CLUSTER_ROLES, role, "rules"))
            for role in roles
        ),
        *(
            core.registry.attempt(
                partial(_ensure, core, CLUSTER_ROLE_BINDINGS, binding, "subjects")
            )
            for binding in cluster_role_bindings()
        ),
        *(
            core.registry.attempt(partial(_ensure, core, ROLES, role, "rules"))
            for role in namespaced_roles()
        ),
        *(
            core.registry.attempt(partial(_ensure, core, ROLE_BINDINGS, binding, "subjects"))
            for binding in role_bindings()
        ),
    )


async def _ensure(core: Core, resource_name: str, wanted: Object, field: str) -> None:
    kind = resource(resource_name)
    entry = core.registry.latest(resource_name, key_of(wanted))
    if entry is None:
        await create_object(core, kind, deepcopy(wanted))
        return
    present = entry.decode()
    if annotations_of(present).get(AUTOUPDATE) == "false" or "aggregationRule" in wanted:
        return
    has = present.get(field) or []
    if field == "rules":
        missing = uncovered(has, wanted["rules"])
    else:
        missing = [subject for subject in wanted["subjects"] if subject not in has]
    if missing:
        change = {field: [*has, *missing]}
        await replace(core, kind, key_of(wanted), lambda current: current | change)
