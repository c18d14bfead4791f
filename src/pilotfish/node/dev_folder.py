"""A container's /dev, made by the node and given to runc as a bind mount.

runc would fill a /dev of its own by names below the root file system, before that is the root: an
image whose /dev is a link has it write to the machine. With a bind mount it leaves /dev alone.
The names are those of the OCI runtime specification (config-linux.md, default devices).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from pilotfish.node import mounts
from pilotfish.node.oci.devices import Device

_EVERYBODY = 0o666
_DEFAULT = {
    "null": (1, 3),
    "zero": (1, 5),
    "full": (1, 7),
    "random": (1, 8),
    "urandom": (1, 9),
    "tty": (5, 0),
}
_LINKS = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
    "ptmx": "pts/ptmx",
}


def make(folder: Path, machine_devices: Iterable[Device]) -> None:
    """Mount a /dev at `folder`, which is made; with more devices for a privileged container.

    Raises OSError.
    """
    folder.mkdir(parents=True)
    mounts.mount("tmpfs", folder, "tmpfs", mounts.MS_NOSUID, "mode=755,size=65536k")
    for name, (major, minor) in _DEFAULT.items():
        make_device(folder / name, stat.S_IFCHR | _EVERYBODY, os.makedev(major, minor))
    for name, target in _LINKS.items():
        (folder / name).symlink_to(target)
    for device in machine_devices:
        path = folder / Path(device.path).relative_to("/dev")
        path.parent.mkdir(parents=True, exist_ok=True)
        kind = stat.S_IFCHR if device.type == "c" else stat.S_IFBLK
        make_device(path, kind | device.mode, os.makedev(device.major, device.minor))
        os.chown(path, device.uid, device.gid)


def make_device(path: Path, mode: int, number: int) -> None:
    """A device with exactly that mode, whatever the umask."""
    os.mknod(path, mode, number)
    path.chmod(stat.S_IMODE(mode))
