"""hostPath volumes: a path of the machine, with the check that its `type` asks for."""

from __future__ import annotations

from pathlib import Path

from pilotfish.node.errors import MountFailed
from pilotfish.objects.meta import Object


def host_path(source: Object) -> Path:
    """The path to bind. Raises MountFailed in the kubelet's words when it is of another type."""
    path, type_ = Path(source["path"]), source.get("type") or ""
    if type_ == "DirectoryOrCreate" and not path.exists():
        path.mkdir(parents=True, mode=0o755)
    elif type_ == "FileOrCreate" and not path.exists():
        if not path.parent.is_dir():
            raise MountFailed(f"hostPath type check failed: {path.parent} is not a directory")
        path.touch(mode=0o644)
    checks = {
        "Directory": (path.is_dir, "directory"),
        "DirectoryOrCreate": (path.is_dir, "directory"),
        "File": (path.is_file, "file"),
        "FileOrCreate": (path.is_file, "file"),
        "Socket": (path.is_socket, "socket file"),
        "CharDevice": (path.is_char_device, "character device"),
        "BlockDevice": (path.is_block_device, "block device"),
    }
    if type_ in checks:
        holds, noun = checks[type_]
        if not holds():
            raise MountFailed(f"hostPath type check failed: {path} is not a {noun}")
    elif not path.exists():
        path.mkdir(parents=True, mode=0o755)  # as container runtimes do for a bind mount
    return path
