"""At most so many lines of a kind: a stranger's requests cannot push all else out of a log.

A kind is one place in the code. Each may write a burst, and from then on one line a second. What is
left out is counted, and told with the kind's next line or when `tell` is called.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

BURST: Final = 100
LINES_PER_S: Final = 1.0


@dataclass
class _Kind:
    lines: float
    at_s: float
    left_out: int = 0
    example: logging.LogRecord | None = None


class LineLimits(logging.Filter):
    """A filter for a handler."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._kinds: dict[tuple[str, int, int], _Kind] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written."""
        now = self._clock()
        place = (record.pathname, record.lineno, record.levelno)
        kind = self._kinds.setdefault(place, _Kind(float(BURST), now))
        kind.lines = min(float(BURST), kind.lines + (now - kind.at_s) * LINES_PER_S)
        kind.at_s = now
        if kind.lines < 1:
            kind.left_out += 1
            kind.example = record
            return False
        kind.lines -= 1
        if kind.left_out:
            record.msg = f"{record.getMessage()} ({kind.left_out} lines like it were left out)"
            record.args = ()
            kind.left_out, kind.example = 0, None
        return True

    def tell(self) -> list[logging.LogRecord]:
        """A line for each kind of which some were left out and may be written again."""
        due = []
        for kind in self._kinds.values():
            may_write = kind.lines + (self._clock() - kind.at_s) * LINES_PER_S >= 1
            if kind.example is not None and may_write:
                due.append(kind.example)
        return due
