"""Files of a volume that change together: readers see all of the old ones or all of the new.

    ..2026_01_01_00_00_00.123/app.conf   the files of one version
    ..data -> ..2026_01_01_00_00_00.123  swapped by rename(2), which is atomic
    app.conf -> ..data/app.conf          what the container opens

The layout is Kubernetes' own; programs that watch `..data` for changes rely on it.
"""

from __future__ import annotations

import logging
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from pilotfish.node.files.trees import files_below, try_remove_tree

log = logging.getLogger(__name__)

_DATA = "..data"


@dataclass(frozen=True)
class File:
    content: bytes
    mode: int


def write(folder: Path, files: dict[str, File], group_id: int | None) -> bool:
    """Make `folder` hold exactly these files (relative paths); False when it does already.

    With a group (fsGroup) the files belong to it and it may read them. Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if group_id is not None:
        files = {name: File(file.content, file.mode | 0o440) for name, file in files.items()}
    if _current(folder) == files:
        return False
    version = time.strftime("..%Y_%m_%d_%H_%M_%S.", time.gmtime()) + secrets.token_hex(4)
    target = folder / version
    target.mkdir()
    target.chmod(0o755)
    for name, file in files.items():
        path = target / name
        _make_folders(target, name.split("/")[:-1])
        path.write_bytes(file.content)
        path.chmod(file.mode)
        if group_id is not None:
            os.chown(path, -1, group_id)
    before = (folder / _DATA).readlink() if (folder / _DATA).is_symlink() else None
    draft = folder / "..data_tmp"
    draft.unlink(missing_ok=True)
    draft.symlink_to(version)
    draft.rename(folder / _DATA)
    _update_links(folder, {name.split("/")[0] for name in files})
    if before is not None:
        try_remove_tree(folder / before, log.warning)
    return True


def _make_folders(folder: Path, names: list[str]) -> None:
    for name in names:
        folder = folder / name
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)


def _update_links(folder: Path, names: set[str]) -> None:
    for entry in folder.iterdir():
        if entry.is_symlink() and not entry.name.startswith("..") and entry.name not in names:
            entry.unlink()
    for name in names:
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"{_DATA}/{name}")


def _current(folder: Path) -> dict[str, File] | None:
    """The files as they are, None before the first version."""
    data = folder / _DATA
    if not data.is_symlink():
        return None
    found = {}
    for name in files_below(data):
        path = data / name
        found[name] = File(path.read_bytes(), path.stat().st_mode & 0o777)
    return found
