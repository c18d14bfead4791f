"""Records that are written to a folder can be read by anybody, in order, and within bounds."""

from __future__ import annotations

import errno
import os
import random
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilotfish.tap.history import chunks, writer
from pilotfish.tap.history.chunks import Record
from pilotfish.tap.history.errors import HistoryError
from pilotfish.tap.history.reader import Reader
from pilotfish.tap.history.segments import segments
from pilotfish.tap.history.writer import Writer

NO_FIXTURE_PER_EXAMPLE = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
S = 1_000_000


def write(folder: Path, *batches: list[Record], max_bytes: int = 1 << 20) -> None:
    made = Writer(folder, max_bytes, 3600)
    for batch in batches:
        made.append(batch)
    made.close()


def read(
    folder: Path, since: int | None = None, until: int | None = None, newest_first: bool = False
) -> list[Record]:
    return list(Reader(folder).records(since, until, newest_first))


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != "lock")


def noise(size: int, seed: int = 0) -> bytes:
    """Bytes that cannot be compressed."""
    return random.Random(seed).randbytes(size)


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 20 * S), st.binary(max_size=20)), max_size=30),
        max_size=8,
    ),
    st.integers(0, 20 * S) | st.none(),
    st.integers(0, 20 * S) | st.none(),
    st.booleans(),
)
@NO_FIXTURE_PER_EXAMPLE
def test_what_was_written_in_any_order_is_read_in_order_of_time(
    tmp_path: Path,
    batches: list[list[Record]],
    since: int | None,
    until: int | None,
    newest_first: bool,
) -> None:
    folder = tmp_path / str(time.monotonic_ns())
    for batch in batches:  # each by a writer of its own, so that segments overlap too
        write(folder, batch)
    found = read(folder, since, until, newest_first)
    times = [time_us for time_us, _ in found]
    assert times == sorted(times, reverse=newest_first)
    assert sorted(found) == sorted(
        record
        for batch in batches
        for record in batch
        if (since is None or record[0] >= since) and (until is None or record[0] <= until)
    )


@given(
    st.lists(st.lists(st.integers(0, 3000), min_size=1, max_size=20), max_size=40),
    st.integers(4_000, 60_000),
)
@NO_FIXTURE_PER_EXAMPLE
def test_the_folder_never_exceeds_its_bound_and_keeps_the_newest(
    tmp_path: Path, batches: list[list[int]], max_bytes: int
) -> None:
    folder = tmp_path / str(time.monotonic_ns())
    made = Writer(folder, max_bytes, 3600)
    written: list[Record] = []
    for number, sizes in enumerate(batches):
        records = [(number * 10 * S, noise(size, number)) for size in sizes]
        if made.append(records):
            written += records
        there = sum(segment.size for segment in segments(folder))
        assert there <= max_bytes
    found = read(folder)
    assert found == written[len(written) - len(found) :]
    made.close()


def test_most_of_what_is_allowed_is_used(tmp_path: Path) -> None:
    write(tmp_path, *([(i * S, noise(1000, i))] for i in range(200)), max_bytes=64_000)
    assert sum(segment.size for segment in segments(tmp_path)) > 64_000 * 0.85


def test_a_record_larger_than_everything_is_not_written(tmp_path: Path) -> None:
    made = Writer(tmp_path, 10_000, 3600)
    assert made.append([(1, b"small")]) == 1
    assert made.append([(2, noise(20_000))]) == 0
    assert read(tmp_path) == [(1, b"small")]
    made.close()


def test_what_is_too_old_is_deleted(tmp_path: Path) -> None:
    write(tmp_path, [(1, b"old")])
    write(tmp_path, [(2, b"new")])
    old = segments(tmp_path)[0].path
    os.utime(old, (0, time.time() - 4000))
    made = Writer(tmp_path, 1 << 20, 3600)
    made.prune()
    assert read(tmp_path) == [(2, b"new")]
    made.close()


def test_a_segment_does_not_grow_for_longer_than_a_part_of_the_age(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Writer(tmp_path, 1 << 20, 9600)
    made.append([(1, b"a")])
    made.append([(2, b"b")])
    begun = time.time()
    monkeypatch.setattr(writer.time, "time", lambda: begun + 101)
    made.append([(3, b"c")])
    assert len(segments(tmp_path)) == 2
    made.close()


def test_a_clock_that_was_set_back_does_not_confuse_the_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, [(1, b"a")])
    before = segments(tmp_path)[0].path
    monkeypatch.setattr(writer.time, "time", lambda: 1000.0)
    write(tmp_path, [(2, b"b")])
    assert segments(tmp_path)[0].path == before


def test_files_are_their_owners_only(tmp_path: Path) -> None:
    write(tmp_path / "state" / "entries", [(1, b"a")])
    for folder in (tmp_path / "state", tmp_path / "state" / "entries"):
        assert folder.stat().st_mode & 0o777 == 0o700
    for path in (tmp_path / "state" / "entries").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600


