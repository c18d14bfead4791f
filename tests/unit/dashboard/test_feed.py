"""The feed goes on through everything that happens to a cluster, and says how it stands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pilotfish.client.api import Client
from pilotfish.client.errors import ApiError, Unreachable
from pilotfish.dashboard import feed
from pilotfish.dashboard.feed import Feed
from pilotfish.dashboard.kubeconfig import Kubeconfig
from pilotfish.tap.viewer import NodeStatus
from support.dashboard import FakeViewer, kubeconfig, until


class Cluster:
    """Makes viewers, and remembers them."""

    def __init__(self) -> None:
        self.viewers: list[FakeViewer] = []
        self.servers: list[str] = []
        self.heard: list[str] = []
        self.changes: list[tuple[bool, str]] = []
        self.companions: list[str] = []

    def viewer(self, client: Client, _on_status: Callable[[NodeStatus], None]) -> FakeViewer:
        self.viewers.append(FakeViewer())
        self.servers.append(client.config.server)
        return self.viewers[-1]

    async def companion(self, client: Client) -> None:
        self.companions.append("begun")
        try:
            await asyncio.Event().wait()
        finally:
            self.companions.append("ended")

    @asynccontextmanager
    async def followed(self, path: Path) -> AsyncIterator[Feed]:
        made = Feed(
            Kubeconfig(path),
            self.viewer,
            lambda entry: self.heard.append(entry["id"]),
            lambda: self.changes.append((made.state.connected, made.state.problem)),
            lambda client: [self.companion(client)],
        )
        task = asyncio.create_task(made.run())
        try:
            yield made
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FIRST_PAUSE_S", "MAX_PAUSE_S", "GIVE_UP_S", "_LOOK_EVERY_S"):
        monkeypatch.setattr(feed, name, 0.01)


async def test_entries_are_heard(tmp_path: Path) -> None:
    cluster = Cluster()
    async with cluster.followed(kubeconfig(tmp_path / "config")) as followed:
        await until(lambda: followed.state.connected, "connected")
        cluster.viewers[0].queue.put_nowait({"id": "1"})
        await until(lambda: cluster.heard == ["1"], "the entry is heard")
        assert followed.state.context == "pilotfish-fake"


async def test_without_a_kubeconfig_it_waits_for_one(tmp_path: Path) -> None:
    cluster = Cluster()
    async with cluster.followed(tmp_path / "config") as followed:
        await until(lambda: "no kubeconfig" in followed.state.problem, "the problem is said")
        assert followed.state.retry_at_s is not None
        kubeconfig(tmp_path / "config")
        await until(lambda: followed.state.connected, "connected")
        assert (followed.state.problem, followed.state.retry_at_s) == ("", None)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Unreachable("GET https://127.0.0.1:6443/api/v1/nodes: no route"), "no route"),
        (ApiError({"message": "nodes is forbidden"}, 403), "nodes is forbidden"),
    ],
)
async def test_what_ends_the_stream_is_said_and_it_begins_again(
    tmp_path: Path, error: Exception, said: str
) -> None:
    cluster = Cluster()
    async with cluster.followed(kubeconfig(tmp_path / "config")) as followed:
        await until(lambda: followed.state.connected, "connected")
        cluster.viewers[0].queue.put_nowait(error)
        await until(lambda: len(cluster.viewers) == 2, "another attempt")
        await until(lambda: followed.state.connected, "connected again")
        assert any(said in problem for connected, problem in cluster.changes if not connected)


async def test_who_may_not_capture_is_told_so_rather_than_tried_for_ever(tmp_path: Path) -> None:
    cluster = Cluster()
    followed = Feed(
        Kubeconfig(kubeconfig(tmp_path / "config")),
        cluster.viewer,
        lambda _entry: None,
        lambda: None,
        lambda _client: [],
    )
    running = asyncio.create_task(followed.run())
    await until(lambda: followed.state.connected, "connected")
    cluster.viewers[0].queue.put_nowait(PermissionError(1, "Operation not permitted"))
    with pytest.raises(PermissionError):
        await running


async def test_a_cluster_with_new_certificates_is_followed_with_them(tmp_path: Path) -> None:
    cluster = Cluster()
    path = kubeconfig(tmp_path / "config", "http://127.0.0.1:9")
    async with cluster.followed(path) as followed:
        await until(lambda: followed.state.connected, "connected")
        kubeconfig(path, "http://127.0.0.1:10")
        await until(lambda: len(cluster.viewers) == 2, "a new client")
        assert cluster.servers == ["http://127.0.0.1:9", "http://127.0.0.1:10"]
        assert cluster.companions[:2] == ["begun", "ended"]


async def test_a_kubeconfig_that_is_written_without_a_change_disturbs_nothing(
    tmp_path: Path,
) -> None:
    cluster = Cluster()
    path = kubeconfig(tmp_path / "config")
    async with cluster.followed(path) as followed:
        await until(lambda: followed.state.connected, "connected")
        kubeconfig(path)
        await asyncio.sleep(0.1)
        assert len(cluster.viewers) == 1


async def test_when_no_node_tells_anything_it_is_asked_whether_the_cluster_is_there(
    tmp_path: Path,
) -> None:
    cluster = Cluster()
    async with cluster.followed(kubeconfig(tmp_path / "config")) as followed:
        await until(lambda: followed.state.connected, "connected")
        node = cluster.viewers[0].nodes["node-1"]
        node.connected, node.problem = False, "the worker ended the stream"
        # Nobody answers at that address.
        await until(lambda: len(cluster.viewers) == 2, "another attempt")
        assert (False, "node-1: the worker ended the stream") in cluster.changes


async def test_one_node_of_two_is_enough_to_be_connected(tmp_path: Path) -> None:
    cluster = Cluster()
    async with cluster.followed(kubeconfig(tmp_path / "config")) as followed:
        await until(lambda: followed.state.connected, "connected")
        cluster.viewers[0].nodes["node-2"] = NodeStatus("node-2", problem="refused")
        await until(lambda: "node-2" in followed.state.nodes, "the node is seen")
        assert (followed.state.connected, followed.state.problem) == (True, "")


@pytest.mark.parametrize(
    ("problem", "plain"),
    [
        ("GET https://127.0.0.1:6443/api/v1/nodes: no route", "no route"),
        ("watch https://127.0.0.1:6443/api/v1/pods: no route", "no route"),
        (
            "GET https://127.0.0.1:6443/x: Response payload is not completed: <Error: 400>",
            "the connection broke",
        ),
        ("the worker ended the stream", "the worker ended the stream"),
        ("", ""),
    ],
)
def test_problems_are_said_without_the_request_that_found_them(problem: str, plain: str) -> None:
    assert feed.plain(problem) == plain
