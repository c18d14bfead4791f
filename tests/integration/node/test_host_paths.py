"""Paths of the machine that Pods of image `host` ask for by annotation."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pilotfish.node import mounts
from pilotfish.node.errors import ContainerConfigError
from pilotfish.node.images.host_paths import ANNOTATION, host_path_mounts
from pilotfish.node.oci.mounts import bind
from pilotfish.node.volumes import bound
from pilotfish.node.volumes.nesting import nest

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")


def asking(*paths: Path | str) -> dict[str, Any]:
    return {"metadata": {"annotations": {ANNOTATION: ", ".join(str(path) for path in paths)}}}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    bound.prepare(tmp_path / "bound")
    yield tmp_path / "bound/run"
    bound.release_all(tmp_path / "bound")
    assert not [point for point in mounts.mount_points() if str(tmp_path) in point.path]


def test_a_path_below_an_allowed_one_is_mounted_read_only(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "site/pages").mkdir(parents=True)
    (tmp_path / "site/pages/index.html").write_text("hello")
    pages = tmp_path / "site/pages"
    for wanted in (pages, pages / "index.html"):
        (mount,) = host_path_mounts(asking(wanted), (str(tmp_path / "site"),), folder)
        assert mount.destination == str(wanted)
        assert "ro" in mount.options
        assert Path(mount.source).samefile(wanted)
        bound.release(folder)


def test_a_pod_that_asks_for_nothing_gets_nothing(folder: Path, tmp_path: Path) -> None:
    assert host_path_mounts({"metadata": {}}, (str(tmp_path),), folder) == []


def test_what_the_owner_did_not_allow_is_refused(folder: Path, tmp_path: Path) -> None:
    for allowed in ((), (str(tmp_path / "site"),)):
        with pytest.raises(ContainerConfigError, match=r"does not allow .*--allow-host-path"):
            host_path_mounts(asking(tmp_path / "site2"), allowed, folder)


def test_what_is_no_path_is_refused(folder: Path, tmp_path: Path) -> None:
    for path in ("site", "/", f"{tmp_path}/../x"):
        with pytest.raises(ContainerConfigError, match="must be an absolute path"):
            host_path_mounts(asking(path), ("/",), folder)


def test_a_link_does_not_lead_out_of_what_is_allowed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site/out").symlink_to("/etc")
    with pytest.raises(ContainerConfigError, match="cannot open"):
        host_path_mounts(asking(tmp_path / "site/out/shadow"), (str(tmp_path / "site"),), folder)


def test_a_mount_inside_of_a_path_makes_nothing_on_the_machine(
    folder: Path, tmp_path: Path
) -> None:
    site, volume = tmp_path / "site", tmp_path / "volume"
    for made in (site / "there", volume):
        made.mkdir(parents=True)
    shown = host_path_mounts(asking(site), (str(site),), folder)
    (mount,) = nest([*shown, bind(f"{site}/there", str(volume), False)], shown, folder)
    (Path(mount.source) / "there/file").touch()
    bound.release(folder)
    shown = host_path_mounts(asking(site), (str(site),), folder)
    with pytest.raises(ContainerConfigError, match="Read-only"):
        nest([*shown, bind(f"{site}/new", str(volume), False)], shown, folder)
    assert [path.name for path in site.iterdir()] == ["there"]
    assert list((site / "there").iterdir()) == []


def test_what_is_bound_does_not_keep_the_machines_mounts(folder: Path, tmp_path: Path) -> None:
    """A copy of a mount pins its folder: the machine could not remove it any more."""
    below = tmp_path / "site/below"
    below.mkdir(parents=True)
    mounts.mount("tmpfs", below, "tmpfs")
    host_path_mounts(asking(tmp_path / "site"), (str(tmp_path / "site"),), folder)
    mounts.unmount(below)
    below.rmdir()
