"""Processes by pidfd, and the notes of a supervisor about orphans."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from pilotfish.node.processes import (
    Process,
    exit_code,
    read_exit_file,
    run_program,
    start_ticks,
    wait_for_exit_file,
)
from pilotfish.node.termination_message import read_termination_message


async def test_a_programs_exit_code_is_its_own_or_its_signals() -> None:
    assert await run_program(["sh", "-c", "exit 7"]) == 7
    assert await run_program(["sh", "-c", "kill -TERM $$"]) == 128 + signal.SIGTERM


async def test_a_process_is_waited_for_by_several_and_signalled_without_harm() -> None:
    started = subprocess.Popen(["sleep", "60"])  # noqa: ASYNC220
    process = Process(started.pid)
    process.send_signal(signal.SIGKILL)
    assert [await process.wait(), await process.wait()] == [137, 137]
    assert process.ended
    process.send_signal(signal.SIGKILL)
    started.returncode = 0


def test_a_pid_and_its_start_time_name_one_process() -> None:
    assert start_ticks(os.getpid()) == start_ticks(os.getpid())
    with pytest.raises(ProcessLookupError):
        start_ticks(2**22 + 1)


async def test_the_supervisors_note_is_used_once(tmp_path: Path) -> None:
    (tmp_path / "42").write_text(str(3 << 8))
    assert await wait_for_exit_file(tmp_path, 42) == 3
    assert read_exit_file(tmp_path, 42) is None


def test_wait_statuses_become_exit_codes() -> None:
    assert [exit_code(status) for status in (0, 1 << 8, 9)] == [0, 1, 137]


def test_last_words_come_from_the_file_or_where_asked_from_the_log(tmp_path: Path) -> None:
    words, log = tmp_path / "words", tmp_path / "0.log"
    log.write_bytes(b"t stdout F one\nt stderr F two\n")
    fallback = {"terminationMessagePolicy": "FallbackToLogsOnError"}
    assert read_termination_message(words, log, {}, 1) == ""
    assert read_termination_message(words, log, fallback, 1) == "one\ntwo\n"
    assert read_termination_message(words, log, fallback, 0) == ""
    words.write_text("because")
    assert read_termination_message(words, log, fallback, 1) == "because"
