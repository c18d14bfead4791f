"""Sources of a container's mounts that are descriptors, given to runc as paths.

runc takes paths. So what a descriptor means is bound into a folder of the node's own, where no
Pod can put anything in the way, and runc is told that path.

    RUN/bound              a tmpfs; unbindable, or Pods that mount "/" would copy one another's
    RUN/bound/POD.APP.0/   one run of one container
    RUN/bound/null         what containers get for input that is none
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from pilotfish.node import mounts
from pilotfish.node.dev_folder import make_device
from pilotfish.node.files.beneath import path_of

# A process may change the mode of what it has open: not of the machine's own /dev/null.
NULL = "null"


def prepare(folder: Path) -> None:
    """Mount the tmpfs for a node; fine when it is there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not os.path.ismount(folder):
        flags = mounts.MS_NOSUID | mounts.MS_NOEXEC
        mounts.mount("tmpfs", folder, "tmpfs", flags, "mode=700,size=16m")
    mounts.mount("", folder, "", mounts.MS_UNBINDABLE)
    if not (folder / NULL).exists():
        make_device(folder / NULL, stat.S_IFCHR | 0o666, os.makedev(1, 3))


def bind(descriptor: int, folder: Path, name: str, propagation: int) -> Path:
    """Bind what a descriptor means at folder/name; that path.

    Without the mounts below it: copies of the machine's mounts would keep it from removing them.

    `propagation` is MS_PRIVATE or MS_SLAVE, or 0 to leave the mount shared with the machine's.
    Raises OSError.
    """
    target = folder / name
    folder.mkdir(mode=0o700, exist_ok=True)
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        target.mkdir()
    else:
        target.touch(exist_ok=False)
    mounts.mount(str(path_of(descriptor)), target, "", mounts.MS_BIND)
    if propagation:
        mounts.mount("", target, "", propagation)
    return target


def make_read_only(target: Path) -> None:
    """Let nobody write through this copy, the node included. Raises OSError."""
    mounts.mount("", target, "", mounts.MS_BIND | mounts.MS_REMOUNT | mounts.MS_RDONLY)


def release(folder: Path) -> None:
    """Take away all that was bound for one run of a container; fine when nothing was."""
    if not folder.is_dir():
        return
    for target in folder.iterdir():
        _unshare(target)
        mounts.unmount(target)
        if target.is_dir():
            target.rmdir()
        else:
            target.unlink()
    folder.rmdir()


def release_all(folder: Path) -> None:
    """Take away all that was bound on a node, and the tmpfs."""
    if folder.is_dir():
        for run in folder.iterdir():
            release(run)
        mounts.unmount(folder)


def _unshare(target: Path) -> None:
    """Keep the unmounting to this copy: a shared one takes the machine's mounts below along."""
    try:
        mounts.mount("", target, "", mounts.MS_REC | mounts.MS_PRIVATE)
    except OSError as error:
        if error.errno != errno.EINVAL:  # nothing is mounted there
            raise
