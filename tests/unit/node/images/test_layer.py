"""Unpacking layers: what is kept, and what is refused."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

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
