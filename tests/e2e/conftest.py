"""One cluster of two nodes for all end-to-end tests, and stock kubectl to talk to it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from support.application import ALL_IN_ONE_LABELS, API_LABELS, DATABASE_LABELS, EXAMPLES, NAME
from support.shell import Shell


@pytest.fixture(scope="session")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """The cluster, up; down at the end."""
    if os.geteuid() != 0:
        pytest.skip("a cluster needs root")
    assert shutil.which("kubectl"), "kubectl is needed: tools/setup dev fetches one"
    made = Shell(tmp_path_factory.mktemp("e2e") / "kubeconfig")
    made.run(sys.executable, "-m", "pilotfish", "down", "--name", NAME)
    made.pilotfish("up", "--name", NAME, "--nodes", "2")
    yield made
    made.pilotfish("down", "--name", NAME)


@pytest.fixture(scope="session")
def status(shell: Shell) -> dict[str, Any]:
    """`pilotfish status -o json` of the cluster."""
    found: dict[str, Any] = json.loads(shell.pilotfish("status", "--name", NAME, "-o", "json"))[0]
    return found


@pytest.fixture(scope="session")
def application(shell: Shell) -> Shell:
    """go-demo-2, all of it, ready."""
    files = ["programs", "go-demo-2", "go-demo-2-db", "go-demo-2-api", "svc", "svc-types"]
    for file in files:
        shell.kubectl("create", "-f", str(EXAMPLES / f"{file}.yml"))
    shell.wait_ready(ALL_IN_ONE_LABELS, 2)
    shell.wait_ready(API_LABELS, 3)
    shell.wait_ready(DATABASE_LABELS, 1)
    for service, count in (
        ("go-demo-2", 2),
        ("go-demo-2-api", 3),
        ("go-demo-2-api-round-robin", 3),
        ("go-demo-2-db", 1),
    ):
        shell.wait_endpoints(service, count)
    return shell
