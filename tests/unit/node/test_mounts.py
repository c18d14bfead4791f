"""What is mounted where."""

from __future__ import annotations

from pathlib import Path

from pilotfish.node.mounts import MountPoint, parse_mountinfo, paths_below, type_of


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


def test_mounts_below_folders_are_found_by_their_paths_not_by_words_in_the_line() -> None:
    text = "".join(
        f"36 35 98:0 {root} {path} rw shared:1 - overlay overlay rw,upperdir={upper}\n"
        for root, path, upper in (
            ("/", "/run/pod", "/x"),
            ("/", "/run/pod/a", "/x"),
            ("/", "/run/podding", "/x"),
            ("/run/pod", "/mnt", "/run/pod/upper"),
            ("/", r"/srv/a\040b\134c/d", "/x"),
            ("/", "/srv/a", "/x"),
        )
    )
    assert paths_below(text, "/run/pod") == ["/run/pod", "/run/pod/a"]
    assert paths_below(text, "/srv/a b\\c", "/run/pod/a") == ["/run/pod/a", "/srv/a b\\c/d"]
    assert paths_below(text, "/absent") == []
