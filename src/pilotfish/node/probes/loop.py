"""One probe of one running container, again and again.

The loop keeps a fixed beat (initialDelaySeconds after the container's start, then every
periodSeconds) and reports a new verdict in the moment it is known: nothing is queued between
the answer of the Pod and the status PATCH. Only the second probe comes early, by up to half a
period: Pods that were started together would otherwise be probed together for ever, and their
verdicts would wait for one another.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from pilotfish.node.probes.state import Result, Timing, Verdict


async def run_probe(
    timing: Timing,
    started_s: float,
    probe: Callable[[], Awaitable[Result]],
    on_failure: Callable[[Result], None],
    on_verdict: Callable[[bool, Result], bool],
) -> None:
    """Probe until `on_verdict` returns False (it has seen enough), or cancelled.

    `started_s`: when the container started, in seconds since the epoch.
    """
    verdict = Verdict(timing)
    delay_s = started_s + timing.initial_delay_s - time.time()
    loop = asyncio.get_running_loop()
    due = loop.time() + max(delay_s, 0.0)
    step_s = timing.period_s * random.uniform(0.5, 1.0)
    while True:
        await asyncio.sleep(max(due - loop.time(), 0.0))
        result = await probe()
        if not result.success:
            on_failure(result)
        if (
            not result.errored
            and verdict.feed(result.success)
            and not on_verdict(result.success, result)
        ):
            return
        # A probe that took longer than the period does not make the next ones pile up.
        due = max(due + step_s, loop.time())
        step_s = timing.period_s
