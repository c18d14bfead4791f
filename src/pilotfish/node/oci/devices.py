"""The machine's devices, which privileged containers see in their /dev."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

# Every container has these anyway, or has its own instance of them.
_OWN = {"console", "fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "tty"}
_OWN |= {"urandom", "zero"}


@dataclass(frozen=True)
class Device:
    path: str
    type: str  # "c" or "b"
    major: int
    minor: int
    mode: int
    uid: int
    gid: int


def machine_devices(folder: Path = Path("/dev")) -> tuple[Device, ...]:
    """The device nodes directly in /dev and below it."""
    devices = []
    for parent, folders, files in os.walk(folder):
        if Path(parent) == folder:
            folders[:] = [name for name in folders if name not in _OWN]
            files = [name for name in files if name not in _OWN]
        for name in files:
            path = Path(parent) / name
            found = path.lstat()
            if not (stat.S_ISCHR(found.st_mode) or stat.S_ISBLK(found.st_mode)):
                continue
            devices.append(
                Device(
                    path=str(path),
                    type="c" if stat.S_ISCHR(found.st_mode) else "b",
                    major=os.major(found.st_rdev),
                    minor=os.minor(found.st_rdev),
                    mode=stat.S_IMODE(found.st_mode),
                    uid=found.st_uid,
                    gid=found.st_gid,
                )
            )
    return tuple(devices)
