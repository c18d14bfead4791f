"""One cluster of two nodes for all end-to-end tests, and stock kubectl to talk to it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from support.application import (
    ALL_IN_ONE_LABELS,
    API_LABELS,
    DATABASE_LABELS,
    EXAMPLES,
    NAME,
    PREFIX,
)
from support.shell import Shell


def take_down_leftovers(shell: Shell) -> None:
    """Remove the clusters of test runs that were killed."""
    for cluster in json.loads(shell.pilotfish("status", "-o", "json")):
        run = cluster["name"].removeprefix(PREFIX).partition("-")[0]
        if cluster["name"].startswith(PREFIX) and not os.path.exists(f"/proc/{run}"):  # noqa: PTH110
            shell.pilotfish("down", "--name", cluster["name"])


@pytest.fixture(scope="session")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """The cluster, up; down at the end."""
    if os.geteuid() != 0:
        pytest.skip("a cluster needs root")
    assert shutil.which("kubectl"), "kubectl is needed: tools/setup dev fetches one"
    made = Shell(tmp_path_factory.mktemp("e2e") / "kubeconfig")
    take_down_leftovers(made)
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
