"""A cluster with an application whose Pods say who they are, and a viewer of its traffic."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pilotfish.client.api import Client
from pilotfish.client.config import ClientConfig
from pilotfish.tap.entry import Entry
from pilotfish.tap.viewer import Viewer
from support.shell import Shell, eventually

NAME = f"tap-{os.getpid()}"
NGINX = """daemon off; master_process off; pid /tmp/nginx.pid; error_log stderr;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 1000000;
  server { listen 8080; location / { return 200 "$hostname\\n"; } } }
"""


def manifests() -> str:
    """Deployment `web` of two Pods behind a Service of type LoadBalancer; a Pod that asks."""
    container = {
        "name": "nginx",
        "image": "host",
        "command": ["nginx", "-c", "/conf/nginx.conf"],
        "volumeMounts": [{"name": "conf", "mountPath": "/conf"}],
        # It serves on until the proxies know that it is going.
        "lifecycle": {"preStop": {"exec": {"command": ["sleep", "1"]}}},
        "readinessProbe": {"httpGet": {"path": "/probe", "port": 8080}, "periodSeconds": 1},
    }
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {
            "terminationGracePeriodSeconds": 5,
            "containers": [container],
            "volumes": [{"name": "conf", "configMap": {"name": "nginx"}}],
        },
    }
    client = {"containers": [{"name": "c", "image": "host", "command": ["sleep", "infinity"]}]}
    ports = [{"port": 80, "targetPort": 8080}]
    items: list[dict[str, Any]] = [
        _object("v1", "ConfigMap", "nginx", data={"nginx.conf": NGINX}),
        _object(
            "apps/v1",
            "Deployment",
            "web",
            spec={
                "replicas": 2,
                "selector": {"matchLabels": {"app": "web"}},
                "template": template,
            },
        ),
        _object(
            "v1",
            "Service",
            "web",
            spec={"type": "LoadBalancer", "selector": {"app": "web"}, "ports": ports},
        ),
        _object("v1", "Service", "nobody", spec={"selector": {"app": "none"}, "ports": ports}),
        _object(
            "v1",
            "Service",
            "deaf",
            spec={"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 9999}]},
        ),
        _object("v1", "Pod", "client", spec=client),
    ]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})


def _object(version: str, kind: str, name: str, **fields: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **fields}


class Watch:
    """What a viewer has seen so far."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self.entries: list[Entry] = []

    def of_path(self, path: str) -> list[Entry]:
        """The HTTP requests of this path."""
        return [entry for entry in self.entries if entry.get("path") == path]

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait for something to come true."""
        await asyncio.to_thread(eventually, holds, what)

    async def connected(self, nodes: int = 2) -> None:
        """Wait until the workers of all nodes tell what they see."""

        def all_are() -> bool:
            states = self.viewer.nodes.values()
            return len(states) == nodes and all(state.connected for state in states)

        await self.until(all_are, "every node's worker is connected")

    async def settled(self, count: int, matches: Callable[[Entry], bool]) -> list[Entry]:
        """Wait for so many such entries, and a little longer, for one too many to show."""
        await self.until(
            lambda: sum(map(matches, self.entries)) >= count,
            f"{count} entries: there are {[entry['summary'] for entry in self.entries]}",
        )
        await asyncio.sleep(0.7)
        return [entry for entry in self.entries if matches(entry)]


@asynccontextmanager
async def watching(kubeconfig: Path, **options: Any) -> AsyncIterator[Watch]:
    """View the cluster for as long as the block lasts, which begins when all nodes tell."""
    async with Client(ClientConfig.from_kubeconfig(kubeconfig)) as client:
        watch = Watch(Viewer(client, **options))

        async def collect() -> None:
            async for entry in watch.viewer.entries():
                watch.entries.append(entry)

        task = asyncio.create_task(collect())
        try:
            await watch.connected()
            yield watch
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def kubeconfig_of(shell: Shell) -> Path:
    return Path(shell.environment["KUBECONFIG"])


def sessions(node_pid: int) -> list[int]:
    """The capture processes that a node process has started."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().split(b"\0")
            status = (process / "status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if b"pilotfish.tap.session_process" in command and f"\nPPid:\t{node_pid}\n" in status:
            found.append(int(process.name))
    return found


def node_process(node: str) -> int:
    """The process of a node."""
    pid, *_ = Path(f"/run/pilotfish/{NAME}/pids/{node}").read_text().split()
    return int(pid)
