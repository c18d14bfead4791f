"""A node on its own: an API server and a kubelet in one process and one network namespace.

    async with lone_node(tmp_path) as node:
        node.create(pod("web", command=["sleep", "60"]))
        await node.wait_for("web", is_ready)

There are no controllers and no scheduler: Pods name their node themselves. The process can be
killed and started again, as a node process is.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pilotfish.network import links, namespaces
from pilotfish.network.netlink import Netlink
from pilotfish.node.teardown import remove_all

CLUSTER, NODE, ADDRESS, PORT = "t-d", "node-1", "192.0.2.2", 6443
# One per test process: several may run at a time.
NAMESPACE = f"t-d-{os.getpid()}"
TIMEOUT_S = 30.0

Object = dict[str, Any]


def pod(name: str, /, **container: Any) -> Object:
    """A Pod of one container of image `host`; `spec` holds fields of the Pod's own."""
    spec = container.pop("spec", {})
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "nodeName": NODE,
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 1,
            "containers": [{"name": "app", "image": "host", **container}],
            **spec,
        },
    }


class LoneNode:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state" / CLUSTER
        self.run = folder / "run" / CLUSTER
        self.images = folder / "images"
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Start the process, and return when Pods can start."""
        (self.folder / "ready").unlink(missing_ok=True)
        command = [sys.executable, __file__, str(self.folder), NAMESPACE]
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}
        with (self.folder / "node.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220 (it outlives the event loop)
                command, stdout=log, stderr=log, env=environment
            )
        await self.until((self.folder / "ready").exists)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for a condition; fails the test with the node's log when it does not come."""
        deadline = time.monotonic() + TIMEOUT_S
        while not holds():
            if time.monotonic() > deadline:
                raise AssertionError(f"the node does not get there:\n{self.log}")
            await asyncio.sleep(0.02)

    def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    @property
    def log(self) -> str:
        return (self.folder / "node.log").read_text()

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """Run kubectl in the node's namespace; its output. Fails the test when it fails."""
        environment = os.environ | {
            "KUBECONFIG": str(self.folder / "api/kubeconfig"),
            "KUBECACHEDIR": str(self.folder / "kubectl-cache"),
        }
        return self._run_inside(["kubectl", *arguments], environment, stdin)

    def run_inside(self, *command: str) -> str:
        """Run a program in the node's namespace; its output."""
        return self._run_inside(command, os.environ, "")

    def _run_inside(self, command: Sequence[str], env: Mapping[str, str], stdin: str) -> str:
        done = subprocess.run(
            ["ip", "netns", "exec", NAMESPACE, *command],
            input=stdin,
            capture_output=True,
            text=True,
            env=env,
            check=False,
            timeout=TIMEOUT_S,
        )
        assert done.returncode == 0, f"{command}: {done.stderr}\n{self.log}"
        return done.stdout

    def create(self, *objects: Object) -> None:
        together = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl("create", "-f", "-", stdin=json.dumps(together))

    def get(self, name: str) -> Object:
        found: Object = json.loads(self.kubectl("get", "pod", name, "-o", "json"))
        return found

    async def wait_for(self, name: str, holds: Callable[[Object], bool]) -> Object:
        """The Pod, once the condition holds; fails the test with its state otherwise."""
        deadline = time.monotonic() + TIMEOUT_S
        while not holds(found := self.get(name)):
            if time.monotonic() > deadline:
                state = json.dumps(found.get("status"), indent=1)
                raise AssertionError(f"pod {name} is {state}\n{self.log}")
            await asyncio.sleep(0.1)
        return found

    def delete(self, *names: str, grace_s: int = 1) -> None:
        self.kubectl("delete", "pod", *names, f"--grace-period={grace_s}")

    def logs(self, name: str) -> str:
        """The container's log as it is in the node's files."""
        uid = self.get(name)["metadata"]["uid"]
        folder = self.state / "nodes" / NODE / "pods" / uid / "app"
        lines = [
            line.split(" ", 3)[3]
            for file in sorted(folder.glob("*.log"))
            for line in file.read_text().splitlines()
        ]
        return "\n".join(lines)


def container(found: Object) -> Object:
    """The status of the Pod's only container, {} before there is one."""
    statuses = found.get("status", {}).get("containerStatuses") or [{}]
    status: Object = statuses[0]
    return status


def state(found: Object) -> Object:
    return container(found).get("state") or {}


@asynccontextmanager
async def lone_node(folder: Path) -> AsyncIterator[LoneNode]:
    """The node, ready for Pods; afterwards nothing of it is left."""
    if namespaces.exists(NAMESPACE):
        namespaces.delete(NAMESPACE)
    namespaces.create(NAMESPACE)
    with Netlink(NAMESPACE) as nl:
        links.set_up(nl, "lo")
        links.add_address(nl, "lo", f"{ADDRESS}/32")
    node = LoneNode(folder)
    try:
        await node.start()
        yield node
    finally:
        node.kill()
        remove_all(node.state, node.run)
        namespaces.delete(NAMESPACE)


async def _serve(folder: Path) -> None:
    from pilotfish.apiserver.server import ApiServer
    from pilotfish.client.api import Client
    from pilotfish.client.config import ClientConfig
    from pilotfish.client.errors import AlreadyExists
    from pilotfish.cluster import pki
    from pilotfish.node.config import KubeletConfig
    from pilotfish.node.kubelet import Kubelet
    from support.apiserver import api_server_config, write_kubeconfig

    api = folder / "api"
    api.mkdir(exist_ok=True)
    url = f"https://127.0.0.1:{PORT}"
    server = ApiServer(api_server_config(api, PORT))
    write_kubeconfig(api, url)
    client_config = ClientConfig(
        server=url,
        ca=pki.cert_file(api / "pki", "ca"),
        cert=pki.cert_file(api / "pki", pki.ADMIN.stem),
        key=pki.key_file(api / "pki", pki.ADMIN.stem),
    )
    config = KubeletConfig(
        cluster_name=CLUSTER,
        node_name=NODE,
        node_ip=ADDRESS,
        state_dir=folder / "state" / CLUSTER,
        run_dir=folder / "run" / CLUSTER,
        images_dir=folder / "images",
        seccomp_dir=folder / "seccomp",
        disk_check_s=0.5,
    )
    async with Client(client_config) as client, asyncio.TaskGroup() as tasks:
        tasks.create_task(server.run())
        await server.started.wait()
        node = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": NODE},
            "spec": {"podCIDR": "10.244.0.0/24", "podCIDRs": ["10.244.0.0/24"]},
        }
        account = {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "default", "namespace": "default"},
        }
        for resource, obj in (("nodes", node), ("serviceaccounts", account)):
            with contextlib.suppress(AlreadyExists):  # the process was started again
                await client.create(resource, obj)
        kubelet = Kubelet(client, config)
        tasks.create_task(kubelet.run())
        await kubelet.ready.wait()
        (folder / "ready").touch()


def main() -> None:
    import logging

    import uvloop

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    namespaces.enter(sys.argv[2])
    uvloop.run(_serve(Path(sys.argv[1])))


if __name__ == "__main__":
    main()
