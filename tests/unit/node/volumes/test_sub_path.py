"""subPath and hostPath: what a descriptor is opened for, and what is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from pilotfish.node.errors import ContainerConfigError, MountFailed
from pilotfish.node.files.beneath import opened
from pilotfish.node.files.trees import remove_tree
from pilotfish.node.volumes.atomic import File, write
from pilotfish.node.volumes.host_path import open_host_path
from pilotfish.node.volumes.sub_path import open_sub_path
from support.swapper import SOURCE


def sub_path(volume: Path, path: str) -> Path:
    """Where the descriptor leads."""
    with opened(volume) as folder:
        return where(open_sub_path(folder, path))


def where(descriptor: int) -> Path:
    try:
        return Path(f"/proc/self/fd/{descriptor}").readlink()
    finally:
        os.close(descriptor)


def test_a_sub_path_is_a_file_behind_the_links(tmp_path: Path) -> None:
    write(tmp_path, {"a": File(b"1", 0o644)}, None)
    assert sub_path(tmp_path, "a").read_bytes() == b"1"


def test_a_missing_sub_path_is_made_a_folder_with_the_volumes_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o2775)
    made = sub_path(tmp_path, "x//./y")
    assert made == tmp_path / "x/y"
    assert made.stat().st_mode & 0o7777 == 0o2775


def test_a_sub_path_is_made_however_deep_it_lies(tmp_path: Path) -> None:
    try:
        assert sub_path(tmp_path, "/".join(["d"] * 1500)).name == "d"
    finally:
        remove_tree(tmp_path / "d")  # pytest cannot


def test_a_sub_path_stays_in_its_volume(tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    volume.mkdir()
    (volume / "out").symlink_to("/etc")
    (volume / "up").symlink_to("..")
    (volume / "nowhere").symlink_to("/nowhere-at-all")
    (volume / "process").symlink_to("/proc/self/root")
    paths = ("../x", "/etc", "out/passwd", "out/new", "up/new", "nowhere", "nowhere/x", "process")
    for path in paths:
        with pytest.raises(ContainerConfigError, match="subPath"):
            sub_path(volume, path)
    assert list(tmp_path.iterdir()) == [volume]
    assert not Path("/etc/new").exists()


def test_what_is_no_path_is_refused_in_words(tmp_path: Path) -> None:
    for path in ("a\0b", "x" * 300, "d/" * 3000, "file/x"):
        (tmp_path / "file").touch()
        with pytest.raises(ContainerConfigError, match="subPath"):
            sub_path(tmp_path, path)


def test_a_host_path_is_checked_as_its_type_says(tmp_path: Path) -> None:
    made = open_host_path({"path": str(tmp_path / "new/deep"), "type": "DirectoryOrCreate"})
    assert where(made).is_dir()
    assert where(open_host_path({"path": str(tmp_path / "f"), "type": "FileOrCreate"})).is_file()
    assert where(open_host_path({"path": str(tmp_path / "f"), "type": "File"})).is_file()
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(MountFailed, match="is not a directory"):
        open_host_path({"path": str(file), "type": "Directory"})
    with pytest.raises(MountFailed, match="is not a socket file"):
        open_host_path({"path": str(file), "type": "Socket"})
    with pytest.raises(MountFailed, match="is not a directory"):
        open_host_path({"path": str(tmp_path / "none"), "type": "Directory"})


def test_a_host_path_may_lead_through_links(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert where(open_host_path({"path": str(tmp_path / "link")})) == tmp_path / "real"
    made = open_host_path({"path": str(tmp_path / "link/new"), "type": ""})
    assert where(made) == tmp_path / "real/new"


def test_a_volume_that_changes_meanwhile_never_leads_out(tmp_path: Path) -> None:
    outside, volume = tmp_path / "outside", tmp_path / "volume"
    for folder in (outside, volume):
        folder.mkdir()
    command = [sys.executable, "-c", SOURCE, str(volume), str(outside)]
    seen = Counter[str]()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as attacker:
        assert attacker.stdout is not None
        assert attacker.stdout.readline() == b"swapping\n"
        try:
            for number in range(3000):
                try:
                    found = sub_path(volume, f"x/{number % 7}" if number % 2 else "x")
                except ContainerConfigError:
                    seen["refused"] += 1
                else:
                    seen["inside" if found.is_relative_to(volume) else "outside"] += 1
        finally:
            attacker.kill()
    assert seen["refused"] > 0
    assert seen["inside"] > 0
    assert seen["outside"] == 0
    assert list(outside.iterdir()) == []
