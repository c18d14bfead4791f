"""Cgroups of v1 and v2, in folders that look like them."""

from __future__ import annotations

from pathlib import Path

from pilotfish.node.cgroups import hierarchies, is_unified, oom_killed, processes, remove


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_v1_has_a_hierarchy_per_controller_and_v2_has_one(tmp_path: Path) -> None:
    (tmp_path / "memory").mkdir()
    (tmp_path / "cpu").mkdir()
    assert sorted(path.name for path in hierarchies(tmp_path)) == ["cpu", "memory"]
    write(tmp_path / "cgroup.controllers", "cpu memory")
    assert is_unified(tmp_path)
    assert hierarchies(tmp_path) == [tmp_path]


def test_an_oom_kill_is_found_in_either(tmp_path: Path) -> None:
    write(tmp_path / "memory/pilotfish/a/memory.oom_control", "under_oom 0\noom_kill 1\n")
    write(tmp_path / "pilotfish/b/memory.events", "oom 1\noom_kill 2\n")
    write(tmp_path / "pilotfish/c/memory.events", "oom 0\noom_kill 0\n")
    assert [oom_killed(one, tmp_path) for one in "abcd"] == [True, True, False, False]


def test_processes_are_collected_and_empty_cgroups_removed(tmp_path: Path) -> None:
    write(tmp_path / "cpu/pilotfish/a/cgroup.procs", "1\n2\n")
    write(tmp_path / "memory/pilotfish/a/cgroup.procs", "2\n3\n")
    assert processes("a", root=tmp_path) == {1, 2, 3}
    (tmp_path / "cpu/pilotfish/b/nested").mkdir(parents=True)
    remove("b", root=tmp_path)
    assert not (tmp_path / "cpu/pilotfish/b").exists()
