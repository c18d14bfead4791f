"""hostPath volumes: a path of the machine, with the check that its `type` asks for."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable

from pilotfish.node.errors import MountFailed
from pilotfish.node.files import beneath
from pilotfish.objects.meta import Object

_CHECKS: dict[str, tuple[Callable[[int], bool], str]] = {
    "Directory": (stat.S_ISDIR, "directory"),
    "DirectoryOrCreate": (stat.S_ISDIR, "directory"),
    "File": (stat.S_ISREG, "file"),
    "FileOrCreate": (stat.S_ISREG, "file"),
    "Socket": (stat.S_ISSOCK, "socket file"),
    "CharDevice": (stat.S_ISCHR, "character device"),
    "BlockDevice": (stat.S_ISBLK, "block device"),
}


def open_host_path(source: Object) -> int:
    """An O_PATH descriptor of what is to be bound: of the very file whose type was checked.

    Raises MountFailed in the kubelet's words when it is of another type, OSError.
    """
    path, type_ = str(source["path"]), source.get("type") or ""
    with beneath.opened("/") as root:
        found = _open(root, path, type_)
    if type_ in _CHECKS:
        holds, noun = _CHECKS[type_]
        if not holds(os.fstat(found).st_mode):
            os.close(found)
            raise MountFailed(f"hostPath type check failed: {path} is not a {noun}")
    return found


def _open(root: int, path: str, type_: str) -> int:
    try:
        return beneath.open_at(root, path, os.O_PATH, 0)
    except FileNotFoundError:
        # Container runtimes make a folder for a bind mount of no type too.
        if type_ in ("", "DirectoryOrCreate"):
            return beneath.find_or_make(root, path, 0o755, beneath.IN_ROOT)
        if type_ == "FileOrCreate":
            return _make_file(root, path)
        _holds, noun = _CHECKS[type_]
        raise MountFailed(f"hostPath type check failed: {path} is not a {noun}") from None


def _make_file(root: int, path: str) -> int:
    parent, _, name = path.rstrip("/").rpartition("/")
    try:
        flags = os.O_PATH | os.O_DIRECTORY
        folder = beneath.open_at(root, parent or "/", flags, beneath.IN_ROOT)
    except (FileNotFoundError, NotADirectoryError):
        message = f"hostPath type check failed: {parent} is not a directory"
        raise MountFailed(message) from None
    try:
        return beneath.find_or_make_file(folder, name, 0)
    finally:
        os.close(folder)
