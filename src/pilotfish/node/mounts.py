"""mount(2) and umount2(2), and what is mounted where.

Called directly: a `mount` process a container would cost more than the container's own start.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
from dataclasses import dataclass
from pathlib import Path

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_REC = 0x4000
MS_UNBINDABLE = 1 << 17
MS_PRIVATE = 1 << 18
MS_SLAVE = 1 << 19
_MNT_DETACH = 2
_PAGE_BYTES = 4096  # mount(2): the data argument fits one page

_libc = ctypes.CDLL(None, use_errno=True)
_OCTAL = re.compile(r"\\([0-7]{3})")
_SEPARATORS = re.compile(r"[,=:]")
_ESCAPED = re.compile(r"[ \t\n\\]")


@dataclass(frozen=True)
class MountPoint:
    """A line of /proc/self/mountinfo; `options` are the file system's own."""

    path: str
    type: str
    options: str

    def overlay_folders(self) -> list[str]:
        """The layers and the work folder of an overlay, among the words of its options."""
        return _SEPARATORS.split(self.options) if self.type == "overlay" else []


def mount(source: str, target: Path, type_: str, flags: int = 0, options: str = "") -> None:
    """Raises OSError with the target's name."""
    if len(options) >= _PAGE_BYTES:
        raise OSError(errno.E2BIG, "mount options exceed one page (too many layers?)", str(target))
    arguments = (source.encode(), str(target).encode(), type_.encode())
    if _libc.mount(*arguments, ctypes.c_ulong(flags), options.encode()) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"mounting {type_ or source}: {os.strerror(code)}", str(target))


def bind(source: Path | str, target: Path) -> None:
    mount(str(source), target, "", MS_BIND)


def overlay(lower: list[str], upper: Path, work: Path, target: Path, flags: int = 0) -> None:
    """`lower` from the top layer down. Escapes what overlayfs reads as separators."""
    folders = ":".join(_escape(folder) for folder in lower)
    options = f"lowerdir={folders},upperdir={_escape(str(upper))},workdir={_escape(str(work))}"
    mount("overlay", target, "overlay", flags, options)


def _escape(folder: str) -> str:
    return folder.replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,")


def unmount(target: Path) -> bool:
    """Take the mount away, lazily; False when nothing is mounted there."""
    if _libc.umount2(str(target).encode(), _MNT_DETACH) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOENT):
        return False
    raise OSError(code, f"unmounting: {os.strerror(code)}", str(target))


def unmount_below(*folders: Path) -> int:
    """Take away every mount at or below the folders, the innermost first; returns how many."""
    inside = paths_below(Path("/proc/self/mountinfo").read_text(), *map(str, folders))
    return sum(unmount(Path(path)) for path in reversed(inside))


def paths_below(mountinfo: str, *folders: str) -> list[str]:
    """Where something is mounted at or below the folders, in the order of parse_mountinfo.

    A node has a dozen mounts for each Pod: only lines that name a folder are taken apart.
    """
    written = [_ESCAPED.sub(lambda match: f"\\{ord(match[0]):03o}", folder) for folder in folders]
    lines = [line for line in mountinfo.splitlines() if any(folder in line for folder in written)]
    below = tuple(f"{folder}/" for folder in folders)
    return [
        point.path
        for point in parse_mountinfo("\n".join(lines))
        if point.path in folders or point.path.startswith(below)
    ]


def mount_points() -> list[MountPoint]:
    text = Path("/proc/self/mountinfo").read_text()
    return parse_mountinfo(text)


def root_is_from(pid: int, folder: Path) -> bool:
    """Whether a process' root is an overlay with a layer of its own below a folder.

    Raises OSError when the process has ended.
    """
    points = parse_mountinfo(Path(f"/proc/{pid}/mountinfo").read_text())
    return any(
        point.path == "/" and f"upperdir={_escape(str(folder))}/" in point.options
        for point in points
    )


def type_of(folder: Path, points: list[MountPoint]) -> str:
    """The type of the file system that a folder is on: "ext4", "overlay"."""
    parents = {str(folder), *(str(parent) for parent in folder.parents)}
    above = [point for point in points if point.path in parents]
    # The longest path; of several mounts on one folder the last one covers the others.
    return max(enumerate(above), key=lambda entry: (len(entry[1].path), entry[0]))[1].type


def parse_mountinfo(text: str) -> list[MountPoint]:
    """proc(5), /proc/pid/mountinfo; in the order in which they were mounted."""
    points = []
    for line in text.splitlines():
        fields = line.split(" ")
        separator = fields.index("-", 6)
        options = fields[separator + 3] if len(fields) > separator + 3 else ""
        path = _OCTAL.sub(lambda match: chr(int(match[1], 8)), fields[4])
        points.append(MountPoint(path, fields[separator + 1], options))
    return points
