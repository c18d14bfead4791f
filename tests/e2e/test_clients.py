"""Stock clients against a cluster that runs Pods: exec, logs, port-forward, cp, helm test."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import kubernetes
import pytest
from kr8s.asyncio import api as connect
from kr8s.asyncio.objects import Pod
from kubernetes.stream import portforward, stream

from support.chart import write_chart
from support.kubectls import HELM, KUBECTLS
from support.shell import Shell

pytestmark = pytest.mark.filterwarnings("ignore:Kubernetes version")
WEB = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "clients-web", "namespace": "default", "labels": {"app": "clients-web"}},
    "spec": {
        "terminationGracePeriodSeconds": 0,
        "containers": [
            {
                "name": "web",
                "image": "host",
                "command": ["sh", "-c", "echo begun; exec python3 -m http.server 8080"],
                "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1},
            }
        ],
    },
}


@pytest.fixture(scope="module")
def web(shell: Shell) -> Iterator[Shell]:
    """A Pod that serves files on port 8080, ready."""
    shell.kubectl("create", "-f", "-", stdin=json.dumps(WEB))
    shell.kubectl("wait", "--for=condition=Ready", "pod/clients-web", "--timeout=60s")
    yield shell
    shell.kubectl("delete", "pod", "clients-web", "--wait=false")


def test_kubectl_debugs_a_pod_with_a_container_of_its_own(web: Shell) -> None:
    talk = "echo hello; read line; echo got $line; tr '\\0' ' ' < /proc/1/cmdline; exit 4"
    how = ("--image=host", "--target=web", "-c", "debugger", "--profile=general", "-i")
    web.kubectl("debug", "clients-web", *how, "--", "sh", "-c", talk, stdin="a line\n")
    ended = "jsonpath={.status.ephemeralContainerStatuses[0].state.terminated.exitCode}=4"
    web.kubectl("wait", f"--for={ended}", "pod/clients-web", "--timeout=20s")
    log = web.kubectl("logs", "clients-web", "-c", "debugger")
    assert log.startswith("hello\ngot a line\npython3 -m http.server 8080")


def core(shell: Shell) -> Any:
    api = kubernetes.config.new_client_from_config(shell.environment["KUBECONFIG"])
    return kubernetes.client.CoreV1Api(api)


def test_kubernetes_executes_and_reads_logs(web: Shell) -> None:
    v1 = core(web)
    place = ("clients-web", "default")
    command = ["sh", "-c", "echo to stdout; echo to stderr >&2; exit 3"]
    options = {"stderr": True, "stdin": False, "stdout": True, "tty": False}
    connection = stream(
        v1.connect_get_namespaced_pod_exec,
        *place,
        command=command,
        _preload_content=False,
        **options,
    )
    connection.run_forever(timeout=20)
    assert connection.read_stdout() == "to stdout\n"
    assert connection.read_stderr() == "to stderr\n"
    assert connection.returncode == 3
    connection = stream(
        v1.connect_get_namespaced_pod_exec,
        *place,
        command=["cat"],
        _preload_content=False,
        **{**options, "stdin": True},
    )
    connection.write_stdin("hello\n")
    assert connection.readline_stdout(timeout=20) == "hello"
    connection.close()
    assert v1.read_namespaced_pod_log(*place).startswith("begun\n")
    following = kubernetes.watch.Watch()
    for line in following.stream(v1.read_namespaced_pod_log, *place, follow=True):
        assert line == "begun"
        following.stop()


def test_kubernetes_forwards_ports(web: Shell) -> None:
    forward = portforward(
        core(web).connect_get_namespaced_pod_portforward, "clients-web", "default", ports="8080"
    )
    connection = forward.socket(8080)
    connection.settimeout(20)
    connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
    assert connection.recv(100).startswith(b"HTTP/1.0 200 OK")
    connection.close()


async def test_kr8s_waits_executes_forwards_and_follows(web: Shell) -> None:
    api = await connect(kubeconfig=web.environment["KUBECONFIG"])
    pod = await Pod.get("clients-web", namespace="default", api=api)
    async with asyncio.timeout(60):
        await pod.wait("condition=Ready")
        assert await pod.ready()
        done = await pod.exec(["sh", "-c", "echo hello"])
        assert (done.stdout, done.returncode) == (b"hello\n", 0)
        failed = await pod.exec(["sh", "-c", "exit 3"], check=False)
        assert failed.returncode == 3
        async with pod.portforward(remote_port=8080) as port, httpx.AsyncClient() as client:
            assert (await client.get(f"http://localhost:{port}/")).status_code == 200
        async for line in pod.logs(follow=True):
            assert line == "begun"
            break


@pytest.mark.parametrize("kubectl", KUBECTLS)
def test_each_kubectl_copies_executes_and_shows_logs(
    web: Shell, kubectl: str, tmp_path: Path
) -> None:
    def run(*arguments: str) -> str:
        return web.out(kubectl, *arguments)

    (tmp_path / "file").write_text("content")
    run("cp", str(tmp_path / "file"), "clients-web:/tmp/copied")
    assert run("exec", "clients-web", "--", "cat", "/tmp/copied") == "content"
    run("cp", "clients-web:/tmp/copied", str(tmp_path / "back"))
    assert (tmp_path / "back").read_text() == "content"
    assert run("logs", "clients-web", "--tail=-1").startswith("begun\n")


@pytest.mark.skipif(HELM is None, reason="no helm at hand; tools/setup dev fetches it")
def test_helm_waits_for_what_it_installs_and_tests_it(shell: Shell, tmp_path: Path) -> None:
    folders = {f"HELM_{name}_HOME": str(tmp_path / "helm") for name in ("CACHE", "CONFIG", "DATA")}
    environment = shell.environment | folders

    def helm(*arguments: str) -> str:
        assert HELM is not None
        return subprocess.check_output([HELM, *arguments], env=environment, text=True, timeout=90)

    chart = str(write_chart(tmp_path))
    helm("install", "clients-helm", chart, "--set", "replicas=1", "--wait", "--timeout=60s")
    try:
        told = helm("test", "clients-helm", "--timeout=60s")
        assert "Succeeded" in told
    finally:
        helm("uninstall", "clients-helm", "--wait", "--timeout=60s")
        shell.kubectl("delete", "pod", "clients-helm-test", "--ignore-not-found")
