"""Which cluster a command is about when nobody names one: the same for all commands.

That of kubectl's current context; else the only one that there is; else `default`. Two are more
careful: `up` takes `default` at once, since it makes clusters. `down` never takes one because
it is the only one: it may be another person's.
"""

from __future__ import annotations

from pilotfish.client.config import ConfigError, current_context
from pilotfish.cluster import kubeconfig, paths, plan, state


def choose(named: str | None) -> str:
    """The cluster to look at; `named` is what the user gave. Raises ClusterError."""
    known = state.names()
    name = choose_to_remove(named)
    # An empty name is a mistake, as of a variable that is not set: choose_to_remove refuses it.
    return known[0] if named is None and name not in known and len(known) == 1 else name


def choose_to_remove(named: str | None) -> str:
    """The cluster to take down; `named` is what the user gave. Raises ClusterError."""
    if named is not None:
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
