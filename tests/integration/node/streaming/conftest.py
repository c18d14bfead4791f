"""A cluster of an API server and a node of plain processes, and every kubectl at hand."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pilotfish.node.server import KubeletServer
from support.apiserver import RunningApiServer, running_api_server
from support.kubectls import KUBECTLS
from support.local_runtime import LocalRuntime, make_pod, streaming_node

TIMEOUT_S = 20.0


@dataclass
class Streams:
    """Everything between kubectl and a container."""

    server: RunningApiServer
    runtime: LocalRuntime
    kubelet: KubeletServer
    binary: str = "kubectl"
    _running: list[asyncio.subprocess.Process] = field(default_factory=list)

    async def kubectl(self, *arguments: str, stdin: str = "") -> tuple[int, str, str]:
        """Exit code, output and errors of a kubectl that ends by itself."""
        async with asyncio.timeout(TIMEOUT_S):
            return await self.server.try_kubectl(*arguments, stdin=stdin, binary=self.binary)

    async def start_kubectl(
        self, *arguments: str, stdin: int | None = None, stdout: int | None = None
    ) -> asyncio.subprocess.Process:
        """A kubectl that runs until it is ended; at the latest with the test."""
        environment = os.environ | {"KUBECONFIG": str(self.server.kubeconfig)}
        process = await asyncio.create_subprocess_exec(
            self.binary,
            *arguments,
            stdin=asyncio.subprocess.PIPE if stdin is None else stdin,
            stdout=asyncio.subprocess.PIPE if stdout is None else stdout,
            stderr=asyncio.subprocess.PIPE if stdout is None else stdout,
            env=environment,
        )
        self._running.append(process)
        return process

    async def stop(self) -> None:
        for process in self._running:
            if process.returncode is None:
                process.kill()
            await process.wait()


@pytest.fixture
def pod_netns() -> str:
    """The network namespace of the Pods; tests that need one of their own override this."""
    return "/proc/self/ns/net"


@pytest.fixture(params=KUBECTLS, ids=lambda path: str(path).replace("/", "_"))
async def streams(
    tmp_path: Path, pod_netns: str, request: pytest.FixtureRequest
) -> AsyncIterator[Streams]:
    """Pods `app` and `terminal` (container main), `pair` (left, right, stopped) on node-1."""
    async with running_api_server(tmp_path) as server:
        runtime = LocalRuntime(pod_netns)
        runtime.add_pod(make_pod("app", "main"))
        runtime.add_pod(make_pod("terminal", "main", tty=True))
        runtime.add_pod(make_pod("pair", "left", "right", "stopped"))
        async with streaming_node(server, "node-1", runtime) as kubelet:
            streams = Streams(server, runtime, kubelet, request.param)
            try:
                yield streams
            finally:
                await streams.stop()
