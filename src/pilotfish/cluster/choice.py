"""Which cluster a command is about when nobody names one: the same for all commands.

That of kubectl's current context; else the only one that there is; else `default`. `up` alone takes
`default` at once, since it makes clusters.
"""

from __future__ import annotations

from pilotfish.client.config import ConfigError, current_context
from pilotfish.cluster import kubeconfig, paths, plan, state


def choose(named: str) -> str:
    """The name of the cluster; `named` is what the user gave, or "". Raises ClusterError."""
    if named:
        plan.check_name(named)
        return named
    return chosen(_current(), state.names())


def chosen(current: str, known: list[str]) -> str:
    """The choice among the clusters of this machine. current: that of kubectl, or ""."""
    if current in known:
        return current
    return known[0] if len(known) == 1 else paths.DEFAULT_CLUSTER


def _current() -> str:
    try:
        return kubeconfig.cluster_of(current_context())
    except ConfigError:
        # No kubeconfig, or a broken one: nothing is chosen there.
        return ""
