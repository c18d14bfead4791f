"""An API server of one's own: on loopback, with a throwaway PKI and kubeconfigs.

async with running_api_server(tmp_path) as server:
    async with Client(server.client_config()) as client: ...
    await server.kubectl("get", "services")
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from pilotfish.apiserver.config import ApiServerConfig
from pilotfish.apiserver.server import ApiServer
from pilotfish.client.config import ClientConfig
from pilotfish.cluster import pki

ADMIN = pki.ADMIN
# No test may hang: `kubectl delete` and `wait` have no end of their own.
_KUBECTL_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class RunningApiServer:
    """An API server that accepts connections.

    Attributes:
        url: where: "https://127.0.0.1:PORT".
        folder: its state: pki/, store.db, kubeconfig.
        kubeconfig: of the administrator.
    """

    url: str
    folder: Path
    kubeconfig: Path

    def client_config(self, identity: pki.Identity = ADMIN) -> ClientConfig:
        """How a client speaks to it, as one of the identities of `cluster.pki`."""
        return client_config(self.folder, self.url, identity)

    def local_config(self) -> ClientConfig:
        """How the controllers speak to it: over the Unix socket."""
        return ClientConfig(server="http://api", socket=self.folder / "api.sock")

    async def kubectl(self, *arguments: str, stdin: str = "", binary: str = "kubectl") -> str:
        """Run kubectl as administrator; its output. Fails the test when kubectl fails."""
        code, output, errors = await self.try_kubectl(*arguments, stdin=stdin, binary=binary)
        assert code == 0, f"kubectl {' '.join(arguments)}: {errors or output}"
        return output

    async def try_kubectl(
        self, *arguments: str, stdin: str = "", binary: str = "kubectl"
    ) -> tuple[int, str, str]:
        """Run kubectl as administrator; its exit code, output and error output."""
        environment = os.environ | {
            "KUBECONFIG": str(self.kubeconfig),
            "KUBECACHEDIR": str(self.folder / "kubectl-cache"),
        }
        process = await asyncio.create_subprocess_exec(
            binary,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
        )
        try:
            async with asyncio.timeout(_KUBECTL_TIMEOUT_S):
                output, errors = await process.communicate(stdin.encode())
        except TimeoutError:
            process.kill()
            await process.wait()
            raise AssertionError(f"kubectl {' '.join(arguments)} does not end") from None
        assert process.returncode is not None
        return process.returncode, output.decode(), errors.decode()


def api_server_config(folder: Path, port: int) -> ApiServerConfig:
    """Settings of an API server whose whole state is in a folder; makes its certificates."""
    certificates = folder / "pki"
    pki.write_pki(certificates, "cluster.local", ["127.0.0.1", "10.96.0.1"], {})
    return ApiServerConfig(
        listen=(("127.0.0.1", port),),
        cert_file=pki.cert_file(certificates, "apiserver"),
        key_file=pki.key_file(certificates, "apiserver"),
        client_ca_file=pki.cert_file(certificates, "ca"),
        service_account_key_file=certificates / "sa.key",
        local_socket=folder / "api.sock",
        store_path=folder / "store.db",
        advertise_address="192.0.2.1",
        advertise_port=6443,
        kubelet_client_cert_file=pki.cert_file(certificates, pki.API_TO_KUBELET.stem),
        kubelet_client_key_file=pki.key_file(certificates, pki.API_TO_KUBELET.stem),
    )


def client_config(folder: Path, url: str, identity: pki.Identity = ADMIN) -> ClientConfig:
    """How a client speaks to an API server of `api_server_config`."""
    certificates = folder / "pki"
    return ClientConfig(
        server=url,
        ca=pki.cert_file(certificates, "ca"),
        cert=pki.cert_file(certificates, identity.stem),
        key=pki.key_file(certificates, identity.stem),
    )


def write_kubeconfig(folder: Path, url: str, identity: pki.Identity = ADMIN) -> Path:
    """A kubeconfig for an API server of `api_server_config`; returns its path."""
    certificates = folder / "pki"
    path = folder / ("kubeconfig" if identity is ADMIN else f"{identity.stem}.kubeconfig")
    cluster = {"server": url, "certificate-authority": str(pki.cert_file(certificates, "ca"))}
    user = {
        "client-certificate": str(pki.cert_file(certificates, identity.stem)),
        "client-key": str(pki.key_file(certificates, identity.stem)),
    }
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": identity.user, "user": user}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": identity.user}}],
        "current-context": "test",
    }
    path.write_text(yaml.safe_dump(config))
    return path


def free_port() -> int:
    """A TCP port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def running_api_server(
    folder: Path, port: int = 0, **settings: Any
) -> AsyncIterator[RunningApiServer]:
    """An API server in this process, over the store in the folder if there is one.

    settings: fields of its configuration that are to be others.
    """
    port = port or free_port()
    url = f"https://127.0.0.1:{port}"
    server = ApiServer(replace(api_server_config(folder, port), **settings))
    task = asyncio.create_task(server.run(), name="API server")
    started = asyncio.create_task(server.started.wait())
    await asyncio.wait((task, started), return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        started.cancel()
        task.result()
    try:
        yield RunningApiServer(url, folder, write_kubeconfig(folder, url))
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
