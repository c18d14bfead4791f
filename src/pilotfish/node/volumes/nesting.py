"""Mounts that lie inside of a volume: made by the node, before runc sees them.

runc finds a mount's place by name, and makes it there when it is missing. In a volume another
container of the Pod can swap a folder for a link meanwhile, and the folder is made on the machine.
So the place is found below a descriptor, in a copy of the volume's mount, and runc is given the
copy with all that is mounted in it.
"""

from __future__ import annotations

import os
import posixpath
import stat
from dataclasses import replace
from pathlib import Path

from pilotfish.node import mounts
from pilotfish.node.errors import ContainerConfigError
from pilotfish.node.files import beneath
from pilotfish.node.oci.mounts import Mount
from pilotfish.node.volumes import bound


def nest(wanted: list[Mount], volumes: list[Mount], folder: Path) -> list[Mount]:
    """The mounts for runc: those of `wanted` that lie inside of one of `volumes` are made.

    `volumes` are of the node's own folders; `folder` gets the copies. Raises
    ContainerConfigError, OSError.
    """
    outer: dict[str, Mount] = {}
    result = []
    for number, mount in enumerate(sorted(wanted, key=_depth)):
        place = posixpath.normpath(mount.destination)
        above = next((path for path in outer if _is_inside(place, path)), None)
        if above is not None and mount.type == "bind":
            source = outer[above].source
            if Path(source).parent != folder:
                with beneath.opened(source) as volume:
                    source = str(bound.bind(volume, folder, f"outer-{number}", mounts.MS_PRIVATE))
                outer[above] = _copied(outer[above], source)
            _mount_inside(mount, Path(source), posixpath.relpath(place, above), folder, number)
            continue
        if mount in volumes and Path(mount.source).is_dir():
            outer[place] = mount
        else:
            result.append(mount)
    return sorted([*result, *outer.values()], key=_depth)


def _copied(mount: Mount, source: str) -> Mount:
    """The mount from its copy, in which others are made: those have options of their own."""
    options = tuple("ro" if option == "rro" else option for option in mount.options)
    return replace(mount, source=source, options=options)


def _depth(mount: Mount) -> int:
    """The order of mounts: a deeper one comes later, or it would be covered."""
    return posixpath.normpath(mount.destination).rstrip("/").count("/")


def _is_inside(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip("/") + "/")


def _mount_inside(mount: Mount, volume: Path, name: str, folder: Path, number: int) -> None:
    with beneath.opened(mount.source, os.O_PATH) as source:
        staged = bound.bind(source, folder, f"inner-{number}", mounts.MS_PRIVATE)
        if not {"ro", "rro"}.isdisjoint(mount.options):
            bound.make_read_only(staged)
        is_folder = stat.S_ISDIR(os.fstat(source).st_mode)
    try:
        with beneath.opened(volume) as root:
            place = _place(root, name, is_folder)
    except OSError as error:
        raise ContainerConfigError(
            f'mountPath "{mount.destination}" leads through a volume to no place in it: '
            f"{error.strerror}"
        ) from error
    try:
        mounts.mount(str(staged), beneath.path_of(place), "", mounts.MS_BIND)
    finally:
        os.close(place)


def _place(root: int, name: str, is_folder: bool) -> int:
    """The folder or file to mount on, made where it is missing."""
    if is_folder:
        return beneath.find_or_make(root, name, 0o755)
    parent, _, last = name.rpartition("/")
    above = beneath.find_or_make(root, parent, 0o755)
    try:
        return beneath.find_or_make_file(above, last, beneath.BENEATH | beneath.NO_SYMLINKS)
    finally:
        os.close(above)
