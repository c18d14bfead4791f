"""Unpacking layers: what is kept, and what is refused."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from pilotfish.node.files.trees import remove_tree, tree_bytes
from pilotfish.node.images.layer import UnsafeArchive, unpack
from support.oci_image import entry, layer


def test_files_folders_links_and_modes_come_out_as_they_went_in(tmp_path: Path) -> None:
    data = layer(
        {"./etc/conf": b"x=1"},
        entry("etc", type=tarfile.DIRTYPE, mode=0o750),
        entry("etc/link", type=tarfile.SYMTYPE, linkname="/somewhere/absolute"),
        entry("pipe", type=tarfile.FIFOTYPE, mode=0o600),
    )
    assert unpack(io.BytesIO(data), tmp_path) == 3
    assert (tmp_path / "etc/conf").read_bytes() == b"x=1"
    assert (tmp_path / "etc").stat().st_mode & 0o777 == 0o750
    assert str((tmp_path / "etc/link").readlink()) == "/somewhere/absolute"
    assert (tmp_path / "pipe").is_fifo()


def test_a_hard_link_is_the_same_file(tmp_path: Path) -> None:
    data = layer({"a": b"1"})
    unpack(io.BytesIO(data), tmp_path)
    again = layer({}, entry("b", type=tarfile.LNKTYPE, linkname="a"))
    unpack(io.BytesIO(again), tmp_path)
    assert (tmp_path / "a").samefile(tmp_path / "b")


def test_an_absolute_name_lands_inside(tmp_path: Path) -> None:
    unpack(io.BytesIO(layer({"/etc/conf": b"x"})), tmp_path)
    assert (tmp_path / "etc/conf").read_bytes() == b"x"


@pytest.mark.parametrize(
    "data",
    [
        layer({"../evil": b"x"}),
        layer({"a/../../evil": b"x"}),
        layer({"out/evil": b"x"}, entry("out", type=tarfile.SYMTYPE, linkname="..")),
        layer({}, entry("evil", type=tarfile.LNKTYPE, linkname="../../etc/passwd")),
        layer({".wh...": b""}),
    ],
    ids=["parent", "hidden parent", "through a link", "hard link", "whiteout of .."],
)
def test_nothing_is_written_outside_of_the_image(data: bytes, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    with pytest.raises(UnsafeArchive, match="refused"):
        unpack(io.BytesIO(data), root)
    assert not (tmp_path / "evil").exists()


def test_a_later_entry_replaces_a_link_instead_of_writing_through_it(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    root = tmp_path / "root"
    root.mkdir()
    link = entry("file", type=tarfile.SYMTYPE, linkname=str(victim))
    unpack(io.BytesIO(layer({"file": b"new"}, link)), root)
    assert victim.read_text() == "untouched"
    assert (root / "file").read_bytes() == b"new"


def test_a_layer_is_as_deep_as_a_path_can_be(tmp_path: Path) -> None:
    deepest = "d/" * 2000 + "f"
    try:
        unpack(io.BytesIO(layer({deepest: b"x"})), tmp_path)
        assert tree_bytes(tmp_path) == 1
    finally:
        remove_tree(tmp_path / "d")  # pytest cannot
    with pytest.raises(UnsafeArchive, match="longer than a path can be"):
        unpack(io.BytesIO(layer({"d/" * 3000 + "f": b"x"})), tmp_path)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (entry("a", type=tarfile.LNKTYPE, linkname="missing"), "no file of the archive"),
        (entry("a", type=tarfile.LNKTYPE, linkname="."), "names no file"),
        (entry("a", mtime=1e30), "malformed"),
        (entry("a", uid=1 << 40), "malformed"),
        (entry("x" * 300), "malformed.*too long"),
    ],
)
def test_an_entry_that_no_folder_can_hold_is_refused_in_words(
    bad: tarfile.TarInfo, reason: str, tmp_path: Path
) -> None:
    bad.pax_headers = {key: str(getattr(bad, key)) for key in ("mtime", "uid")}
    with pytest.raises(UnsafeArchive, match=reason):
        unpack(io.BytesIO(layer({}, bad)), tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="trusted attributes need root")
def test_attributes_that_steer_overlayfs_are_not_the_archives_to_set(tmp_path: Path) -> None:
    folder = entry("d", type=tarfile.DIRTYPE)
    folder.pax_headers = {
        "SCHILY.xattr.trusted.overlay.redirect": "/etc",
        "SCHILY.xattr.user.kept": "1",
    }
    unpack(io.BytesIO(layer({}, folder)), tmp_path)
    assert os.listxattr(tmp_path / "d") == ["user.kept"]


def test_a_long_run_of_zeros_takes_no_room(tmp_path: Path) -> None:
    unpack(io.BytesIO(layer({"hole": bytes(8 << 20), "end": bytes(5 << 20) + b"x"})), tmp_path)
    hole = (tmp_path / "hole").stat()
    assert (hole.st_size, hole.st_blocks) == (8 << 20, 0)
    assert (tmp_path / "end").read_bytes() == bytes(5 << 20) + b"x"


@pytest.mark.skipif(os.geteuid() != 0, reason="whiteouts are devices")
def test_a_whiteout_takes_a_filled_folder_of_its_own_layer_away(tmp_path: Path) -> None:
    data = layer({"d/e/f": b"x"})
    unpack(io.BytesIO(data), tmp_path)
    unpack(io.BytesIO(layer({".wh.d": b""})), tmp_path)
    assert (tmp_path / "d").is_char_device()
