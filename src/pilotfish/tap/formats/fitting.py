"""Text that fits: how many cells of a terminal it takes, and how it is cut.

Unicode UAX #11 (wide characters take two cells). Names are cut in their middle, since Pods differ
at their ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from unicodedata import combining, east_asian_width

_CUT = "…"


def cells(text: str) -> int:
    """How many cells of a terminal a text takes; without control characters."""
    if text.isascii():
        return len(text)
    return sum(_cells_of(character) for character in text)


def cut(text: str, room: int) -> str:
    """A text of at most so many cells, and at least one: its middle is left out."""
    if cells(text) <= room:
        return text
    left = max(room - 1, 0)
    begin, end = _prefix(text, (left + 1) // 2), _prefix(text[::-1], left // 2)[::-1]
    return f"{begin}{_CUT}{end}"


def cut_all(texts: Sequence[str], room: int) -> list[str]:
    """Texts of at most so many cells together: the longest are cut first."""
    widths = [cells(text) for text in texts]
    share, left, waiting = 0, room, sorted(widths)
    while waiting:
        share = max(left // len(waiting), 1)
        if waiting[0] > share:
            break
        left -= waiting.pop(0)
    return [
        cut(text, share) if waiting and width > share else text
        for text, width in zip(texts, widths, strict=True)
    ]


def _prefix(text: str, room: int) -> str:
    taken = 0
    for at, character in enumerate(text):
        taken += _cells_of(character)
        if taken > room:
            return text[:at]
    return text


def _cells_of(character: str) -> int:
    if combining(character):
        return 0
    return 2 if east_asian_width(character) in ("W", "F") else 1
