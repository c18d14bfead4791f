"""The beat of an event loop, by which others see that it turns; see `liveness`."""

from __future__ import annotations

import asyncio
import faulthandler
import mmap
import os
from pathlib import Path
from typing import Final

from pilotfish.client.liveness import NUMBER, STACKS_SIGNAL

PERIOD_S: Final = 1.0


async def beat(path: Path, period_s: float = PERIOD_S) -> None:
    """Count up in the file at `path` as long as this loop turns, until cancelled."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(bytes(NUMBER.size))
    temporary.replace(path)
    with path.open("r+b") as file, mmap.mmap(file.fileno(), NUMBER.size) as shared:
        number = 0
        while True:
            number += 1
            NUMBER.pack_into(shared, 0, os.getpid(), number)
            await asyncio.sleep(period_s)


def stacks_on_signal() -> None:
    """Let STACKS_SIGNAL write the stacks of all threads to standard error, whatever they do."""
    faulthandler.register(STACKS_SIGNAL, all_threads=True)
