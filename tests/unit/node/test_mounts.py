"""What is mounted where."""

from __future__ import annotations

from pathlib import Path

from pilotfish.node.mounts import MountPoint, parse_mountinfo, type_of


def test_mountinfo_is_parsed_with_its_escapes() -> None:
    line = r"36 35 98:0 / /mnt/a\040b rw,noatime shared:1 - overlay overlay rw,lowerdir=/x:/"
    assert parse_mountinfo(line) == [MountPoint("/mnt/a b", "overlay", "rw,lowerdir=/x:/")]


def test_a_folder_is_on_the_innermost_and_uppermost_mount() -> None:
    points = [
        MountPoint("/", "overlay", ""),
        MountPoint("/var/lib", "ext4", ""),
        MountPoint("/var/lib", "xfs", ""),
        MountPoint("/var/library", "tmpfs", ""),
    ]
    assert type_of(Path("/var/lib/pilotfish"), points) == "xfs"
    assert type_of(Path("/srv"), points) == "overlay"
