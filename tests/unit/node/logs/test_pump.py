"""From a container's pipes to its log."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from pilotfish.node.logs.file import LogFile
from pilotfish.node.logs.pump import LogPump
from pilotfish.node.logs.reader import LogOptions, read_log


async def content(path: Path) -> str:
    return b"".join([chunk async for chunk in read_log(path, LogOptions(), None)]).decode()


def make_pipe(path: Path) -> int:
    """As a container holds it: for reading and writing, so that it never blocks or breaks."""
    os.mkfifo(path)
    return os.open(path, os.O_RDWR)


async def test_output_of_both_streams_arrives_and_the_end_is_noticed(tmp_path: Path) -> None:
    pump = LogPump(LogFile(tmp_path / "0.log"))
    ends = [make_pipe(tmp_path / name) for name in ("stdout", "stderr")]
    for name in ("stdout", "stderr"):
        pump.read_fifo(name, tmp_path / name)
    os.write(ends[0], b"out\n")
    os.write(ends[1], b"err\n")
    for end in ends:
        os.close(end)
    await pump.drain(timeout_s=10)
    assert sorted((await content(tmp_path / "0.log")).split()) == ["err", "out"]


async def test_output_written_while_no_kubelet_ran_is_read_by_the_next(tmp_path: Path) -> None:
    end = make_pipe(tmp_path / "stdout")
    first = LogPump(LogFile(tmp_path / "0.log"))
    first.read_fifo("stdout", tmp_path / "stdout")
    first.pause()
    os.write(end, b"meanwhile\n")
    second = LogPump(LogFile(tmp_path / "0.log"))
    second.read_fifo("stdout", tmp_path / "stdout")
    os.close(end)
    await second.drain(timeout_s=10)
    assert await content(tmp_path / "0.log") == "meanwhile\n"


async def test_a_pipe_whose_writers_were_gone_before_does_not_delay_the_end(
    tmp_path: Path,
) -> None:
    os.mkfifo(tmp_path / "stdout")
    pump = LogPump(LogFile(tmp_path / "0.log"))
    pump.read_fifo("stdout", tmp_path / "stdout")
    await pump.drain(timeout_s=10_000)
    assert pump.log_file.ended


async def test_a_listener_hears_what_comes_from_now_on(tmp_path: Path) -> None:
    end = make_pipe(tmp_path / "stdout")
    pump = LogPump(LogFile(tmp_path / "0.log"))
    pump.read_fifo("stdout", tmp_path / "stdout")

    async def listen() -> list[tuple[str, bytes]]:
        return [heard async for heard in pump.listen()]

    listening = asyncio.create_task(listen())
    await asyncio.sleep(0)
    os.write(end, b"hello")
    os.close(end)
    assert await listening == [("stdout", b"hello")]
