"""A flood of one kind of line leaves room for the others, and is counted."""

from __future__ import annotations

import logging

from pilotfish.client.log_limits import BURST, LineLimits


def record(line: int, number: int = 0) -> logging.LogRecord:
    return logging.LogRecord("a", logging.WARNING, "f.py", line, "request %d", (number,), None)


def test_a_flood_is_cut_and_the_next_line_says_by_how_much() -> None:
    now = 0.0
    limits = LineLimits(lambda: now)
    written = [limits.filter(record(1, number)) for number in range(1000)]
    assert written.count(True) == BURST
    assert limits.filter(record(2)), "another kind is not concerned"
    now = 1.0
    late = record(1, 1000)
    assert limits.filter(late)
    assert late.getMessage() == "request 1000 (900 lines like it were left out)"
    assert not limits.filter(record(1))


def test_the_count_is_told_also_when_no_such_line_follows() -> None:
    now = 0.0
    limits = LineLimits(lambda: now)
    for number in range(BURST + 3):
        limits.filter(record(1, number))
    assert limits.tell() == []
    now = 10.0
    [told] = limits.tell()
    assert limits.filter(told)
    assert "(3 lines like it were left out)" in told.getMessage()
    assert limits.tell() == []
