"""Stopping one container: preStop hook, its stop signal, patience, SIGKILL.

https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination-flow
"""

from __future__ import annotations

import asyncio
import logging
import signal
from typing import Any

from pilotfish.node.container_run import ContainerRun, signal_number
from pilotfish.node.hooks import HookFailed, run_hook
from pilotfish.node.runc import Runc

log = logging.getLogger(__name__)

# However long the preStop hook took, the container gets this much after the signal.
_MIN_AFTER_HOOK_S = 2.0


class Deadline:
    """A point in time that may be moved forward while somebody waits for it."""

    def __init__(self, grace_s: float) -> None:
        self._changed = asyncio.Event()
        self.due = asyncio.get_running_loop().time() + grace_s

    @property
    def left_s(self) -> float:
        return max(self.due - asyncio.get_running_loop().time(), 0.0)

    def shorten(self, grace_s: float) -> None:
        """From now on at most that long."""
        due = asyncio.get_running_loop().time() + grace_s
        if due < self.due:
            self.due = due
            self._changed.set()

    def extend_to(self, at_least_s: float) -> None:
        self.due = max(self.due, asyncio.get_running_loop().time() + at_least_s)

    async def wait_for(self, task: asyncio.Future[None]) -> bool:
        """Wait for the task until the deadline; whether it is done."""
        while not task.done() and self.left_s > 0:
            self._changed.clear()
            changed = asyncio.ensure_future(self._changed.wait())
            either: set[asyncio.Future[Any]] = {task, changed}
            try:
                await asyncio.wait(
                    either,
                    timeout=self.left_s,
                    return_when=asyncio.FIRST_COMPLETED,
                )
            finally:
                changed.cancel()
        return task.done()


async def stop_container(
    runc: Runc, run: ContainerRun, pod_ip: str, deadline: Deadline
) -> HookFailed | None:
    """Return when the container has ended; a failed preStop hook is returned, not raised."""
    failure: HookFailed | None = None
    lifecycle = run.container.get("lifecycle") or {}
    if (handler := lifecycle.get("preStop")) and deadline.left_s > 0:
        hook = asyncio.ensure_future(run_hook(runc, run, run.container, handler, pod_ip))
        try:
            if not await deadline.wait_for(hook):
                failure = HookFailed("the preStop hook was still running when time was up")
            elif not hook.cancelled() and (error := hook.exception()) is not None:
                failure = error if isinstance(error, HookFailed) else HookFailed(str(error))
        finally:
            hook.cancel()
        deadline.extend_to(_MIN_AFTER_HOOK_S)
    name = lifecycle.get("stopSignal")
    ended = asyncio.ensure_future(run.wait_ended())
    try:
        run.send_signal(signal_number(name) if name else run.stop_signal)
        if not await deadline.wait_for(ended):
            log.info("container %s did not end in time: SIGKILL", run.container["name"])
            run.send_signal(signal.SIGKILL)
        await ended
    finally:
        ended.cancel()
    return failure
