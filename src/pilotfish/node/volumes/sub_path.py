"""subPath: one file or folder of a volume, never anything outside of it."""

from __future__ import annotations

import os
from pathlib import Path

from pilotfish.node.errors import ContainerConfigError


def resolve_sub_path(volume: Path, sub_path: str) -> Path:
    """The real path to bind; made as a folder when missing.

    Links are followed (configMap files are links), but not out of the volume. Raises
    ContainerConfigError.
    """
    if sub_path.startswith("/") or ".." in sub_path.split("/"):
        raise ContainerConfigError(f"subPath {sub_path!r} must be relative and without '..'")
    root = Path(os.path.realpath(volume))
    path = Path(os.path.realpath(root / sub_path))
    if not path.is_relative_to(root):
        raise ContainerConfigError(f"subPath {sub_path!r} leads outside of its volume")
    if not path.exists():
        path.mkdir(parents=True, mode=0o750)
        path.chmod(root.stat().st_mode & 0o7777)
    return path
