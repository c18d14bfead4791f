"""A log that two processes write, and that rotates meanwhile."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pilotfish.client.log_file import rotated
from pilotfish.cluster.log_reader import LogReader

WRITER = """
import logging, sys
from pathlib import Path
from pilotfish.client.log_file import LogFile
handler = LogFile(Path(sys.argv[1]), max_bytes=20_000)
logging.basicConfig(level=logging.INFO, handlers=[handler], format="%(message)s")
for number in range(int(sys.argv[3])):
    logging.info("%s %05d %s", sys.argv[2], number, "x" * 40)
"""


def start(path: Path, name: str, lines: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WRITER, str(path), name, str(lines)])


def test_it_is_bounded_and_keeps_the_newest_lines(tmp_path: Path) -> None:
    path = tmp_path / "log"
    assert start(path, "a", 5000).wait() == 0
    files = [*rotated(path), path]
    assert {file.name for file in tmp_path.iterdir()} == {file.name for file in files}
    assert all(file.stat().st_size <= 21_000 for file in files)
    numbers = [int(line.split()[1]) for line in LogReader(path).new_lines()]
    assert numbers == list(range(numbers[0], 5000)), "nothing is missing between"


def test_a_reader_that_follows_misses_no_line_of_either_process(tmp_path: Path) -> None:
    path = tmp_path / "log"
    reader = LogReader(path)
    lines: list[bytes] = []
    # Few enough for a reader that is slower than both writers: what rotates out is gone.
    writers = [start(path, name, 350) for name in "ab"]
    while any(writer.poll() is None for writer in writers):
        lines += reader.new_lines()
    lines += reader.new_lines()
    lines += reader.new_lines()
    assert rotated(path)[-1].exists()
    for name in ("a", "b"):
        numbers = [int(line.split()[1]) for line in lines if line.startswith(name.encode())]
        assert numbers == list(range(350))


def test_a_file_that_somebody_deleted_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "log"
    reader = LogReader(path)
    assert start(path, "a", 1).wait() == 0
    assert len(reader.new_lines()) == 1
    path.unlink()
    assert start(path, "b", 1).wait() == 0
    assert [line[:1] for line in reader.new_lines() + reader.new_lines()] == [b"b"]
