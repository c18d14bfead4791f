"""Options that mean nothing are refused in one line, before anything happens."""

from __future__ import annotations

import math

import pytest

from pilotfish.cli import tables
from pilotfish.cluster import up
from pilotfish.cluster.errors import EXIT_UNKNOWN, ClusterError
from pilotfish.cluster.plan import WantedRanges, plan_cluster


@pytest.mark.parametrize("timeout_s", [0, -1, math.nan, math.inf])
def test_a_time_to_wait_is_a_positive_number(timeout_s: float) -> None:
    with pytest.raises(ClusterError, match="not a time to wait; --timeout"):
        up.up(up.Wanted("x", timeout_s=timeout_s), print)


def test_a_node_that_is_not_there_is_told_with_those_that_are() -> None:
    cluster = plan_cluster("x", 2, [], WantedRanges(), 6443, "2026-01-01T00:00:00Z", "ipv4")
    with pytest.raises(ClusterError) as caught:
        tables._node(cluster, "node-9")
    assert "node-1, node-2" in caught.value.mend
    assert caught.value.exit_code == EXIT_UNKNOWN
    assert tables._node(cluster, "node-2") is cluster.nodes[1]
