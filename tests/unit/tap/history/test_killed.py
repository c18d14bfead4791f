"""A writer that is killed at any moment loses no more than what it had not written."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from pilotfish.tap.history.reader import Reader

WRITE = """
import sys, time
from pathlib import Path
from pilotfish.tap.history.writer import Writer

writer = Writer(Path(sys.argv[1]), 1 << 30, 3600)
assert writer.writing
begun = int(sys.argv[2])
for number in range(begun, begun + 1_000_000, 50):
    writer.append([(each, b"%09d" % each * 100) for each in range(number, number + 50)])
    print(number + 50, flush=True)
"""


def killed_after(folder: Path, begun: int, bytes_: int) -> int:
    """Let a process write from a number on, and kill it; how far it said to have come."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITE, folder, str(begun)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        said = process.stdout.read(bytes_)
        time.sleep(random.uniform(0, 0.003))
        process.send_signal(signal.SIGKILL)
        said += process.stdout.read()
    return int(said.split(b"\n")[-2])


def test_nothing_that_was_written_is_lost_or_damaged_by_kill_9(tmp_path: Path) -> None:
    said: list[str] = []
    confirmed = 0
    for _ in range(5):
        begun = confirmed
        confirmed = killed_after(tmp_path, begun, random.randrange(100, 2000))
        found = list(Reader(tmp_path, said.append).records(begun, None))
        numbers = [number for number, _ in found]
        # One more batch may have been written, but not told of.
        assert numbers[: confirmed - begun] == list(range(begun, confirmed))
        assert len(numbers) - (confirmed - begun) in (0, 50)
        assert all(data == b"%09d" % number * 100 for number, data in found)
        confirmed = numbers[-1] + 1
    assert not said


def test_another_process_reads_while_one_writes(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITE, tmp_path, "0"], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        reader = Reader(tmp_path)
        for _ in range(20):
            told = int(process.stdout.readline())
            numbers = [number for number, _ in reader.records(told - 50, None)]
            assert numbers[:50] == list(range(told - 50, told))
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        process.kill()
