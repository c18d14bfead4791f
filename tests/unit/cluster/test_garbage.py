"""Full garbage collections come when memory has doubled."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator
from contextlib import suppress

import pytest

from pilotfish.cluster import garbage


class _Cycle:
    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def used_s(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """By how much the process' processor time grows each time that somebody looks."""
    step, used = [0.0], [0.0]

    def cpu_s() -> float:
        used[0] += step[0]
        return used[0]

    monkeypatch.setattr(garbage, "cpu_s", cpu_s)
    yield step


@pytest.fixture
def resident(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """What the process is said to hold, in bytes; to be changed."""
    size = [100]
    monkeypatch.setattr(garbage, "resident_bytes", lambda: size[0])
    thresholds = gc.get_threshold()
    yield size
    assert gc.get_threshold() == thresholds


def _old_cycle() -> weakref.ref[_Cycle]:
    """A cycle that young collections have passed by, and that nobody holds any more."""
    cycle = _Cycle()
    gc.collect(1)
    gc.collect(1)
    return weakref.ref(cycle)


async def _for_a_while(task: asyncio.Task[None]) -> None:
    await asyncio.sleep(0.02)
    assert not task.done()


async def test_old_garbage_stays_until_memory_has_doubled(
    resident: list[int], used_s: list[float]
) -> None:
    task = asyncio.create_task(garbage.collect_by_growth(0.001, least_bytes=100))
    await asyncio.sleep(0)
    cycle = _old_cycle()
    resident[0] = 199
    await _for_a_while(task)
    assert cycle() is not None
    resident[0] = 200
    await _for_a_while(task)
    assert cycle() is None
    later = _old_cycle()
    await _for_a_while(task)
    assert later() is not None, "it has to double again first"
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_busy_process_is_stopped_only_when_it_must_be(
    resident: list[int], used_s: list[float]
) -> None:
    used_s[0] = 60.0
    task = asyncio.create_task(garbage.collect_by_growth(0.001, least_bytes=100))
    await asyncio.sleep(0)
    cycle = _old_cycle()
    resident[0] = 399
    await _for_a_while(task)
    assert cycle() is not None
    resident[0] = 400
    await _for_a_while(task)
    assert cycle() is None
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_small_process_is_left_alone(resident: list[int]) -> None:
    task = asyncio.create_task(garbage.collect_by_growth(0.001, least_bytes=1000))
    await asyncio.sleep(0)
    cycle = _old_cycle()
    resident[0] = 999
    await _for_a_while(task)
    assert cycle() is not None
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def test_memory_is_that_of_this_process() -> None:
    assert garbage.resident_bytes() > 1_000_000
