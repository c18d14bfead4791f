"""The worker captures while somebody looks, and viewers survive its death."""

from __future__ import annotations

import asyncio
import os
import signal
from functools import partial
from pathlib import Path

import pytest

from pilotfish.client.api import Client
from pilotfish.client.config import ClientConfig
from pilotfish.client.errors import ApiError
from pilotfish.tap.local import LocalViewer
from pilotfish.tap.viewer import Viewer, packets_path
from support.shell import Shell, eventually
from support.tap_cluster import kubeconfig_of, node_process, sessions, watching


def ask(cluster: Shell, path: str) -> None:
    """Ask for a path so that the request enters at either node."""
    nodes = [node["status"]["addresses"][0]["address"] for node in cluster.get("nodes")["items"]]
    port = cluster.get("service", "web")["spec"]["ports"][0]["nodePort"]
    for address in nodes:
        cluster.curl(f"http://{address}:{port}{path}")


async def test_nothing_runs_while_nobody_looks(cluster: Shell) -> None:
    pid = node_process("node-1")
    eventually(lambda: not sessions(pid), "earlier sessions have ended")
    async with watching(kubeconfig_of(cluster)):
        assert len(sessions(pid)) == 1
    eventually(lambda: not sessions(pid), "the session has ended")


async def test_several_viewers_share_a_capture(cluster: Shell) -> None:
    config = kubeconfig_of(cluster)
    async with watching(config) as one, watching(config) as other:
        assert len(sessions(node_process("node-1"))) == 1
        await asyncio.to_thread(ask, cluster, "/shared")
        for each in (one, other):
            assert len(await each.settled(2, lambda entry: entry.get("path") == "/shared")) == 2


async def test_viewers_go_on_when_the_capture_was_killed(cluster: Shell) -> None:
    async with watching(kubeconfig_of(cluster)) as watch:
        (session,) = sessions(node_process("node-1"))
        os.kill(session, signal.SIGKILL)
        await watch.until(lambda: not watch.viewer.nodes["node-1"].connected, "it is noticed")
        await watch.connected()
        await asyncio.to_thread(ask, cluster, "/after-the-capture")
        await watch.settled(2, lambda entry: entry.get("path") == "/after-the-capture")


async def test_viewers_go_on_when_the_node_process_was_killed(cluster: Shell) -> None:
    async with watching(kubeconfig_of(cluster)) as watch:
        pid = node_process("node-2")
        (session,) = sessions(pid)
        os.kill(pid, signal.SIGKILL)
        await watch.until(lambda: not watch.viewer.nodes["node-2"].connected, "it is noticed")
        await watch.connected()
        assert not Path(f"/proc/{session}").exists()
        await asyncio.to_thread(ask, cluster, "/after-the-node")
        await watch.settled(2, lambda entry: entry.get("path") == "/after-the-node")


async def test_packets_come_as_a_file_with_each_packet_once(cluster: Shell, tmp_path: Path) -> None:
    file = tmp_path / "tap.pcapng"
    async with Client(ClientConfig.from_kubeconfig(kubeconfig_of(cluster))) as client:

        async def collect() -> None:
            with file.open("wb", buffering=0) as written:
                async for piece in client.stream(packets_path("node-1", "default")):
                    written.write(piece)

        collecting = asyncio.create_task(collect())
        try:
            begun = partial(eventually, lambda: file.exists() and file.stat().st_size > 0)
            await asyncio.to_thread(begun, "the file has begun")
            await asyncio.to_thread(ask, cluster, "/packets")
            arrived = partial(eventually, lambda: b"/packets" in file.read_bytes())
            await asyncio.to_thread(arrived, "the request is in the file")
            # Long enough for one packet too many to show.
            await asyncio.sleep(0.5)
        finally:
            collecting.cancel()
            await asyncio.gather(collecting, return_exceptions=True)
    command = ["tshark", "-r", str(file), "-Y", 'http.request.uri=="/packets"', "-T", "fields"]
    fields = ["-e", "ip.dst", "-e", "tcp.analysis.retransmission"]
    done = await asyncio.to_thread(cluster.run, *command, *fields)
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    address, repeated = line.split("\t")
    nodes = {node["metadata"]["name"]: node for node in cluster.get("nodes")["items"]}
    assert address == nodes["node-1"]["status"]["addresses"][0]["address"]
    assert repeated == ""


