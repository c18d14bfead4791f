"""What several nodes tell is put into the order of time."""

from __future__ import annotations

import asyncio

import pytest

from pilotfish.tap import viewer
from pilotfish.tap.viewer import MERGE_S, Merge


def entry(timestamp: str, node: str = "node-1") -> dict[str, str]:
    return {"timestamp": timestamp, "node_name": node}


def times(entries: list[dict[str, str]]) -> list[str]:
    return [each["timestamp"] for each in entries]


async def test_entries_come_out_in_the_order_of_their_timestamps() -> None:
    merge = Merge()
    for number, timestamp in enumerate(("3", "1", "2")):
        await merge.put(entry(timestamp), number / 1000)
    assert times(merge.due(MERGE_S + 1)) == ["1", "2", "3"]


async def test_an_entry_waits_for_earlier_ones_of_other_nodes() -> None:
    merge = Merge()
    await merge.put(entry("2", "node-1"), 100.0)
    assert merge.due(100.0 + MERGE_S / 2) == []
    await merge.put(entry("1", "node-2"), 100.0 + MERGE_S / 2)
    await merge.put(entry("3", "node-2"), 100.0 + MERGE_S / 2)
    assert times(merge.due(100.0 + MERGE_S)) == ["1", "2"]
    assert times(merge.due(100.0 + 2 * MERGE_S)) == ["3"]


async def test_entries_of_the_same_moment_keep_their_order() -> None:
    merge = Merge()
    for node in ("node-2", "node-1", "node-3"):
        await merge.put(entry("1", node), 0.0)
    assert [each["node_name"] for each in merge.due(1.0)] == ["node-2", "node-1", "node-3"]


async def test_who_takes_no_entries_gets_no_more_until_there_is_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(viewer, "MAX_WAITING", 2)
    merge = Merge()
    await merge.put(entry("1"), 0.0)
    await merge.put(entry("2"), 0.0)
    third = asyncio.create_task(merge.put(entry("3"), 0.0))
    await asyncio.sleep(0)
    assert not third.done()
    assert times(merge.due(1.0)) == ["1", "2"]
    await third
    assert times(merge.due(1.0)) == ["3"]
