"""A cluster whose objects are in etcd: it outlives etcd's death, its machine, and no `down`."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilotfish.cluster import external_store
from pilotfish.cluster.state import load
from support.apiserver import free_port
from support.application import NAME
from support.etcd import Etcd
from support.shell import Shell, eventually

CLUSTER = f"{NAME}-etcd"
PILOTFISH = (sys.executable, "-m", "pilotfish")


@pytest.fixture(scope="module")
def etcd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Etcd]:
    with Etcd(tmp_path_factory.mktemp("store") / "etcd") as etcd:
        yield etcd


@pytest.fixture(scope="module")
def stored(etcd: Etcd, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A cluster over etcd, with a web server behind a Service."""
    if os.geteuid() != 0:
        pytest.skip("a cluster needs root")
    shell = Shell(tmp_path_factory.mktemp("store") / "kubeconfig")
    shell.pilotfish("up", "--name", CLUSTER, "--store", etcd.address())
    command = ["python3", "-m", "http.server", "8080"]
    shell.kubectl("create", "deployment", "web", "--image=host", "--replicas=2", "--", *command)
    shell.kubectl("expose", "deployment", "web", "--port=80", "--target-port=8080")
    shell.wait_ready("app=web", 2)
    yield shell
    shell.run(*PILOTFISH, "down", "--name", CLUSTER)


def answers(shell: Shell) -> None:
    """See that the Service answers."""
    url = f"http://{shell.cluster_ip('web')}/"
    eventually(lambda: shell.run("curl", "-sS", "-m", "3", url).returncode == 0, f"{url} answers")


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """The error's line, if it has the shape that all have."""
    assert done.returncode == 1, done
    assert re.fullmatch(r"error: [^;]+; [^;]+; .+\n", done.stderr), done.stderr
    return done.stderr


def test_a_deployment_answers_behind_its_service(stored: Shell, etcd: Etcd) -> None:
    answers(stored)
    assert "/registry/deployments.apps/default/web" in etcd.listed()
    assert not Path(f"/var/lib/pilotfish/{CLUSTER}/store.db").exists()
    assert f"Store     {etcd.address()}" in stored.pilotfish("status", "--name", CLUSTER)


def test_the_cluster_goes_on_when_etcd_was_killed_and_is_back(stored: Shell, etcd: Etcd) -> None:
    etcd.kill()
    done = stored.run("kubectl", "get", "pods")
    assert "etcd cannot be reached" in done.stderr
    etcd.start()
    stored.kubectl("scale", "deployment", "web", "--replicas=3")
    stored.wait_ready("app=web", 3)
    stored.wait_endpoints("web", 3)
    answers(stored)


def test_a_further_api_server_serves_the_same_cluster(stored: Shell) -> None:
    port = free_port()
    command = [*PILOTFISH, "apiserver", "--name", CLUSTER, "--port", str(port)]
    server = ["--server", f"https://127.0.0.1:{port}"]
    with subprocess.Popen(command, env=stored.environment, stderr=subprocess.DEVNULL) as further:
        try:
            eventually(
                lambda: stored.run("kubectl", *server, "get", "--raw", "/readyz").returncode == 0,
                "the further API server answers",
            )
            stored.kubectl(*server, "scale", "deployment", "web", "--replicas=2")
            stored.wait_ready("app=web", 2)
            stored.kubectl("create", "configmap", "seen", "--from-literal=by=both")
            assert "both" in stored.kubectl(*server, "get", "configmap", "seen", "-o", "yaml")
        finally:
            further.send_signal(signal.SIGTERM)
            assert further.wait(20) == 0


def test_a_further_api_server_needs_a_store_that_can_be_shared(shell: Shell) -> None:
    done = shell.run(*PILOTFISH, "apiserver", "--name", NAME)
    assert "--store etcd://" in refused(done)


def test_another_cluster_does_not_get_the_same_keys(stored: Shell, etcd: Etcd) -> None:
    done = stored.run(*PILOTFISH, "up", "--name", f"{CLUSTER}-2", "--store", etcd.address())
    assert f"belongs to another cluster: {CLUSTER}" in refused(done)
    etcd.ctl("put", "/others/x", "y")
    store = etcd.address("/others")
    done = stored.run(*PILOTFISH, "up", "--name", f"{CLUSTER}-2", "--store", store)
    assert "holds keys of something else" in refused(done)
    assert not Path(f"/var/lib/pilotfish/{CLUSTER}-2").exists()


@pytest.mark.parametrize(
    ("store", "what"),
    [
        ("http://127.0.0.1:2379", "not the address of a store"),
        ("etcd://127.0.0.1:9", "nothing listens there"),
        ("etcd://127.0.0.1:9,127.0.0.1:7", "nothing listens there"),
        ("etcd://name.invalid", "cannot be reached"),
        ("etcds://127.0.0.1:9?ca=/nowhere/ca.pem", "a certificate or key cannot be used"),
    ],
)
def test_a_store_that_cannot_be_used_is_told_in_one_line(
    shell: Shell, store: str, what: str
) -> None:
    done = shell.run(*PILOTFISH, "up", "--name", f"{CLUSTER}-3", "--store", store, timeout_s=30)
    assert what in refused(done)
    assert not Path(f"/var/lib/pilotfish/{CLUSTER}-3").exists()


def test_a_running_cluster_keeps_its_store(stored: Shell) -> None:
    done = stored.run(*PILOTFISH, "up", "--name", CLUSTER, "--store", "etcd://127.0.0.1:9")
    assert "was started without --store etcd://127.0.0.1:9" in refused(done)


def test_its_state_goes_on_elsewhere_when_the_machine_is_lost(stored: Shell, etcd: Etcd) -> None:
    """A machine that is lost is one that is taken down where etcd cannot hear of it."""
    before = stored.cluster_ip("web")
    etcd.kill()
    done = stored.run(*PILOTFISH, "down", "--name", CLUSTER)
    assert "etcdctl del --prefix /registry/" in refused(done)
    assert not Path(f"/var/lib/pilotfish/{CLUSTER}").exists()
    etcd.start()
    said = stored.pilotfish("up", "--name", CLUSTER, "--store", etcd.address())
    assert "it goes on here" in said
    assert stored.cluster_ip("web") == before
    stored.wait_ready("app=web", 2)
    answers(stored)


def test_a_machine_that_comes_back_leaves_the_cluster_where_it_went(
    stored: Shell, etcd: Etcd
) -> None:
    file = Path(f"/var/lib/pilotfish/{CLUSTER}/cluster.json")
    own = file.read_text()
    found = json.loads(own)
    file.write_text(json.dumps(found | {"owner": "the machine that was lost"}))
    try:
        done = stored.run(*PILOTFISH, "apiserver", "--name", CLUSTER)
        assert f"runs on another machine: {found['owner']}" in refused(done)
        state = load(CLUSTER)
        assert state is not None
        assert external_store.remove(state) == 0
    finally:
        file.write_text(own)
    assert "/registry/deployments.apps/default/web" in etcd.listed()


def test_down_leaves_nothing_that_could_come_back(stored: Shell, etcd: Etcd) -> None:
    said = stored.pilotfish("down", "--name", CLUSTER)
    assert re.search(r"Removed \d+ keys from etcd://", said)
    assert [*etcd.listed("/registry")] == []
    assert "/others/x" in etcd.listed()
    said = stored.pilotfish("up", "--name", CLUSTER, "--store", etcd.address())
    assert "it goes on here" not in said
    assert "web" not in stored.kubectl("get", "deployments,services")
