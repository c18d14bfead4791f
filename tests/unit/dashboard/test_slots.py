"""Kernels are asked of the nodes' proxies, and nodes that do not answer are left alone a while."""

from __future__ import annotations

from typing import Any

from pilotfish.client.errors import Unreachable, error_of
from pilotfish.dashboard.slots import Kernel, SlotsPoller
from support.workloads import make_node

FRONT = {"front": "10.96.0.1:443/TCP", "rule": "random", "slots": ["192.168.64.1:6443"]}


class Cluster:
    """Stands in for a client."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.broken: dict[str, Exception] = {}

    async def request(self, _method: str, path: str) -> dict[str, Any]:
        node = path.removeprefix("/api/v1/nodes/https:").split(":")[0]
        assert path == f"/api/v1/nodes/https:{node}:10249/proxy/v1/tables"
        self.asked.append(node)
        if node in self.broken:
            raise self.broken[node]
        return {"node": node, "fronts": [FRONT]}


async def test_every_node_is_asked_and_who_is_gone_is_forgotten() -> None:
    poller = SlotsPoller(Cluster())  # type: ignore[arg-type]
    await poller.look([make_node("node-1"), make_node("node-2")])
    assert poller.kernels == {name: Kernel(fronts=[FRONT]) for name in ("node-1", "node-2")}
    await poller.look([make_node("node-2")])
    assert list(poller.kernels) == ["node-2"]


async def test_a_node_that_does_not_answer_says_why_and_is_left_alone_a_while() -> None:
    cluster = Cluster()
    cluster.broken["node-1"] = Unreachable("no route to host")
    cluster.broken["node-2"] = error_of({"message": "forbidden"}, 403)
    poller = SlotsPoller(cluster)  # type: ignore[arg-type]
    nodes = [make_node(f"node-{number}") for number in (1, 2, 3)]
    await poller.look(nodes)
    await poller.look(nodes)
    assert {name: kernel.problem for name, kernel in poller.kernels.items()} == {
        "node-1": "no route to host",
        "node-2": "forbidden",
        "node-3": "",
    }
    assert sorted(cluster.asked) == ["node-1", "node-2", "node-3", "node-3"]