async def test_a_question_that_cannot_be_answered_is_refused(cluster: Shell) -> None:
    async with Client(ClientConfig.from_kubeconfig(kubeconfig_of(cluster))) as client:
        with pytest.raises(ApiError, match="true or false"):
            await client.request(
                "GET", "/api/v1/nodes/https:node-1:10251/proxy/v1/entries", {"probes": "maybe"}
            )


async def test_the_workers_apply_the_filter_and_hide_secrets(cluster: Shell) -> None:
    config = kubeconfig_of(cluster)
    wanted = 'http && path.startsWith("/wanted")'
    async with watching(config, filter_text=wanted) as some, watching(config, redact=False) as all_:
        for path in ("/wanted", "/other"):
            address = f"http://{cluster.cluster_ip('web')}{path}"
            await asyncio.to_thread(cluster.curl, address, "-H", "Authorization: Bearer s3cret")
        await all_.settled(2, lambda entry: entry.get("path") in ("/wanted", "/other"))
    (entry,) = some.entries
    assert entry["path"] == "/wanted"
    assert "s3cret" not in str(entry)
    assert "s3cret" in str(all_.entries)


async def test_a_filter_that_is_wrong_is_refused_and_the_place_shown(cluster: Shell) -> None:
    async with Client(ClientConfig.from_kubeconfig(kubeconfig_of(cluster))) as client:
        with pytest.raises(ApiError, match="methd"):
            await anext(Viewer(client, filter_text='methd == "GET"').entries())


async def test_this_machine_is_viewed_without_a_worker(cluster: Shell) -> None:
    seen = []

    async def collect() -> None:
        async with Client(ClientConfig.from_kubeconfig(kubeconfig_of(cluster))) as client:
            viewer = LocalViewer(
                client, lambda entry: entry["protocol"] == "http" and entry["path"] == "/local"
            )
            seen.append(await anext(viewer.entries()))

    collecting = asyncio.create_task(collect())
    try:
        url = f"http://{cluster.cluster_ip('web')}/local"

        # Nothing tells from outside when the capture begins: ask until it is seen.
        def asked_and_seen() -> bool:
            cluster.curl(url)
            return bool(seen)

        await asyncio.to_thread(eventually, asked_and_seen, "it is seen")
    finally:
        collecting.cancel()
        await asyncio.gather(collecting, return_exceptions=True)
    (entry,) = seen
    assert (entry["src"]["name"], entry["dst"]["service"]["name"]) == ("host", "web")


async def test_who_may_view_traffic_may_do_nothing_else_by_it(cluster: Shell) -> None:
    role = "--clusterrole=system:pilotfish:traffic-viewer"
    cluster.kubectl("create", "clusterrolebinding", "viewer", role, "--user=viewer")
    cluster.kubectl("create", "clusterrole", "reader", "--verb=get", "--resource=nodes/proxy")
    cluster.kubectl(
        "create", "clusterrolebinding", "reader", "--clusterrole=reader", "--user=reader"
    )
    node = "/api/v1/nodes/https:node-1:10251/proxy/v1"

    def refused(user: str, path: str) -> str:
        done = cluster.run("kubectl", "get", "--raw", path, "--as", user)
        return done.stderr.strip() if done.returncode else ""

    try:
        assert refused("viewer", f"{node}/status") == ""
        assert '"packets"' in refused("viewer", f"{node}/packets")
        assert '"packets"' in refused("viewer", f"{node}/entries?redact=false")
        assert '"nodes/proxy"' in refused("viewer", "/api/v1/nodes/node-1/proxy/pods")
        assert refused("reader", "/api/v1/nodes/node-1/proxy/pods") == ""
        said = refused("reader", f"{node}/entries")
        assert 'cannot watch resource "entries" in API group "tap.pilotfish.dev"' in said
        assert len(said.splitlines()) == 1
    finally:
        cluster.kubectl("delete", "clusterrolebinding", "viewer", "reader")
        cluster.kubectl("delete", "clusterrole", "reader")
