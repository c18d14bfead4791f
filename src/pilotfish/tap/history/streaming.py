"""Takes what blocks out of the event loop: a generator runs in a thread, turn by turn."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Generator
from typing import TypeVar

Item = TypeVar("Item")

# How long a thread works before it looks whether anybody still waits, and how much it brings.
_TURN_S = 0.05
_MAX_ITEMS = 500


async def portions(
    generator: Generator[Item, None, None], wanted: Callable[[Item], bool] | None = None
) -> AsyncGenerator[list[Item], None]:
    """What a generator gives, some at a time.

    A search that nobody waits for any more ends soon, where `wanted` does the choosing rather
    than the generator.

    Args:
        generator: is closed in the end.
        wanted: which items; None for all. Portions may be empty.
    """

    def work() -> tuple[list[Item], bool]:
        found: list[Item] = []
        until_s = time.monotonic() + _TURN_S
        for item in generator:
            if wanted is None or wanted(item):
                found.append(item)
            if len(found) >= _MAX_ITEMS or time.monotonic() > until_s:
                return found, True
        return found, False

    more = True
    turn: asyncio.Future[tuple[list[Item], bool]] | None = None
    try:
        while more:
            # A thread cannot be cancelled, and the generator is not ours before its turn is over:
            # hence no task, which the end of the loop would cancel.
            turn = asyncio.get_running_loop().run_in_executor(None, work)
            found, more = await asyncio.shield(turn)
            yield found
    finally:
        if turn is None or turn.done():
            generator.close()
        else:
            turn.add_done_callback(lambda _: generator.close())
