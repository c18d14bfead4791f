"""Garbage collection in a process that holds much and is waited for: by growth, not by count.

CPython's full collection stops the process while it walks all of its containers, and it comes
whenever their number has grown by a quarter: with 15,000 objects in the API server that is a pause
of 50 to 150 ms every few seconds of writing, which everybody who waits for an event sits out. And
it finds nothing: requests, watches and connections leave no cycles behind that outlive the
collections of the young, which take a millisecond. So a full one comes when memory has doubled
since the last, and the process is idle: seldom, and before cycles that did get old can pile up.

What is freed goes back to the C library, which keeps it: memory between two blocks that live stays
this process' own. So the library is asked to give it back (malloc_trim(3)) when the process is
idle, once a minute at most; in a thread, since it takes milliseconds for each hundred megabytes.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
import os
import time
from pathlib import Path
from typing import Final

logger = logging.getLogger(__name__)

_YOUNG: Final = 700
_MIDDLE: Final = 10
# Of collections of the middle generation: none happens by itself.
_NEVER: Final = 1_000_000_000
_PERIOD_S: Final = 2.0
# Less of a processor than this, and nobody waits.
_IDLE_SHARE: Final = 0.1
# A process that is never idle is stopped when it holds this many times as much as that.
_PATIENCE: Final = 2
_TRIM_PERIOD_S: Final = 60.0
# Below this, memory grows because the process begins to work, not because of garbage.
_LEAST_BYTES: Final = 150_000_000


async def collect_by_growth(
    period_s: float = _PERIOD_S,
    least_bytes: int = _LEAST_BYTES,
    trim_period_s: float = _TRIM_PERIOD_S,
) -> None:
    """Make full collections seldom in this process, until cancelled.

    Args:
        period_s: how often memory is looked at.
        least_bytes: resident memory under which nothing is collected, or given back.
        trim_period_s: how seldom freed memory is given back.
    """
    before = gc.get_threshold()
    gc.set_threshold(_YOUNG, _MIDDLE, _NEVER)
    limit = max(least_bytes, 2 * resident_bytes())
    trimmed_at = time.monotonic()
    try:
        while True:
            used_s, since = cpu_s(), time.monotonic()
            await asyncio.sleep(period_s)
            resident = resident_bytes()
            is_idle = (cpu_s() - used_s) / (time.monotonic() - since) <= _IDLE_SHARE
            if is_idle and resident > least_bytes and time.monotonic() - trimmed_at > trim_period_s:
                trimmed_at = time.monotonic()
                await asyncio.to_thread(give_back)
            if resident < limit or (not is_idle and resident < _PATIENCE * limit):
                continue
            began = time.monotonic()
            found = gc.collect()
            after = resident_bytes()
            limit = 2 * after
            logger.info(
                "memory has doubled: %d unreachable objects collected in %.0f ms, %d MB are left",
                found,
                (time.monotonic() - began) * 1000,
                after // 1_000_000,
            )
    finally:
        gc.set_threshold(*before)


def give_back() -> None:
    """Return what the C library holds and nobody uses to the machine, where it can (glibc)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def cpu_s() -> float:
    """Processor time that this process has used so far, in seconds."""
    return time.process_time()


def resident_bytes() -> int:
    """Memory that this process has mapped and present."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
