"""Whole numbers in text that strangers write.

`int` takes digits of every script, and raises for thousands of them; `isdigit` lets `²` pass.
"""

from __future__ import annotations

import re
from typing import Final

_INTEGER: Final = re.compile("[+-]?[0-9]+")
_LARGEST: Final = 2**63 - 1
# Digits and sign of any number of 64 bits, and some zeros.
_LONGEST: Final = 40


def whole_number(text: str) -> int | None:
    """The number of 64 bits that decimal digits stand for, with or without a sign; else None."""
    if len(text) > _LONGEST or not _INTEGER.fullmatch(text):
        return None
    value = int(text)
    return value if -_LARGEST - 1 <= value <= _LARGEST else None
