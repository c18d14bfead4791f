"""The start-up timeline: which process did what at which moment.

Every process of a cluster appends lines to one file in the run folder; a line shorter than a page
is appended whole (O_APPEND, write(2)), so no lock is needed. Times are CLOCK_MONOTONIC, which all
processes of a machine share.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Mark:
    """A moment: seconds on the machine's monotonic clock, the process, what it had done."""

    at_s: float
    process: str
    what: str


class Timeline:
    """Appends the marks of one process."""

    def __init__(self, path: Path, process: str) -> None:
        self._path = path
        self._process = process

    def mark(self, what: str, at_s: float | None = None) -> None:
        """Note that `what` is done, now or at `at_s`."""
        moment = time.monotonic() if at_s is None else at_s
        line = f"{moment:.6f}\t{self._process}\t{what}\n".encode()
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)


def read(path: Path) -> list[Mark]:
    """All marks in the order of time; an absent file has none."""
    try:
        text = path.read_text()
    except FileNotFoundError:
        return []
    marks = []
    for line in text.splitlines():
        at, process, what = line.split("\t", 2)
        marks.append(Mark(float(at), process, what))
    return sorted(marks, key=lambda mark: mark.at_s)


def render(marks: list[Mark]) -> str:
    """The timeline as lines of text: milliseconds since the first mark, process, what."""
    if not marks:
        return "no timeline was written"
    start = marks[0].at_s
    width = max(len(mark.process) for mark in marks)
    return "\n".join(
        f"{(mark.at_s - start) * 1000:7.0f} ms  {mark.process:<{width}}  {mark.what}"
        for mark in marks
    )
