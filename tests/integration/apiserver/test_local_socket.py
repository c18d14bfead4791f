"""The Unix socket beside the TLS listeners: for the controllers, and for nobody else."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

from pilotfish.client.api import Client
from support.apiserver import running_api_server

REVIEW = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}


async def test_who_opens_the_socket_is_the_controller_manager(tmp_path: Path) -> None:
    async with running_api_server(tmp_path) as server, Client(server.local_config()) as client:
        review = await client.create("selfsubjectreviews.authentication.k8s.io", dict(REVIEW))
        assert review["status"]["userInfo"]["username"] == "system:kube-controller-manager"
        names = {item["metadata"]["name"] for item in (await client.list("namespaces"))["items"]}
        assert "default" in names


async def test_nobody_but_its_owner_can_open_it(tmp_path: Path) -> None:
    async with running_api_server(tmp_path):
        mode = (tmp_path / "api.sock").stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600


async def test_it_is_taken_over_from_a_server_that_died(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "api.sock"))
    async with running_api_server(tmp_path) as server, Client(server.local_config()) as client:
        await client.get("namespaces", "default")
