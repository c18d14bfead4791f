"""Helm keeps its releases in Secrets of the cluster, and changes them by three-way patches."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from pilotfish.client.api import Client
from pilotfish.client.errors import NotFound
from support.apiserver import RunningApiServer
from support.chart import write_chart
from support.kubectls import HELM

pytestmark = pytest.mark.skipif(HELM is None, reason="no helm at hand; tools/setup dev fetches it")


async def helm(server: RunningApiServer, *arguments: str) -> str:
    """Helm's output; fails the test when helm fails."""
    assert HELM is not None
    folders = {
        f"HELM_{name}_HOME": str(server.folder / "helm") for name in ("CACHE", "CONFIG", "DATA")
    }
    process = await asyncio.create_subprocess_exec(
        HELM,
        *arguments,
        env=os.environ | folders | {"KUBECONFIG": str(server.kubeconfig)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return output.decode()


async def test_a_release_is_installed_upgraded_rolled_back_and_uninstalled(
    server: RunningApiServer, client: Client, tmp_path: Path
) -> None:
    chart = str(write_chart(tmp_path))

    async def greeting() -> str:
        found = await client.get("configmaps", "one-settings", "default")
        return str(found["data"]["greeting"])

    await helm(server, "install", "one", chart)
    assert await greeting() == "hello"
    assert (await client.get("services", "one", "default"))["spec"]["clusterIP"]
    await client.patch("services", "one", {"metadata": {"labels": {"mine": "x"}}}, "default")
    await helm(server, "upgrade", "one", chart, "--set", "greeting=goodbye,replicas=2")
    assert await greeting() == "goodbye"
    scaled = await client.get("deployments.apps", "one", "default")
    assert scaled["spec"]["replicas"] == 2
    assert (await client.get("services", "one", "default"))["metadata"]["labels"]["mine"] == "x"
    await helm(server, "rollback", "one", "1")
    assert await greeting() == "hello"
    history = json.loads(await helm(server, "history", "one", "-o", "json"))
    assert [each["status"] for each in history] == ["superseded", "superseded", "deployed"]
    (release,) = json.loads(await helm(server, "list", "-o", "json"))
    assert (release["name"], release["status"]) == ("one", "deployed")
    await helm(server, "uninstall", "one", "--wait", "--timeout=20s")
    with pytest.raises(NotFound):
        await client.get("services", "one", "default")
    assert not json.loads(await helm(server, "list", "-o", "json"))


async def test_a_dry_run_on_the_server_changes_nothing(
    server: RunningApiServer, client: Client, tmp_path: Path
) -> None:
    chart = str(write_chart(tmp_path))
    assert "greeting" in await helm(server, "install", "one", chart, "--dry-run=server")
    with pytest.raises(NotFound):
        await client.get("services", "one", "default")