def test_one_writes_at_a_time_and_the_next_takes_over(tmp_path: Path) -> None:
    first, second = (Writer(tmp_path, 1 << 20, 3600) for _ in range(2))
    assert (first.writing, second.writing) == (True, False)
    assert not second.try_to_lock()
    first.close()
    assert second.try_to_lock()
    second.close()


def test_a_folder_that_is_deleted_meanwhile_is_made_again(tmp_path: Path) -> None:
    folder = tmp_path / "entries"
    made = Writer(folder, 1 << 20, 3600)
    made.append([(1, b"a")])
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    made.append([(2, b"b")])
    assert read(folder) == [(2, b"b")]
    made.close()


def test_after_a_full_disk_what_was_written_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Writer(tmp_path, 1 << 20, 3600)
    made.append([(1, b"a")])

    def half(file: int, data: bytes) -> None:
        os.write(file, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
        patch.setattr(writer, "_write_all", half)
        made.append([(2, b"b")])
    made.append([(3, b"c")])
    said: list[str] = []
    assert list(Reader(tmp_path, said.append).records(None, None)) == [(1, b"a"), (3, b"c")]
    assert not said
    made.close()


def test_a_folder_that_cannot_be_made_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(HistoryError, match=r"state/entries: .*set XDG_STATE_HOME"):
        Writer(tmp_path / "state" / "entries", 1 << 20, 3600)


def test_a_folder_that_does_not_exist_holds_nothing(tmp_path: Path) -> None:
    assert read(tmp_path / "nowhere") == []
    assert Reader(tmp_path / "nowhere").span() is None


def test_a_reader_sees_what_is_added(tmp_path: Path) -> None:
    made, reader = Writer(tmp_path, 1 << 20, 3600), Reader(tmp_path)
    made.append([(5, b"a")])
    assert reader.span() == (5, 5, 1, segments(tmp_path)[0].size)
    made.append([(3, b"b"), (9, b"c")])
    assert reader.span() == (3, 9, 3, segments(tmp_path)[0].size)
    assert list(reader.records(4, None)) == [(5, b"a"), (9, b"c")]
    made.close()


def test_a_query_goes_on_when_its_files_are_deleted(tmp_path: Path) -> None:
    write(tmp_path, [(1, b"a")], [(5 * S, b"b")])
    query = Reader(tmp_path).records(None, None)
    assert next(query) == (1, b"a")
    segments(tmp_path)[0].path.unlink()
    assert list(query) == [(5 * S, b"b")]


# --- damage ----------------------------------------------------------------------------------


def damage(path: Path, at: int, content: bytes = b"\xff") -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(content)


@pytest.mark.parametrize("at", [0, 20, chunks.HEADER_BYTES + 3])
def test_a_damaged_file_is_set_aside_and_told_in_one_line(tmp_path: Path, at: int) -> None:
    write(tmp_path, [(1, b"a")])
    write(tmp_path, [(2, b"b")])
    path = segments(tmp_path)[0].path
    damage(path, at)
    said: list[str] = []
    assert list(Reader(tmp_path, said.append).records(None, None)) == [(2, b"b")]
    assert files(tmp_path) == [path.with_suffix(".damaged").name, segments(tmp_path)[0].path.name]
    (line,) = said
    assert str(path) in line
    assert f"set aside as {path.with_suffix('.damaged').name}" in line


def test_who_writes_a_file_that_is_set_aside_begins_a_new_one(tmp_path: Path) -> None:
    made = Writer(tmp_path, 1 << 20, 3600)
    made.append([(1, b"a")])
    damage(segments(tmp_path)[0].path, 0)
    assert list(Reader(tmp_path, [].append).records(None, None)) == []
    made.append([(2, b"b")])
    assert read(tmp_path) == [(2, b"b")]
    made.close()


def test_damaged_files_count_until_they_are_deleted(tmp_path: Path) -> None:
    write(tmp_path, [(1, noise(5000))])
    damage(segments(tmp_path)[0].path, 0)
    assert list(Reader(tmp_path, [].append).records(None, None)) == []
    write(tmp_path, [(2, noise(5000))], max_bytes=8000)
    assert [name.rpartition(".")[2] for name in files(tmp_path)] == ["segment"]


@given(st.data())
@NO_FIXTURE_PER_EXAMPLE
def test_a_file_that_ends_anywhere_gives_what_is_whole_before(
    tmp_path: Path, data: st.DataObject
) -> None:
    folder = tmp_path / str(time.monotonic_ns())
    records = [(1, b"a"), (2 * S, b"b")]
    write(folder, *([record] for record in records))
    path, size, *_ = segments(folder)[0]
    first = len(chunks.encode(records[:1]))
    end = data.draw(st.integers(0, size))
    os.truncate(path, end)
    said: list[str] = []
    found = list(Reader(folder, said.append).records(None, None))
    assert found == records[: (end >= first) + (end == size)]
    assert not said
