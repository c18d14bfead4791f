"""Mounts that the node makes inside of a volume keep to what was asked for each of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilotfish.node import mounts
from pilotfish.node.oci.mounts import Mount, bind
from pilotfish.node.volumes import bound
from pilotfish.node.volumes.nesting import nest

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    bound.prepare(tmp_path / "bound")
    yield tmp_path / "bound/run"
    bound.release_all(tmp_path / "bound")
    assert not [point for point in mounts.mount_points() if str(tmp_path) in point.path]


def nested(folder: Path, tmp_path: Path, outer: bool, inner: bool) -> Mount:
    """What runc gets for /outer with /outer/inner in it; each recursively read-only or writable."""
    wanted = []
    for destination, recursive in (("/outer", outer), ("/outer/inner", inner)):
        volume = tmp_path / destination.rpartition("/")[2]
        volume.mkdir()
        wanted.append(bind(destination, str(volume), recursive, recursive=recursive))
    (mount,) = nest(wanted, wanted, folder)
    return mount


def test_a_recursively_read_only_mount_in_a_volume_is_read_only(
    folder: Path, tmp_path: Path
) -> None:
    mount = nested(folder, tmp_path, outer=False, inner=True)
    (Path(mount.source) / "file").touch()
    with pytest.raises(OSError, match="Read-only"):
        (Path(mount.source) / "inner/file").touch()


def test_a_recursively_read_only_volume_leaves_a_writable_mount_in_it_writable(
    folder: Path, tmp_path: Path
) -> None:
    """runc makes a volume read-only before it mounts what the Pod wants in it."""
    mount = nested(folder, tmp_path, outer=True, inner=False)
    assert "ro" in mount.options
    assert "rro" not in mount.options
    (Path(mount.source) / "inner/file").touch()
