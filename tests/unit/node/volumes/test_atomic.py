"""Files that change together."""

from __future__ import annotations

from pathlib import Path

import pytest

from pilotfish.node.errors import ContainerConfigError, MountFailed
from pilotfish.node.volumes.atomic import File, write
from pilotfish.node.volumes.host_path import host_path
from pilotfish.node.volumes.sub_path import resolve_sub_path

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


def test_a_sub_path_is_a_file_behind_the_links(tmp_path: Path) -> None:
    write(tmp_path, ONE, None)
    assert resolve_sub_path(tmp_path, "a").read_bytes() == b"1"


def test_a_missing_sub_path_is_made_a_folder(tmp_path: Path) -> None:
    assert resolve_sub_path(tmp_path, "x/y").is_dir()


def test_a_sub_path_stays_in_its_volume(tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    volume.mkdir()
    (volume / "out").symlink_to("/etc")
    for path in ("../x", "/etc", "out/passwd"):
        with pytest.raises(ContainerConfigError, match="subPath"):
            resolve_sub_path(volume, path)


def test_a_host_path_is_checked_as_its_type_says(tmp_path: Path) -> None:
    made = host_path({"path": str(tmp_path / "new"), "type": "DirectoryOrCreate"})
    assert made.is_dir()
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(MountFailed, match="is not a directory"):
        host_path({"path": str(file), "type": "Directory"})
    with pytest.raises(MountFailed, match="is not a socket file"):
        host_path({"path": str(file), "type": "Socket"})
