"""The cluster that a command takes when nobody names one.

It is that of kubectl's current context; else the only one that there is; else `default`. Two
commands are more careful: `up` makes clusters, so it takes `default` at once. `down` never takes a
cluster because it is the only one: it may be another person's.
"""

from __future__ import annotations

from pilotfish.client.config import ConfigError, current_context
from pilotfish.cluster import kubeconfig, paths, plan, state


def choose(named: str | None) -> str:
    """The cluster to look at; `named` is what the user gave. Raises ClusterError."""
    name = choose_to_remove(named)
    if named is None:
        known = state.names()
        if name not in known and len(known) == 1:
            return known[0]
    return name


def choose_to_remove(named: str | None) -> str:
    """The cluster to take down; `named` is what the user gave. Raises ClusterError."""
    if named is not None:
        # Refuses "" too: `--name "$NAME"` where NAME is not set is a mistake.
        plan.check_name(named)
        return named
    current = _current()
    return current if current in state.names() else paths.DEFAULT_CLUSTER


def _current() -> str:
    try:
        return kubeconfig.cluster_of(current_context())
    except ConfigError:
        # No kubeconfig, or a broken one: nothing is chosen there.
        return ""
