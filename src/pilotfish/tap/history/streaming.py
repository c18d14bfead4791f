"""Takes what blocks out of the event loop: an iterator runs in a thread, portion by portion."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")


async def portions(
    generator: Generator[Item, None, None], size: int = 256
) -> AsyncIterator[list[Item]]:
    """What a generator gives, up to `size` at a time; none are empty.

    It is closed when the iterator is: entries that nobody takes are not looked for.
    """
    try:
        while portion := await asyncio.to_thread(lambda: list(islice(generator, size))):
            yield portion
    finally:
        generator.close()
