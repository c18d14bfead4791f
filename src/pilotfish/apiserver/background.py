"""Background work: loops beside the requests, which an object that breaks one must not end.

A loop that fails begins again, and its traceback is logged. A server that ended would be started
over the same store, and fail again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

log = logging.getLogger(__name__)

_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 60.0


async def keep_running(name: str, loop: Callable[[], Awaitable[None]]) -> None:
    """Run a loop, again when it fails, with pauses that grow; until cancelled.

    Args:
        loop: runs until cancelled, and can be begun again.
    """
    pause_s = _FIRST_PAUSE_S
    while True:
        try:
            await loop()
        except Exception:
            log.exception("%s failed; it begins again in %.0f s", name, pause_s)
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
