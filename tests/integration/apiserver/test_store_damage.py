"""A database that lost acknowledged writes says so, and keeps what was found."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pilotfish.apiserver.store import high_water, loss
from pilotfish.apiserver.store.journal import Journal, Record


async def write(path: Path, first: int, last: int) -> None:
    """Write the revisions one by one, each acknowledged before the next."""
    journal = Journal(path)
    acknowledged = asyncio.Event()
    journal.start(asyncio.get_running_loop(), lambda _batch, _error: acknowledged.set())
    for revision in range(first, last + 1):
        acknowledged.clear()
        journal.write(Record("pods", f"default/p{revision}", revision, b"{}" * 500))
        await acknowledged.wait()
    await journal.stop()


@pytest.fixture
async def killed(tmp_path: Path) -> Path:
    """A database as kill -9 leaves it: all but a few writes are in the write-ahead log."""
    source = tmp_path / "running" / "store.db"
    Journal(source)
    source.parent.mkdir()
    Journal(source).load()
    await write(source, 2, 5)
    held = Journal(source)._connect()  # Its last connection would empty the log.
    held.execute("SELECT * FROM objects").fetchall()
    await write(source, 6, 20)
    path = tmp_path / "found" / "store.db"
    path.parent.mkdir()
    for suffix in ("", "-wal", "-mark"):
        shutil.copy(f"{source}{suffix}", f"{path}{suffix}")
    held.close()
    return path


def damage_tail(path: Path) -> None:
    wal = Path(f"{path}-wal")
    with wal.open("r+b") as file:
        file.seek(wal.stat().st_size - 3000)
        file.write(b"\xff" * 8)


def empty(path: Path) -> None:
    os.truncate(path, 0)
    Path(f"{path}-wal").unlink()


def scramble(path: Path) -> None:
    path.write_bytes(b"not a database at all" * 1000)


def test_a_whole_log_is_read_without_a_word(killed: Path) -> None:
    revision, records = Journal(killed).load()
    assert (revision, len(records)) == (20, 19)
    assert not loss.notice_file(killed).exists()


@pytest.mark.parametrize("harm", [damage_tail, empty, scramble])
def test_lost_writes_are_announced_and_what_was_found_is_kept(
    killed: Path, harm: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    harm(killed)
    found = {
        suffix: Path(f"{killed}{suffix}").read_bytes()
        for suffix in ("", "-wal")
        if Path(f"{killed}{suffix}").exists()
    }
    with caplog.at_level(logging.ERROR):
        revision, records = Journal(killed).load()
    assert len(records) < 19
    assert revision == 20, "no revision is given out twice"
    [kept] = killed.parent.glob("store.db.found-*Z")
    assert {suffix: Path(f"{kept}{suffix}").read_bytes() for suffix in found} == found
    assert str(kept) in caplog.text
    assert str(kept) in loss.notice_file(killed).read_text()


async def test_what_was_announced_once_is_not_announced_again(killed: Path) -> None:
    damage_tail(killed)
    revision, _ = Journal(killed).load()
    await write(killed, revision + 1, revision + 1)
    assert Journal(killed).load()[0] == revision + 1
    assert len(loss.notice_file(killed).read_text().splitlines()) == 1


def test_a_note_written_in_part_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "mark"
    mark = high_water.HighWaterMark(path)
    mark.write(77)
    mark.close()
    assert high_water.read(path) == 77
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    assert high_water.read(path) == 0
