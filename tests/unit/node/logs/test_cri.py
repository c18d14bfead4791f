"""CRI's log format."""

from __future__ import annotations

from pilotfish.node.logs.cri import (
    MAX_LINE_BYTES,
    Entry,
    LineSplitter,
    format_entry,
    parse_entry,
    timestamp,
)


def test_an_entry_reads_back_as_it_was_written() -> None:
    moment = timestamp(1_767_225_600_000_000_042)
    assert moment == "2026-01-01T00:00:00.000000042Z"
    line = format_entry(moment, "stderr", True, b"a b  c")
    assert line == b"2026-01-01T00:00:00.000000042Z stderr F a b  c\n"
    assert parse_entry(line) == Entry(moment, "stderr", True, b"a b  c")


def test_an_empty_line_is_an_entry_and_garbage_is_none() -> None:
    assert parse_entry(b"t stdout F \n") == Entry("t", "stdout", True, b"")
    assert parse_entry(b"no entry at all\n") is None


def test_lines_are_cut_where_they_end_however_they_arrive() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b"one\ntw") == [(b"one", True)]
    assert splitter.feed(b"o\n\n") == [(b"two", True), (b"", True)]
    assert splitter.flush() == []


def test_what_has_no_newline_in_the_end_is_a_part() -> None:
    splitter = LineSplitter()
    splitter.feed(b"prompt> ")
    assert splitter.flush() == [(b"prompt> ", False)]


def test_a_long_line_leaves_in_parts() -> None:
    splitter = LineSplitter()
    long = b"x" * (2 * MAX_LINE_BYTES + 5)
    parts = splitter.feed(long) + splitter.feed(b"\n")
    assert [(len(part), full) for part, full in parts] == [
        (MAX_LINE_BYTES, False),
        (MAX_LINE_BYTES, False),
        (5, True),
    ]
