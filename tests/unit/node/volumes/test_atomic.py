"""Files that change together."""

from __future__ import annotations

from pathlib import Path

from pilotfish.node.volumes.atomic import File, write

ONE = {"a": File(b"1", 0o644), "dir/b": File(b"2", 0o600)}


def visible(folder: Path) -> dict[str, bytes]:
    found = {}
    for path in folder.iterdir():
        if path.name.startswith(".."):
            continue
        for file in [path] if path.is_file() else path.rglob("*"):
            found[str(file.relative_to(folder))] = file.read_bytes()
    return found


def test_files_appear_with_their_modes(tmp_path: Path) -> None:
    assert write(tmp_path, ONE, None)
    assert visible(tmp_path) == {"a": b"1", "dir/b": b"2"}
    assert (tmp_path / "dir/b").stat().st_mode & 0o777 == 0o600


def test_the_same_files_again_change_nothing(tmp_path: Path) -> None:
    write(tmp_path, ONE, None)
    before = (tmp_path / "..data").readlink()
    assert not write(tmp_path, ONE, None)
    assert (tmp_path / "..data").readlink() == before


def test_a_new_version_replaces_all_files_at_once(tmp_path: Path) -> None:
    write(tmp_path, ONE, None)
    opened = (tmp_path / "a").open("rb")
    assert write(tmp_path, {"a": File(b"new", 0o644), "c": File(b"3", 0o644)}, None)
    assert visible(tmp_path) == {"a": b"new", "c": b"3"}
    assert opened.read() == b"1"
    opened.close()
    versions = [path for path in tmp_path.iterdir() if path.name.startswith("..2")]
    assert len(versions) == 1


def test_paths_nest_deeper_than_a_recursion_goes(tmp_path: Path) -> None:
    files = {"d/" * 1000 + "f": File(b"1", 0o644)}
    assert write(tmp_path, files, None)
    assert not write(tmp_path, files, None)
    assert write(tmp_path, {"f": File(b"1", 0o644)}, None)
    assert len([path for path in tmp_path.iterdir() if path.name.startswith("..2")]) == 1
