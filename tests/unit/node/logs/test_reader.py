"""Logs as `kubectl logs` asks for them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from pilotfish.node.logs.cri import format_entry
from pilotfish.node.logs.file import MAX_FILES, LogFile, files_of
from pilotfish.node.logs.reader import LogOptions, read_log


def write(log: LogFile, *lines: str, second: int = 0, stream: str = "stdout") -> None:
    moment = f"2026-01-01T00:00:{second:02d}.000000000Z"
    for line in lines:
        log.append(format_entry(moment, stream, True, line.encode()))


async def read(log: LogFile, options: LogOptions) -> str:
    return b"".join([chunk async for chunk in read_log(log.path, options, log)]).decode()


async def test_everything_is_read_without_options(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "0.log")
    write(log, "a", "b")
    assert await read(log, LogOptions()) == "a\nb\n"


async def test_tail_counts_lines_across_rotated_files(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "0.log", max_bytes=100)
    write(log, *(f"line {number}" for number in range(8)))
    assert len(files_of(log.path)) > 1
    assert await read(log, LogOptions(tail_lines=3)) == "line 5\nline 6\nline 7\n"
    assert await read(log, LogOptions(tail_lines=0)) == ""
    assert (await read(log, LogOptions(tail_lines=99))).count("\n") == 8


async def test_a_log_is_bounded(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "0.log", max_bytes=200)
    write(log, *(f"line {number}" for number in range(200)))
    files = files_of(log.path)
    assert len(files) == MAX_FILES
    assert all(file.stat().st_size <= 200 for file in files)
    assert (await read(log, LogOptions())).endswith("line 198\nline 199\n")


async def test_since_timestamps_and_streams_choose(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "0.log")
    write(log, "old", second=1)
    write(log, "new", second=5)
    write(log, "bad", second=6, stream="stderr")
    since = datetime(2026, 1, 1, 0, 0, 4, tzinfo=UTC)
    assert await read(log, LogOptions(since=since)) == "new\nbad\n"
    assert await read(log, LogOptions(stream="Stderr")) == "bad\n"
    text = await read(log, LogOptions(timestamps=True, tail_lines=1))
    assert text == "2026-01-01T00:00:06.000000000Z bad\n"


async def test_limit_bytes_cuts_in_the_middle_of_a_line(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "0.log")
    write(log, "abcdef", "ghi")
    assert await read(log, LogOptions(limit_bytes=9)) == "abcdef\ngh"


async def test_parts_of_a_line_are_joined(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "0.log")
    log.append(format_entry("2026-01-01T00:00:00.0Z", "stdout", False, b"one "))
    log.append(format_entry("2026-01-01T00:00:00.0Z", "stdout", True, b"line"))
    assert await read(log, LogOptions()) == "one line\n"


async def test_following_goes_on_through_a_rotation_until_the_end(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "0.log", max_bytes=120)
    write(log, "first")
    following = asyncio.create_task(read(log, LogOptions(follow=True)))
    for number in range(6):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        write(log, f"line {number}")
    log.close()
    assert await following == "first\n" + "".join(f"line {number}\n" for number in range(6))


async def test_following_an_ended_log_ends(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "0.log")
    write(log, "x")
    log.close()
    assert await read(log, LogOptions(follow=True)) == "x\n"
