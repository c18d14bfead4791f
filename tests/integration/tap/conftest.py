"""One cluster of two nodes for all tests of the tap."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from support.shell import Shell, eventually
from support.tap_cluster import NAME, manifests


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """The cluster with its application, ready; down at the end."""
    if os.geteuid() != 0:
        pytest.skip("a cluster needs root")
    shell = Shell(tmp_path_factory.mktemp("tap") / "kubeconfig")
    try:
        shell.pilotfish("up", "--name", NAME, "--nodes", "2")
        shell.kubectl("create", "-f", "-", stdin=manifests())
        shell.wait_ready("app=web", 2)
        shell.kubectl("wait", "--for=condition=Ready", "pod/client", "--timeout=20s")
        shell.wait_endpoints("web", 2)
        eventually(
            lambda: bool(shell.get("service", "web")["status"]["loadBalancer"].get("ingress")),
            "the load balancer has an address",
        )
        yield shell
    finally:
        shell.pilotfish("down", "--name", NAME)
