"""Trees deeper than any path or recursion, and what a removal must not touch."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pilotfish.node.files.trees import empty_tree, files_below, remove_tree, tree_bytes

DEPTH = 5000


def make_deep(folder: Path, depth: int) -> None:
    """Nest folders named "d", each with a file of three bytes."""
    folder.mkdir()
    at = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=at)
        file = os.open("f", os.O_CREAT | os.O_WRONLY, dir_fd=at)
        os.write(file, b"abc")
        os.close(file)
        below = os.open("d", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(at)


def test_a_deep_tree_is_measured_and_removed(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    make_deep(tmp_path / "tree", DEPTH)
    assert tree_bytes(tmp_path / "tree") == 3 * DEPTH
    remove_tree(tmp_path / "tree")
    assert list(tmp_path.iterdir()) == []
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_links_are_removed_and_not_followed(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").touch()
    tree = tmp_path / "tree"
    (tree / "a/b").mkdir(parents=True)
    (tree / "a/out").symlink_to(kept)
    (tree / "a/b/up").symlink_to("../../..")
    os.mkfifo(tree / "pipe")
    assert sorted(files_below(tree)) == ["a/b/up", "a/out", "pipe"]
    remove_tree(tree)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept"]
    assert (kept / "file").exists()


def test_a_link_in_place_of_the_tree_is_all_that_goes(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/file").touch()
    (tmp_path / "tree").symlink_to("kept")
    remove_tree(tmp_path / "tree")
    assert list(tmp_path.iterdir()) == [tmp_path / "kept"]
    assert (tmp_path / "kept/file").exists()


def test_a_folder_is_emptied_and_stays(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/file").touch()
    empty_tree(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_there_is_fine(tmp_path: Path) -> None:
    remove_tree(tmp_path / "none")
    remove_tree(tmp_path / "none/below")


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_nothing_is_deleted_through_a_mount(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/file").touch()
    target = tmp_path / "tree/a/mounted"
    target.mkdir(parents=True)
    subprocess.run(["mount", "--bind", tmp_path / "kept", target], check=True)
    try:
        with pytest.raises(OSError, match=r"busy: mounted, somewhere below") as caught:
            remove_tree(tmp_path / "tree")
        assert caught.value.filename == str(tmp_path / "tree")
        assert (tmp_path / "kept/file").exists()
    finally:
        subprocess.run(["umount", target], check=True)
    remove_tree(tmp_path / "tree")
