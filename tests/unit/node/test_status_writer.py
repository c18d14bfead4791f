"""What the kubelet says of a Pod: written, and restored when another has changed it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from pilotfish.client.errors import Forbidden
from pilotfish.node.status_writer import StatusWriter
from pilotfish.objects.meta import Object
from support.workloads import make_pod


class FakeClient:
    """Keeps the patches it is given."""

    def __init__(self) -> None:
        self.patches: list[Any] = []

    async def patch(self, _resource: str, _name: str, patch: Any, *_: Any, **__: Any) -> Object:
        self.patches.append(patch["status"])
        return {}


def pod(ready: bool, ready_for_s: float) -> Object:
    return make_pod("web", node="node-1", ready=ready, ready_for_s=ready_for_s)


async def written(observed: Object) -> int:
    """How often a status that says ready for 100 s is written when the API shows that Pod."""
    client = FakeClient()
    writer = StatusWriter(client, observed)
    task = asyncio.create_task(writer.run())
    writer.publish(pod(True, 100)["status"])
    await writer.flush()
    writer.observe(observed)
    await asyncio.sleep(0)
    await writer.flush()
    task.cancel()
    return len(client.patches)


@pytest.mark.parametrize(
    ("observed", "times"),
    # Made when the test runs: these ages are of now, and collecting may be minutes ago.
    [
        (lambda: pod(False, 5), 2),
        (lambda: pod(True, 100), 1),
        (lambda: pod(False, 200), 1),
        (lambda: {"metadata": {"name": "web"}, "spec": {}}, 1),
    ],
    ids=["made unready by another", "as written", "our own older write", "without a status"],
)
async def test_only_anothers_verdict_is_put_right(
    observed: Callable[[], Object], times: int
) -> None:
    assert await written(observed()) == times


async def test_the_same_status_is_written_once() -> None:
    client = FakeClient()
    status = pod(True, 50)["status"]
    writer = StatusWriter(client, pod(True, 50))
    task = asyncio.create_task(writer.run())
    for _ in range(3):
        writer.publish(status)
        await writer.flush()
    task.cancel()
    assert len(client.patches) == 1


async def test_a_pod_of_that_name_on_another_node_is_not_ours_to_write() -> None:
    class Refusing(FakeClient):
        async def patch(self, *arguments: Any, **options: Any) -> Object:
            await super().patch(*arguments, **options)
            raise Forbidden({"message": "can only update pods with spec.nodeName …"}, 403)

    client = Refusing()
    writer = StatusWriter(client, pod(False, 5))  # type: ignore[arg-type]
    task = asyncio.create_task(writer.run())
    writer.publish(pod(True, 100)["status"])
    async with asyncio.timeout(5):
        await writer.flush()
    task.cancel()
    assert len(client.patches) == 1
