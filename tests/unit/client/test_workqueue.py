"""The work queue handles each key once at a time, and again when it was added meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from pilotfish.client.workqueue import WorkQueue


@contextlib.asynccontextmanager
async def working(
    queue: WorkQueue, handler: Callable[[str], Awaitable[None]]
) -> AsyncIterator[None]:
    task = asyncio.create_task(queue.run(handler, workers=3))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_a_key_added_many_times_before_its_turn_is_handled_once() -> None:
    queue, handled = WorkQueue("test"), []

    async def handle(key: str) -> None:
        handled.append(key)

    for _ in range(5):
        queue.add("a")
    queue.add("b")
    async with working(queue, handle):
        await asyncio.sleep(0.05)
    assert sorted(handled) == ["a", "b"]


async def test_a_key_added_while_it_is_handled_is_handled_once_more_and_never_twice_at_once() -> (
    None
):
    queue, running, runs = WorkQueue("test"), 0, 0
    done = asyncio.Event()

    async def handle(key: str) -> None:
        nonlocal running, runs
        running += 1
        runs += 1
        assert running == 1
        if runs == 1:
            queue.add(key)
            queue.add(key)
        await asyncio.sleep(0.01)
        running -= 1
        if runs == 2:
            done.set()

    queue.add("a")
    async with working(queue, handle):
        await asyncio.wait_for(done.wait(), 5)
        await asyncio.sleep(0.05)
    assert runs == 2


async def test_a_handler_that_fails_is_tried_again_and_holds_up_no_other_key() -> None:
    queue, tries, handled = WorkQueue("test"), 0, []
    done = asyncio.Event()

    async def handle(key: str) -> None:
        nonlocal tries
        if key == "broken":
            tries += 1
            if tries < 4:
                raise RuntimeError("not yet")
            done.set()
        handled.append(key)

    queue.add("broken")
    queue.add("sound")
    async with working(queue, handle):
        await asyncio.wait_for(done.wait(), 5)
    assert handled == ["sound", "broken"]


async def test_of_two_delays_the_earlier_counts() -> None:
    queue, handled = WorkQueue("test"), asyncio.Event()

    async def handle(key: str) -> None:
        assert key == "a"
        handled.set()

    queue.add_after("a", 60)
    queue.add_after("a", 0.01)
    queue.add_after("a", 60)
    async with working(queue, handle):
        await asyncio.wait_for(handled.wait(), 5)
