"""Entries that were recorded can be asked for by time, filter and id."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pilotfish.tap.entry import timestamp
from pilotfish.tap.history import background
from pilotfish.tap.history.chunks import Record
from pilotfish.tap.history.history import History, HistoryView, micros
from pilotfish.tap.history.writer import Writer
from support.entries import entry

NOON_US = 1_767_268_800_000_000  # 2026-01-01T12:00:00Z


def at(second: int, **changes: Any) -> dict[str, Any]:
    """An entry of that second after noon."""
    return entry(timestamp=timestamp(NOON_US / 1e6 + second), **changes)


def recorded(folder: Path, *entries: dict[str, Any]) -> HistoryView:
    history = History(folder)
    for each in entries:
        history.record(each)
    history.close()
    return HistoryView(folder)


def test_entries_come_back_as_they_were(tmp_path: Path) -> None:
    view = recorded(tmp_path, at(0), at(1, summary="→ 🐟"))
    assert list(view.query()) == [at(0), at(1, summary="→ 🐟")]


def test_a_query_has_a_time_a_choice_a_limit_and_a_direction(tmp_path: Path) -> None:
    view = recorded(tmp_path, *(at(number, status_code=number) for number in range(10)))

    def codes(*args: Any, **kwargs: Any) -> list[int]:
        return [each["status_code"] for each in view.query(*args, **kwargs)]

    second = 1_000_000
    assert codes(NOON_US + 2 * second, NOON_US + 4 * second) == [2, 3, 4]
    assert codes(matches=lambda each: each["status_code"] % 4 == 1) == [1, 5, 9]
    assert codes(limit=2) == [0, 1]
    assert codes(until_us=NOON_US + 7 * second, limit=2, newest_first=True) == [7, 6]


def test_an_entry_is_found_by_id_and_timestamp_since_ids_begin_anew(tmp_path: Path) -> None:
    view = recorded(tmp_path, at(0, id="node-1-000001"), at(9, id="node-1-000001", status="500"))
    found = view.entry("node-1-000001", at(9)["timestamp"])
    assert found is not None
    assert found["status"] == "500"
    assert view.entry("node-1-000002", at(9)["timestamp"]) is None
    assert view.entry("node-1-000001", at(5)["timestamp"]) is None


def test_the_span_tells_what_there_is(tmp_path: Path) -> None:
    assert HistoryView(tmp_path).span() is None
    span = recorded(tmp_path, at(3), at(1)).span()
    assert span is not None
    assert span[:3] == (NOON_US + 1_000_000, NOON_US + 3_000_000, 2)


@pytest.mark.parametrize("time_us", [0, 1, NOON_US, NOON_US + 999_999, NOON_US + 123_456])
def test_timestamps_are_read_to_the_microsecond(time_us: int) -> None:
    assert micros(timestamp(time_us / 1e6)) == time_us


async def test_what_is_recorded_is_written_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "FLUSH_S", 0.0)
    history = History(tmp_path)
    running = asyncio.create_task(history.run())
    history.record(at(0))
    async with asyncio.timeout(10):
        while history.span() is None:  # noqa: ASYNC110 the disk tells nobody
            await asyncio.sleep(0.001)
    running.cancel()
    history.close()


def test_what_is_flushed_can_be_read(tmp_path: Path) -> None:
    history = History(tmp_path)
    history.record(at(0))
    assert list(history.query()) == []
    history.flush()
    assert list(history.query()) == [at(0)]
    history.close()


def test_who_does_not_record_sees_what_another_records(tmp_path: Path) -> None:
    first, second = History(tmp_path), History(tmp_path)
    assert (first.recording, second.recording) == (True, False)
    first.record(at(0))
    second.record(at(0))
    first.flush()
    second.flush()
    assert list(second.query()) == [at(0)]
    first.close()
    second.close()


async def test_who_waits_records_when_the_other_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "FLUSH_S", 0.0)
    first, second = History(tmp_path), History(tmp_path)
    running = asyncio.create_task(second.run())
    first.close()
    async with asyncio.timeout(10):
        while not second.recording:  # noqa: ASYNC110 a lock tells nobody
            await asyncio.sleep(0.001)
    running.cancel()
    second.close()


async def test_a_history_that_is_closed_does_not_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "FLUSH_S", 0.0)
    history = History(tmp_path)
    history.close()
    running = asyncio.create_task(history.run())
    for _ in range(20):
        await asyncio.sleep(0.001)
    running.cancel()
    assert not history.recording
    other = History(tmp_path)
    assert other.recording
    other.close()


async def test_a_disk_that_is_too_slow_costs_entries_rather_than_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, go_on = threading.Event(), threading.Event()
    append = Writer.append

    def slow(self: Writer, records: Sequence[Record]) -> int:
        stuck.set()
        go_on.wait(10)
        return append(self, records)

    monkeypatch.setattr(Writer, "append", slow)
    monkeypatch.setattr(background, "MAX_WAITING_BYTES", 10_000)
    history = History(tmp_path)
    history.record(at(0))
    flushing = asyncio.create_task(asyncio.to_thread(history.flush))
    await asyncio.to_thread(stuck.wait, 10)
    for _ in range(100):
        history.record(at(1))
    assert 80 < history.dropped < 100
    go_on.set()
    await flushing
    history.close()
    assert len(list(history.query())) + history.dropped == 101


def test_a_full_disk_is_told_of_once_and_costs_what_came_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    history = History(tmp_path, tell=said.append)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Writer, "append", full)
        for _ in range(2):
            history.record(at(0))
            history.flush()
    history.record(at(1))
    history.close()
    assert history.dropped == 2
    assert list(history.query()) == [at(1)]
    assert said == [
        "the history of entries cannot be written (No space left on device): "
        "what happens meanwhile will be missing in it"
    ]
