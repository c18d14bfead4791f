"""Options that mean nothing are refused in one line, before anything happens."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from pilotfish.cli import tables
from pilotfish.cluster import given_files, up
from pilotfish.cluster.errors import EXIT_UNKNOWN, ClusterError
from pilotfish.cluster.plan import WantedRanges, plan_cluster
from pilotfish.cluster.wanted import Wanted


@pytest.mark.parametrize("timeout_s", [0, -1, math.nan, math.inf])
def test_a_time_to_wait_is_a_positive_number(timeout_s: float) -> None:
    with pytest.raises(ClusterError, match="not a time to wait; --timeout"):
        up.up(Wanted("x", timeout_s=timeout_s), print)


def test_a_node_that_is_not_there_is_told_with_those_that_are() -> None:
    cluster = plan_cluster("x", 2, [], WantedRanges(), 6443, "2026-01-01T00:00:00Z", "ipv4")
    with pytest.raises(ClusterError) as caught:
        tables._node(cluster, "node-9")
    assert "node-1, node-2" in caught.value.mend
    assert caught.value.exit_code == EXIT_UNKNOWN
    assert tables._node(cluster, "node-2") is cluster.nodes[1]


@pytest.mark.parametrize("place", ["", "missing/log"])
def test_an_audit_log_that_cannot_be_written_is_refused(tmp_path: Path, place: str) -> None:
    with pytest.raises(ClusterError, match="the audit log cannot be written"):
        given_files.check_audit_log(tmp_path / place)
    given_files.check_audit_log(tmp_path / "log")


@pytest.mark.parametrize(
    "content",
    [b"token,user\n", b",ann,1\n", b"\xff\xfe", b'"' + b"x" * 200_000 + b'",a,b'],
)
def test_what_is_no_file_of_tokens_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tokens"
    path.write_bytes(content)
    with pytest.raises(ClusterError, match="not a file of static tokens"):
        given_files.check_token_file(path)


def test_a_file_of_tokens_passes(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text('secret,ann,1,"a,b"\n\n')
    given_files.check_token_file(path)
