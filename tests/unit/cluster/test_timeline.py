"""The start-up timeline."""

from __future__ import annotations

from pathlib import Path

from pilotfish.cluster.timeline import Mark, Timeline, read, render


def test_marks_of_several_processes_come_in_the_order_of_time(tmp_path: Path) -> None:
    path = tmp_path / "timeline"
    Timeline(path, "node-1").mark("ready", at_s=2.5)
    Timeline(path, "up").mark("command started", at_s=1.0)
    assert read(path) == [Mark(1.0, "up", "command started"), Mark(2.5, "node-1", "ready")]
    assert render(read(path)).splitlines() == [
        "      0 ms  up      command started",
        "   1500 ms  node-1  ready",
    ]


def test_a_cluster_without_a_timeline_says_so(tmp_path: Path) -> None:
    assert read(tmp_path / "none") == []
    assert render([]) == "no timeline was written"
