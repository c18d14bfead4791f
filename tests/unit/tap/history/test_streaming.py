"""A generator that blocks does so in a thread, and no longer than somebody waits."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Generator

import pytest

from pilotfish.tap.history import streaming
from pilotfish.tap.history.streaming import portions


async def test_everything_comes_in_order_and_from_another_thread() -> None:
    threads = set()

    def count() -> Generator[int, None, None]:
        for number in range(1234):
            threads.add(threading.current_thread())
            yield number

    found = [portion async for portion in portions(count())]
    assert list(itertools.chain(*found)) == list(range(1234))
    assert max(len(portion) for portion in found) <= 500
    assert threading.current_thread() not in threads


async def test_only_what_is_wanted_comes() -> None:
    numbers = (number for number in range(10))
    found = [portion async for portion in portions(numbers, lambda number: number % 3 == 0)]
    assert list(itertools.chain(*found)) == [0, 3, 6, 9]


async def test_a_search_that_is_given_up_ends_and_closes_its_generator(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streaming, "_TURN_S", 0.001)
    begun, closed = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def endless() -> Generator[int, None, None]:
        try:
            loop.call_soon_threadsafe(begun.set)
            yield from itertools.count()
        finally:
            loop.call_soon_threadsafe(closed.set)

    async def search() -> None:
        async for _ in portions(endless(), lambda _: False):
            pass

    searching = asyncio.create_task(search())
    await begun.wait()
    searching.cancel()
    async with asyncio.timeout(10):
        await closed.wait()


async def test_what_goes_wrong_in_the_thread_is_raised() -> None:
    def broken() -> Generator[int, None, None]:
        yield 1
        raise OSError("no such disk")

    with pytest.raises(OSError, match="no such disk"):
        async for _ in portions(broken()):
            pass


async def test_a_generator_at_work_is_not_closed_before_its_turn_is_over() -> None:
    begun, go_on, closed = threading.Event(), threading.Event(), threading.Event()
    problems: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, problem: problems.append(problem))

    def slow() -> Generator[int, None, None]:
        try:
            begun.set()
            go_on.wait(10)
            yield 1
        finally:
            closed.set()

    async def search() -> None:
        async for _ in portions(slow()):
            pass

    searching = asyncio.create_task(search())
    await asyncio.to_thread(begun.wait, 10)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:  # as the end of a loop does
        task.cancel()
    await asyncio.gather(searching, return_exceptions=True)
    assert not closed.is_set()
    go_on.set()
    assert await asyncio.to_thread(closed.wait, 10)
    assert problems == []
