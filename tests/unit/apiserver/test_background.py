"""Background loops of the API server."""

from __future__ import annotations

import asyncio

import pytest

from pilotfish.apiserver import background


async def test_a_loop_that_fails_begins_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "_FIRST_PAUSE_S", 0.0)
    begun = 0
    third = asyncio.Event()

    async def fail() -> None:
        nonlocal begun
        begun += 1
        if begun == 3:
            third.set()
            await asyncio.Event().wait()
        raise KeyError("what a stranger wrote")

    task = asyncio.create_task(background.keep_running("it", fail))
    await third.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
