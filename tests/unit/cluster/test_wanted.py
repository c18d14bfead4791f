"""What `up` may be asked for when the cluster is there already."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pilotfish.cluster.errors import ClusterError
from pilotfish.cluster.plan import WantedRanges, plan_cluster
from pilotfish.cluster.wanted import Wanted, check_unchanged

CLUSTER = replace(
    plan_cluster("x", 2, [], WantedRanges(), 6443, "2026-01-01T00:00:00Z", "ipv4"),
    audit_log="/var/log/audit",
    allowed_host_paths=("/srv/site",),
)
PODS = CLUSTER.network.pod_ranges[0]


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted("x"),
        Wanted("x", nodes=2, ip_family="ipv4", ranges=WantedRanges(pods=PODS)),
        Wanted("x", audit_log=Path("/var/log/audit")),
        Wanted("x", allowed_host_paths=(Path("/srv/../srv/site"),)),
    ],
)
def test_what_the_cluster_has_may_be_asked_for_again(wanted: Wanted) -> None:
    check_unchanged(CLUSTER, wanted)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Wanted("x", nodes=3), "another number of nodes: 2"),
        (Wanted("x", ip_family="dual"), "another address family: ipv4"),
        (Wanted("x", ranges=WantedRanges(pods="10.0.0.0/33")), "not an IPv4 network"),
        (Wanted("x", ranges=WantedRanges(pods="10.9.0.0/16")), "cannot be changed"),
        (Wanted("x", log_format="json"), "without --log-format json"),
        (Wanted("x", allowed_host_paths=(Path("/srv"),)), "without --allow-host-path /srv"),
    ],
)
def test_what_it_does_not_have_is_refused(wanted: Wanted, said: str) -> None:
    with pytest.raises(ClusterError, match=said):
        check_unchanged(replace(CLUSTER, log_format="text"), wanted)
