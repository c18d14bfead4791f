"""The controller manager keeps its controllers running."""

from __future__ import annotations

import asyncio
import logging

import pytest

from pilotfish.controllers import manager


class Fragile:
    """A controller that fails a few times, then runs."""

    name = "fragile-controller"

    def __init__(self, failures: int) -> None:
        self._failures = failures
        self.starts = 0
        self.runs = asyncio.Event()

    async def run(self) -> None:
        self.starts += 1
        if self.starts <= self._failures:
            raise RuntimeError(f"failure {self.starts}")
        self.runs.set()
        await asyncio.Event().wait()


async def test_a_controller_that_fails_is_logged_and_started_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(manager, "_FIRST_BACKOFF_S", 0.001)
    controller = Fragile(failures=3)
    with caplog.at_level(logging.ERROR):
        task = asyncio.create_task(manager._keep_running(controller))
        await asyncio.wait_for(controller.runs.wait(), 5)
        task.cancel()
    assert controller.starts == 4
    messages = [record.getMessage() for record in caplog.records]
    assert messages[0] == "fragile-controller failed; it starts again in 0.001 s"
    # Each time it waits longer.
    assert messages[2] == "fragile-controller failed; it starts again in 0.004 s"
