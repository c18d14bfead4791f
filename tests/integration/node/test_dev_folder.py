"""The devices in a container's /dev."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilotfish.node import dev_folder, mounts
from pilotfish.node.oci.devices import Device

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="devices need root")

OWN = {"null", "zero", "full", "random", "urandom", "tty"}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "dev"
    mounts.unmount(tmp_path / "dev")


def devices(folder: Path) -> set[str]:
    found = (path for path in folder.rglob("*") if not path.is_symlink())
    return {
        str(path.relative_to(folder))
        for path in found
        if path.is_char_device() or path.is_block_device()
    }


def test_a_container_has_the_devices_that_every_program_may_use(folder: Path) -> None:
    dev_folder.make(folder, ())
    assert devices(folder) == OWN
    assert (folder / "null").stat().st_mode == stat.S_IFCHR | 0o666


def test_a_privileged_container_has_the_machines_devices_too(folder: Path) -> None:
    kvm = Device("/dev/kvm", "c", 10, 232, 0o660, 0, 36)
    disk = Device("/dev/mapper/disk", "b", 253, 7, 0o600, 0, 6)
    dev_folder.make(folder, (kvm, disk))
    assert devices(folder) == OWN | {"kvm", "mapper/disk"}
    for device, kind in ((kvm, stat.S_IFCHR), (disk, stat.S_IFBLK)):
        found = (folder / Path(device.path).relative_to("/dev")).stat()
        assert found.st_rdev == os.makedev(device.major, device.minor)
        assert found.st_mode == kind | device.mode
        assert (found.st_uid, found.st_gid) == (device.uid, device.gid)
